import fc from 'fast-check';
import { expect, it } from 'vitest';
import { traceData, traceRow, type TraceDataOptions } from './trace-data.js';

const tags = { path: 1, endPath: 2, parallel: 3, endParallel: 4, summary: 5, endSummary: 6 };
const row = (index: number) => traceRow([9, 10], [11 + index, 3, 1, 12, 2, 1, 13, 2, 4, 5, 14, 6], tags);
const open = (more: Partial<TraceDataOptions> = {}) =>
  traceData({ row, shape: { batch: 3, length: 16 }, seed: 5, ...more });
const firsts = async (data: ReturnType<typeof open>, batches: number): Promise<number[]> => {
  const found: number[] = [];
  for (let i = 0; i < batches; i++) {
    const { batch } = (await data.next())!;
    for (let b = 0; b < 3; b++) found.push(batch['ids']!.data[b * 16 + 2]! - 11);
  }
  return found;
};

it('scores what follows the prompt, and reads blocks of the answer alone', () => {
  const { ids, segments, scored } = traceRow([3, 1, 9], [11, 3, 1, 12, 2, 1, 13, 2], tags);
  expect(ids).toHaveLength(11);
  expect(scored).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(segments.map(({ start, end }) => [start, end])).toEqual([[0, 5], [5, 8], [8, 11]]); // prettier-ignore
});

it('gives each example once in an epoch, in another order each time, and the same again for a seed', async () => {
  const seen = await firsts(open({ count: 6 }), 4);
  expect(seen.slice(0, 6).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(seen.slice(6).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(seen.slice(6)).not.toEqual(seen.slice(0, 6));
  expect(await firsts(open({ count: 6 }), 4)).toEqual(seen);
  expect(await firsts(open({ count: 6, seed: 6 }), 4)).not.toEqual(seen);
  expect(await firsts(open(), 2)).toEqual([0, 1, 2, 3, 4, 5]);
});

it('goes on after any cut as if there had been none', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
      fc.integer({ min: 1, max: 5 }),
      async (count, cut) => {
        const more = count === undefined ? {} : { count };
        const whole = await firsts(open(more), 7);
        const first = open(more);
        let cursor: unknown = null;
        for (let i = 0; i < cut; i++) ({ cursor } = (await first.next())!);
        const again = open(more);
        await again.next(); // it may have been elsewhere
        await again.seek(JSON.parse(JSON.stringify(cursor)));
        expect(await firsts(again, 7 - cut)).toEqual(whole.slice(3 * cut));
      },
    ),
    { numRuns: 30 },
  );
});

it('refuses what cannot be', async () => {
  expect(() => traceRow([], [1], tags)).toThrow(expect.objectContaining({ code: 'E_PROMPT' }));
  expect(() => open({ count: 0 })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  await expect(open({ shape: { batch: 3, length: 8 } }).next()).rejects.toThrow('example 0: expected at most 8 tokens');
  await expect(open().seek({ next: 3, seed: 1, count: null })).rejects.toMatchObject({ code: 'E_CURSOR' });
  const closed = open();
  await closed.close();
  await expect(closed.next()).rejects.toMatchObject({ code: 'E_CLOSED' });
});
