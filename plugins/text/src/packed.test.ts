import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteTokenizer } from './byte.js';
import { packDocuments, packedBatches, type PackedBatch, type PackedBatches } from './packed.js';

const tokenizer = byteTokenizer();
const counted = (tokens: number) => ({ ids: Int32Array.from({ length: tokens }, (_, at) => at), end: 257, pad: 9999 });

const take = async (batches: PackedBatches, count: number): Promise<PackedBatch[]> => {
  const taken: PackedBatch[] = [];
  for (let at = 0; at < count; at++) {
    const next = await batches.next();
    if (!next) break;
    taken.push(next);
  }
  return taken;
};
const predicted = (batches: readonly PackedBatch[]): number[] =>
  batches.flatMap(({ batch }) => [...batch.targets.data].filter((_, at) => batch.mask.data[at] === 1));

const shape = {
  tokens: fc.integer({ min: 2, max: 60 }),
  batch: fc.integer({ min: 1, max: 5 }),
  length: fc.integer({ min: 1, max: 9 }),
  seed: fc.integer(),
  shuffle: fc.boolean(),
};

describe('packing documents', () => {
  it('ends each with <eos>', () => {
    const packed = packDocuments(
      [
        { name: 'a', text: 'ab' },
        { name: 'b', text: 'c' },
      ],
      tokenizer,
    );
    expect(packed).toEqual({ ids: Int32Array.of(97, 98, 257, 99, 257), end: 257, pad: 258 });
  });

  it('needs a token for that', () => {
    expect(() => packDocuments([], byteTokenizer({ specials: ['<bos>'] }))).toThrow(
      expect.objectContaining({ code: 'E_TOKENIZER', message: expect.stringContaining('<bos>') as string }),
    );
  });
});

describe('packed batches', () => {
  it('are ids, targets one ahead, and a mask', async () => {
    const batches = packedBatches(counted(6), { batch: 2, length: 3, shuffle: false });
    expect((await batches.next())?.batch).toEqual({
      ids: { dtype: 'i32', shape: [2, 3], data: Int32Array.of(0, 1, 2, 3, 4, 9999) },
      targets: { dtype: 'i32', shape: [2, 3], data: Int32Array.of(1, 2, 3, 4, 5, 9999) },
      mask: { dtype: 'f32', shape: [2, 3], data: Float32Array.of(1, 1, 1, 1, 1, 0) },
    });
    expect([batches.windows, batches.tokens]).toEqual([2, 5]);
  });

  it('predict every token but the first once an epoch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.record(shape), fc.integer({ min: 1, max: 3 }), async ({ tokens, ...options }, epochs) => {
        const batches = packedBatches(counted(tokens), { ...options, epochs });
        const all = await take(batches, 1000);
        const once = Array.from({ length: tokens - 1 }, (_, at) => at + 1);
        expect(predicted(all).sort((a, b) => a - b)).toEqual(
          once.flatMap(id => Array.from({ length: epochs }, () => id)),
        );
        expect(all.reduce((sum, { tokens: some }) => sum + some, 0)).toBe((tokens - 1) * epochs);
        expect(await batches.next()).toBeNull();
      }),
    );
  });

  it('go on after seek as if nothing had happened, from any place, in the same source or a new one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record(shape),
        fc.nat(20),
        fc.integer({ min: 1, max: 20 }),
        async ({ tokens, ...options }, before, after) => {
          const open = (): PackedBatches => packedBatches(counted(tokens), options);
          const straight = await take(open(), before + after);
          const cursor = before === 0 ? null : (JSON.parse(JSON.stringify(straight[before - 1]!.cursor)) as unknown);
          const later = open();
          if (cursor) await later.seek(cursor);
          expect(await take(later, after)).toEqual(straight.slice(before));
          if (cursor) {
            await later.seek(cursor);
            expect(await take(later, after)).toEqual(straight.slice(before));
          }
        },
      ),
    );
  });

  it('seek a distant epoch at once', async () => {
    const batches = packedBatches(counted(1000), { batch: 4, length: 10 });
    const { cursor } = (await batches.next())!;
    await batches.seek({ ...cursor, epoch: 1e9, index: 3 });
    expect((await batches.next())!.cursor).toMatchObject({ epoch: 1e9, index: 7 });
  });

  it('come in another order each epoch and for each seed', async () => {
    const order = async (seed: number): Promise<number[]> =>
      predicted(await take(packedBatches(counted(101), { batch: 1, length: 1, seed }), 200));
    const one = await order(1);
    expect(one.slice(0, 100)).not.toEqual(one.slice(100));
    expect(one).not.toEqual(await order(2));
    expect(one).toEqual(await order(1));
  });

  it('refuse what cannot be', async () => {
    const bad = (options: object, code: string): void =>
      expect(() => packedBatches(counted(9), { batch: 1, length: 2, ...options })).toThrow(
        expect.objectContaining({ code }),
      );
    for (const wrong of [0, 1.5, -1, Number.NaN, '4']) {
      bad({ batch: wrong }, 'E_OPTION');
      bad({ length: wrong }, 'E_OPTION');
      bad({ epochs: wrong }, 'E_OPTION');
    }
    bad({ seed: 0.5 }, 'E_OPTION');
    expect(() => packedBatches(counted(1), { batch: 1, length: 2 })).toThrow(
      expect.objectContaining({ code: 'E_EMPTY' }),
    );
  });

  it('refuse a cursor of something else', async () => {
    const batches = packedBatches(counted(9), { batch: 1, length: 2 });
    const { cursor } = (await batches.next())!;
    for (const wrong of [
      null,
      3,
      {},
      { ...cursor, index: 4 },
      { ...cursor, epoch: -1 },
      { ...cursor, corpus: 'other' },
    ]) {
      await expect(batches.seek(wrong)).rejects.toMatchObject({ code: 'E_CURSOR' });
    }
    for (const other of [
      packedBatches(counted(10), { batch: 1, length: 2 }),
      packedBatches(counted(9), { batch: 1, length: 2, seed: 1 }),
      packedBatches(counted(9), { batch: 1, length: 2, shuffle: false }),
    ]) {
      await expect(other.seek(cursor)).rejects.toMatchObject({ code: 'E_CURSOR' });
    }
    await packedBatches(counted(9), { batch: 7, length: 2 }).seek(cursor); // rows of a batch may change
  });

  it('are closed for good', async () => {
    const batches = packedBatches(counted(9), { batch: 1, length: 2 });
    await batches.close();
    await batches.close();
    await expect(batches.next()).rejects.toMatchObject({ code: 'E_CLOSED' });
    await expect(batches.seek({})).rejects.toMatchObject({ code: 'E_CLOSED' });
  });
});
