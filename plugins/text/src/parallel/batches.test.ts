import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteTokenizer } from '../byte.js';
import { pairBatches, type PairBatch, type PairBatches, type PairBatchOptions } from './batches.js';
import { encodePairs, type EncodedPairs } from './encode.js';
import type { Pair } from './pair.js';

const tokenizer = byteTokenizer();

/** A corpus of texts that tell which pair they are, of many lengths. */
const corpus = (name: string, count: number): { readonly pairs: readonly Pair[]; readonly encoded: EncodedPairs } => {
  const pairs = Array.from({ length: count }, (_, i) => ({
    source: `${name}${i}${'s'.repeat((i * 7) % 23)}`,
    target: `${name}${i}${'t'.repeat((i * 5) % 19)}`,
  }));
  return { pairs, encoded: encodePairs(pairs, { tokenizer }) };
};

async function take(batches: PairBatches, most = Infinity): Promise<PairBatch[]> {
  const found: PairBatch[] = [];
  while (found.length < most) {
    const next = await batches.next();
    if (next === null) break;
    found.push(next);
  }
  return found;
}

const options: fc.Arbitrary<PairBatchOptions> = fc.record({
  tokens: fc.integer({ min: 1, max: 200 }),
  buckets: fc.integer({ min: 1, max: 5 }),
  multiple: fc.constantFrom(1, 4),
  seed: fc.nat(5),
  shuffle: fc.boolean(),
  temperature: fc.constantFrom(1, 2, 5),
});

describe('batches of pairs', () => {
  it('after any cut go on as if there had been none', async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 9 }),
        async (given, a, b) => {
          const corpora = [corpus('x', a).encoded, corpus('y', b).encoded];
          const whole = await take(pairBatches(corpora, given), 12);
          for (let cut = 0; cut < whole.length; cut++) {
            const again = pairBatches(corpora, given);
            await take(again, 2); // it may have been elsewhere
            await again.seek(JSON.parse(JSON.stringify(whole[cut]!.cursor)));
            expect(await take(again, whole.length - cut - 1)).toEqual(whole.slice(cut + 1));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('hold every pair once an epoch, each as it was', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.integer({ min: 1, max: 40 }), async (given, count) => {
        const { pairs, encoded } = corpus('x', count);
        const batches = pairBatches([encoded], { ...given, temperature: 1, epochs: 1 });
        const seen: number[] = [];
        let [cells, filled] = [0, 0];
        const all = await take(batches);
        for (const { batch, rows, tokens } of all) {
          const [B, S] = batch.source.shape as [number, number];
          const [, T] = batch.ids.shape as [number, number];
          const shape = batches.shapes.find(one => one.batch === B && one.source === S && one.target === T);
          expect(shape).toBeDefined();
          for (const [name, type] of Object.entries(batches.types(shape!)))
            expect(batch[name as keyof typeof batch]).toMatchObject(type);
          expect(B === 1 || B * Math.max(S, T) <= given.tokens!).toBe(true);
          cells += B * (S + T);
          let own = 0;
          for (const [row, place] of rows.entries()) {
            const part = (name: keyof typeof batch, length: number) => [
              ...(batch[name].data as Int32Array).subarray(row * length, (row + 1) * length),
            ];
            const sourceLength = part('sourceMask', S).reduce((a, b) => a + b, 0);
            const targetLength = part('mask', T).reduce((a, b) => a + b, 0);
            if (place === null) {
              expect([sourceLength, targetLength]).toEqual([1, 0]);
              continue;
            }
            seen.push(place.pair);
            const { source, target } = pairs[place.pair]!;
            const padded = (ids: readonly number[], length: number) => [
              ...ids,
              ...Array.from({ length: length - ids.length }, () => 258),
            ];
            expect(part('source', S)).toEqual(padded([...tokenizer.encode(source), 257], S));
            expect(part('ids', T)).toEqual(padded([256, ...tokenizer.encode(target)], T));
            expect(part('targets', T)).toEqual(padded([...tokenizer.encode(target), 257], T));
            expect([sourceLength, targetLength]).toEqual([source.length + 1, target.length + 1]);
            own += target.length + 1;
            filled += source.length + target.length + 2;
          }
          expect(tokens).toBe(own);
        }
        expect(seen.sort((a, b) => a - b)).toEqual(pairs.map((_, i) => i));
        const report = batches.report();
        expect(report).toMatchObject({ batches: all.length, pairs: count });
        expect(report.padding).toBeCloseTo(1 - filled / cells, 10);
      }),
      { numRuns: 60 },
    );
  });

  it('draw corpora by temperature, and the pairs of each equally often', async () => {
    const sizes = [40, 10];
    const corpora = sizes.map((size, i) => corpus('xy'[i]!, size).encoded);
    for (const temperature of [1, 2, 1e9]) {
      const epochs = 20;
      const counts = sizes.map(size => Array.from({ length: size }, () => 0));
      for (const { rows } of await take(pairBatches(corpora, { temperature, epochs, tokens: 100 })))
        for (const row of rows) if (row !== null) counts[row.corpus]![row.pair]!++;
      const totals = counts.map(own => own.reduce((a, b) => a + b, 0));
      const expected = (40 ** (1 / temperature) / (40 ** (1 / temperature) + 10 ** (1 / temperature))) * 50 * epochs;
      // One pair at most is missing in each of six buckets of each corpus.
      expect(Math.abs(totals[0]! - expected)).toBeLessThanOrEqual(6);
      expect(Math.abs(totals[0]! + totals[1]! - 50 * epochs)).toBeLessThanOrEqual(12);
      for (const own of counts) expect(Math.max(...own) - Math.min(...own)).toBeLessThanOrEqual(1);
    }
  });

  it('keep quotas and caps, and say what came of them', async () => {
    const corpora = [40, 10, 50].map((size, i) => corpus('xyz'[i]!, size).encoded);
    const count = async (given: PairBatchOptions) => {
      const batches = pairBatches(corpora, { ...given, epochs: 10, tokens: 100 });
      const counts = [0, 0, 0];
      for (const { rows } of await take(batches)) for (const row of rows) if (row !== null) counts[row.corpus]!++;
      const { corpora: told, pairs } = batches.report(3);
      expect(told.reduce((sum, one) => sum + one.pairs, 0)).toBe(pairs);
      for (const [i, { share }] of told.entries()) expect(Math.abs(share - counts[i]! / 1000)).toBeLessThan(0.1);
      return counts;
    };
    // One pair at most is missing in each of six buckets of each corpus.
    const near = (found: readonly number[], expected: readonly number[]) => {
      for (const [i, x] of found.entries()) expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(6);
    };
    near(await count({ quotas: [0.5, 0.3, 0.2] }), [500, 300, 200]);
    near(await count({ quotas: [null, 0.6, null], most: 2 }), [356, 200, 444]);
  });

  it('are shuffled anew each epoch, and by the seed', async () => {
    const { encoded } = corpus('x', 60);
    const orders = await Promise.all(
      [1, 1, 2].map(async seed =>
        (await take(pairBatches([encoded], { seed, epochs: 2, tokens: 100 }))).flatMap(({ rows }) =>
          rows.map(row => row?.pair),
        ),
      ),
    );
    expect(orders[0]).toEqual(orders[1]);
    expect(orders[0]).not.toEqual(orders[2]);
    const half = orders[0]!.length / 2;
    expect(orders[0]!.slice(0, half)).not.toEqual(orders[0]!.slice(half));
    const plain = (await take(pairBatches([encoded], { shuffle: false, epochs: 1, buckets: 1 }))).flatMap(({ rows }) =>
      rows.map(row => row?.pair),
    );
    expect(plain.slice(0, 60)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('more buckets pad less; the shapes of others can be kept', () => {
    const { encoded } = corpus('x', 500);
    const padding = [1, 2, 4, 8].map(buckets => pairBatches([encoded], { buckets, tokens: 300 }).report().padding);
    expect(padding).toEqual(padding.toSorted((a, b) => b - a));
    expect(padding[0]! - padding[3]!).toBeGreaterThan(0.1);
    const { shapes } = pairBatches([encoded], { tokens: 300 });
    expect(
      pairBatches([corpus('x', 20).encoded], { buckets: shapes }).shapes.map(({ source, target }) => [source, target]),
    ).toEqual(shapes.map(({ source, target }) => [source, target]));
  });

  it('refuse cursors of others, and calls after close', async () => {
    const batches = pairBatches([corpus('x', 10).encoded]);
    const { cursor } = (await batches.next())!;
    const other = pairBatches([corpus('x', 10).encoded], { seed: 1 });
    await expect(other.seek(cursor)).rejects.toMatchObject({ code: 'E_CURSOR' });
    await expect(pairBatches([corpus('z', 10).encoded]).seek(cursor)).rejects.toMatchObject({ code: 'E_CURSOR' });
    for (const wrong of [null, { ...cursor, index: -1 }, { ...cursor, index: 10_000 }, { ...cursor, epoch: 0.5 }])
      await expect(batches.seek(wrong)).rejects.toMatchObject({ code: 'E_CURSOR' });
    await batches.close();
    await expect(batches.next()).rejects.toMatchObject({ code: 'E_CLOSED' });
    await expect(batches.seek(cursor)).rejects.toMatchObject({ code: 'E_CLOSED' });
  });

  it.each([
    [{ tokens: 0 }, 'E_OPTION'],
    [{ buckets: 0 }, 'E_OPTION'],
    [{ buckets: [{ source: 2, target: 2 }] }, 'E_OPTION'],
    [{ temperature: 0.5 }, 'E_OPTION'],
    [{ quotas: [0.5, 0.5] }, 'E_OPTION'],
    [{ most: 0 }, 'E_OPTION'],
    [{ seed: 0.5 }, 'E_OPTION'],
    [{ epochs: 0 }, 'E_OPTION'],
  ])('%j is refused', (given, code) => {
    expect(() => pairBatches([corpus('x', 3).encoded], given)).toThrow(expect.objectContaining({ code }));
  });

  it('corpora of different tokenisers do not mix', () => {
    const other = encodePairs([{ source: 'a', target: 'b' }], { tokenizer: byteTokenizer({ specials: ['<eos>'] }) });
    expect(() => pairBatches([corpus('x', 3).encoded, other])).toThrow(
      expect.objectContaining({ code: 'E_TOKENIZER' }),
    );
    expect(() => pairBatches([])).toThrow(expect.objectContaining({ code: 'E_EMPTY' }));
    const nothing = { ...corpus('x', 1).encoded, count: 0 };
    expect(() => pairBatches([nothing, nothing])).toThrow(
      expect.objectContaining({ code: 'E_EMPTY', message: expect.stringContaining('in 2 corpora') as string }),
    );
  });
});
