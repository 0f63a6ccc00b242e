/** The page's files, its program bundled for browsers. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = new URL('.', import.meta.url);

/** @returns {Promise<Readonly<Record<string, string>>>} contents by path */
export async function pageFiles({ minify = true } = {}) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', here))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    minify,
    write: false,
    logLevel: 'error',
  });
  return {
    '/': await readFile(new URL('index.html', here), 'utf8'),
    '/page.css': await readFile(new URL('page.css', here), 'utf8'),
    '/page.js': outputFiles[0].text,
  };
}
