/** What a browser has to load. */

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { version } from './version.js';
import manifest from '../package.json' with { type: 'json' };

const bundle = (entry: string) =>
  build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });

it('the main entry is below 60 kB gzipped and loads nothing but itself', async () => {
  const { metafile, outputFiles } = await bundle('./index.ts');
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter(path => path.includes('node_modules') || /(?:^|\/)core\//.test(path))).toEqual([]);
  expect(inputs.filter(path => /\.node\.ts$|benchmark|commands/.test(path))).toEqual([]);
  expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
  const size = gzipSync(outputFiles[0]!.contents).length;
  expect(size).toBeLessThan(60_000);
  // A bundle that lost its grader would be small too.
  expect(size).toBeGreaterThan(10_000);
});

it('benchmarks load in a browser too', async () => {
  const { metafile } = await bundle('./benchmark/index.ts');
  expect(Object.keys(metafile.inputs).filter(path => path.endsWith('.node.ts'))).toEqual([]);
});

it('has the version of its package', () => expect(version).toBe(manifest.version));
