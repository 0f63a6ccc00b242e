/** What a browser downloads: everything but optional tokenisers, the command and the report. */

import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

async function bundle(contents: string): Promise<{ readonly text: string; readonly outside: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    metafile: true,
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        // Sources import each other as the compiled files do.
        name: 'sources',
        setup: ({ onResolve, resolve }) =>
          onResolve({ filter: /^\..*\.js$/ }, async ({ path, resolveDir, kind }) => {
            const found = await resolve(path.replace(/\.js$/, '.ts'), { resolveDir, kind });
            return found.errors.length === 0 ? found : undefined;
          }),
      },
    ],
  });
  return {
    text: outputFiles[0]!.text,
    outside: Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)),
  };
}

describe('the bundle', () => {
  it('of everything is under 25 kB gzipped, what it takes from core included, and needs nothing else', async () => {
    const { text, outside } = await bundle(`export * from './index.js';`);
    expect(outside).toEqual([]);
    expect(gzipSync(text).length).toBeLessThan(25_000);
  });

  it('of BLEU alone is a fraction of that', async () => {
    const { text } = await bundle(`export { bleu, corpusScore } from './index.js';`);
    expect(gzipSync(text).length).toBeLessThan(5_000);
  });

  it('of the plugin, with its command, loads without Node too', async () => {
    const { outside } = await bundle(`export { default } from './index.js';`);
    expect(outside).toEqual([]);
  });
});
