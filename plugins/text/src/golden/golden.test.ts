/** The golden files beside this workspace, and that a wrong number in them is found. */

import type { GoldenCase, GoldenKind } from '@heddle/core/testing/golden';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { kinds } from './index.js';

const shared = fileURLToPath(new URL('../../../../../shared/golden/', import.meta.url));

async function run(
  kind: GoldenKind,
  name: string,
  change: (text: string) => string = text => text,
): Promise<readonly GoldenCase[]> {
  const path = join(shared, kind.name, name);
  const found: GoldenCase[] = [];
  for await (const one of kind.check({ name, path, text: async () => change(await readFile(path, 'utf8')) }))
    found.push(one);
  return found;
}

describe.each(kinds.map(kind => [kind.name, kind] as const))('golden kind %s', (name, kind) => {
  const folder = join(shared, name);
  const there = existsSync(folder);

  it.skipIf(!there)('knows every file of its folder (skipped where ../shared/golden is not there)', async () => {
    const files = (await readdir(folder, { recursive: true })).filter(
      file => /\.\w+$/.test(file) && !file.endsWith('.md'),
    );
    expect(files.filter(file => !kind.recognises(file) && kind.ignores?.(file) !== true)).toEqual([]);
    // Ends of names differ between sets.
    for (const file of files.filter(one => kind.recognises(one) && kind.ignores?.(one) !== true))
      for (const end of ['-17', '_17', '.17', '17', ''])
        expect(kind.recognises(file.replace('.public', end))).toBe(true);
  });

  it.skipIf(!there)('passes (skipped where ../shared/golden is not there)', { timeout: 60_000 }, async () => {
    const files = (await readdir(folder, { recursive: true })).filter(
      file => kind.recognises(file) && kind.ignores?.(file) !== true,
    );
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const cases = await run(kind, file);
      expect(cases.length).toBeGreaterThan(0);
      expect(cases.filter(({ passed }) => !passed).map(({ id, detail }) => `${file} ${id}: ${detail}`)).toEqual([]);
    }
  });
});

describe.skipIf(!existsSync(shared))('a wrong number is found (skipped where ../shared/golden is not there)', () => {
  it.each([
    ['minimind', (text: string) => text.replace('[37, 68, 916', '[37, 68, 917')],
    ['spm-unigram-1k', (text: string) => text.replace(' 8, 6], "decoded"', ' 8], "decoded"')],
    ['spm-bpe-en-1000', (text: string) => text.replace('quando faz', 'quando fac')],
  ])('%s', async (model, change) => {
    const cases = await run(kinds[0]!, `${model}/golden.public.jsonl`, change);
    expect(cases.filter(({ passed }) => !passed)).toHaveLength(1);
  });
});
