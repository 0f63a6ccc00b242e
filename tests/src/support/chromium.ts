/** Programs in a headless Chromium, where one is installed. */

import { createServer, type Server } from 'node:http';
import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

const places = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** null where there is none. */
export const chromiumPath = (): string | null => places.find(path => path !== undefined && existsSync(path)) ?? null;

const flags =
  '--disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --enable-unsafe-webgpu --no-sandbox';

export interface Browser {
  readonly page: Page;
  readonly address: string;
  /** Errors that pages wrote to their consoles. */
  readonly said: string[];
  close(): Promise<void>;
}

/** Bundles a module for the browser, with vitest left out. */
export async function bundled(source: string, resolveDir: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'no test runner',
        setup(to) {
          to.onResolve({ filter: /^vitest$/ }, () => ({ path: 'vitest', namespace: 'none' }));
          to.onLoad({ filter: /.*/, namespace: 'none' }, () => ({
            contents: 'export const describe = () => {}, it = () => {}, expect = () => {}, vi = {};',
          }));
          to.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'node' }));
          to.onLoad({ filter: /.*/, namespace: 'node' }, () => ({ contents: 'module.exports = {};' }));
        },
      },
    ],
  });
  return outputFiles[0]!.text;
}

/** A page of its own origin that serves `files`. */
export async function openChromium(files: Readonly<Record<string, string>>): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error('no Chromium');
  const server: Server = createServer((request, response) => {
    const body = files[request.url!.split('?')[0]!];
    const ending = /\.\w+/.exec(request.url!)?.[0];
    const type = ending === '.js' ? 'text/javascript' : ending === '.css' ? 'text/css' : 'text/html';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` });
    response.end(body ?? '');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const profile = mkdtempSync(join(tmpdir(), 'heddle-chromium-'));
  let context: BrowserContext | null = null;
  const close = async (): Promise<void> => {
    await context?.close();
    await new Promise(resolve => server.close(resolve));
    await rm(profile, { recursive: true, force: true });
  };
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: flags.split(' '),
      viewport: { width: 1000, height: 760 },
    });
    const page = await context.newPage();
    const said: string[] = [];
    page.on('console', message => void (message.type() === 'error' && said.push(message.text())));
    page.on('pageerror', error => void said.push(error.message));
    await page.goto(address);
    return { page, address, said, close };
  } catch (error) {
    await close();
    throw error;
  }
}
