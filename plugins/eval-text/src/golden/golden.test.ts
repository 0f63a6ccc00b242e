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
    for (const file of files.filter(one => kind.recognises(one)))
      expect(kind.recognises(file.replace('.public', '-17'))).toBe(true);
  });

  it.skipIf(!there)('passes (skipped where ../shared/golden is not there)', { timeout: 300_000 }, async () => {
    for (const file of (await readdir(folder)).filter(one => kind.recognises(one))) {
      // All 555 scores of whole corpora take a minute: `npm run golden -- --kind mt-metrics` runs them. Here every ninth.
      const sparse = (text: string): string =>
        JSON.stringify((JSON.parse(text) as unknown[]).filter((_, i) => i % 9 === 0));
      const cases = await run(kind, file, file.startsWith('sacrebleu-corpus') ? sparse : undefined);
      expect(cases.length).toBeGreaterThan(0);
      expect(cases.filter(({ passed }) => !passed).map(({ id, detail }) => `${file} ${id}: ${detail}`)).toEqual([]);
    }
  });
});

describe.skipIf(!existsSync(shared))('a wrong number is found (skipped where ../shared/golden is not there)', () => {
  it.each([
    ['mt-metrics', 'sacrebleu-ter.public.json', (text: string) => text.replace('"numEdits": 1293', '"numEdits": 1294')],
    ['mt-metrics', 'sacrebleu-ter.public.json', (text: string) => text.replace('61.163670766319775', '61.1636709')],
    ['mt-metrics', 'sacrebleu-ter.public.json', (text: string) => text.replace('norm:no', 'norm:yes')],
    ['mt-metrics', 'sacrebleu-unittests.public.jsonl', (text: string) => text.replace('48.530827', '48.5309')],
    [
      'summarization',
      'porter-stems.public.tsv',
      (text: string) => text.replace('economist\teconomist', 'economist\teconomi'),
    ],
    ['gec', 'gec-scorer-golden.public.json', (text: string) => text.replace('0.7143', '0.7144')],
    ['gec', 'gleu-golden.public.json', (text: string) => text.replace('0.381965', '0.381964')],
  ])('%s %s', async (name, file, change) => {
    const cases = await run(
      kinds.find(kind => kind.name === name)!,
      file,
      change,
    );
    expect(cases.filter(({ passed }) => !passed)).toHaveLength(1);
  });
});
