/** The golden files beside this workspace, and that a wrong number in them is found. */

import { parseGolden, type GoldenCase } from '@heddle/core/testing/golden';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { partialformer as kind } from './partialformer.js';

const folder = fileURLToPath(new URL('../../../../../shared/golden/partialformer/', import.meta.url));
const there = existsSync(folder);
const files = there ? (await readdir(folder)).filter(name => name.endsWith('.json')) : [];

async function run(name: string, change: (text: string) => string = text => text): Promise<readonly GoldenCase[]> {
  const found: GoldenCase[] = [];
  const path = join(folder, name);
  for await (const one of kind.check({ name, path, text: async () => change(await readFile(path, 'utf8')) }))
    found.push(one);
  return found;
}

type Bendable = Record<string, Record<string, unknown> & { weights?: Record<string, unknown> }>;

/** Moves one number by a little more than is allowed. */
function bent(stored: unknown): void {
  const { data } = stored as { data: number[] };
  const largest = Math.max(...data.filter(Number.isFinite).map(Math.abs));
  const at = data.findIndex(Number.isFinite);
  data[at] = data[at]! + 3e-4 * (largest || 1);
}

describe.skipIf(!there)('golden kind partialformer (skipped where ../shared/golden is not there)', () => {
  it('knows every file, whatever its name ends in', () => {
    for (const name of files) {
      expect(kind.recognises(name), name).toBe(true);
      expect(kind.recognises(name.replace(/\d+\.json$/, 'public.json')), name).toBe(true);
    }
    expect(kind.recognises('partialformer_modelling.json')).toBe(false);
  });

  it.each(files)('%s', async name => {
    const cases = await run(name);
    expect(cases.map(({ passed, detail }) => (passed ? '' : detail))).toEqual(['']);
  });

  it.each(files.filter(name => !name.includes('params')))(
    'finds a bent output and a bent gradient in %s',
    async name => {
      const bend = (pick: (row: Bendable) => unknown) => (text: string) => {
        const row = parseGolden(text) as Bendable;
        bent(pick(row));
        return JSON.stringify(row);
      };
      const [output] = await run(
        name,
        bend(row => row['outputs']!['out']),
      );
      expect(output).toMatchObject({ passed: false, detail: expect.stringContaining('out ') });
      const [slope] = await run(
        name,
        bend(row => Object.values(row['gradients']!.weights!).findLast(value => value !== null)),
      );
      expect(slope).toMatchObject({ passed: false, detail: expect.stringContaining('> 0.0001') });
    },
  );

  it.each(files.filter(name => name.includes('params')))('finds a count that is one off in %s', async name => {
    const [found] = await run(name, text => {
      const row = JSON.parse(text) as { outputs: Record<string, number> };
      row.outputs['macs_decoder_tgt20']! += 1;
      return JSON.stringify(row);
    });
    expect(found).toMatchObject({ passed: false, detail: expect.stringContaining('macs_decoder_tgt20') });
  });
});
