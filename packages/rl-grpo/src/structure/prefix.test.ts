/** What decoding relies on: what is there already does not change when more comes. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { predecessorsOf } from './predecessors.js';
import { scanBlocks } from './scan.js';
import { checkSegments, maskOf, positionsOf, segmentsOf, type Segment } from './segments.js';

const tags = { path: 1, endPath: 2, parallel: 3, endParallel: 4, summary: 5, endSummary: 6 };
/** Pieces of blocks and tags alone, in any order, well formed or not. */
const texts = fc
  .array(fc.constantFrom([3], [1, 7, 2], [1, 7, 8], [2], [4], [5, 8, 6], [7], [8], [3, 1, 7, 2, 1, 8, 2, 4]), {
    minLength: 1,
    maxLength: 10,
  })
  .map(pieces => pieces.flat());

/** Nothing stands between the paths of any block. */
const isTight = (ids: readonly number[]): boolean =>
  scanBlocks(ids, tags, 0).every(({ open, paths }) =>
    paths.every(({ start }, i) => start === (i === 0 ? open + 1 : paths[i - 1]!.end)),
  );

it('positions and mask of a beginning stay as they are when tokens follow, whatever the tags', () => {
  fc.assert(
    fc.property(texts, fc.nat(60), (ids, cut) => {
      fc.pre(isTight(ids));
      const n = Math.min(cut + 1, ids.length);
      const [part, whole] = [segmentsOf(ids.slice(0, n), tags), segmentsOf(ids, tags)];
      expect(positionsOf(part)).toEqual(positionsOf(whole).slice(0, n));
      const [few, all] = [maskOf(part), maskOf(whole)];
      for (let i = 0; i < n; i++)
        expect(few.slice(i * n, (i + 1) * n)).toEqual(all.slice(i * ids.length, i * ids.length + n));
    }),
    { numRuns: 3000 },
  );
});

it('but for text behind a path, which another path makes text between the two', () => {
  const ids = [3, 1, 7, 2, 8, 1, 7, 2];
  expect(positionsOf(segmentsOf(ids.slice(0, 5), tags))[4]).toBe(4); // after the path
  expect(positionsOf(segmentsOf(ids, tags))[4]).toBe(1); // beside it
});

/** Any graph of segments, empty ones included. */
const graphs = fc
  .array(fc.record({ length: fc.nat(3), parents: fc.array(fc.nat(9), { maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map(parts => {
    let at = 0;
    return parts.map(({ length, parents }, i): Segment => {
      const start = at;
      at += length;
      return { start, end: at, parents: i === 0 ? [] : [...new Set(parents.map(parent => parent % i))] };
    });
  });

it('each token is predicted after one that it sees and that stands before it', () => {
  fc.assert(
    fc.property(graphs, segments => {
      const n = segments.at(-1)!.end;
      checkSegments(segments, n);
      const [before, positions, mask] = [predecessorsOf(segments), positionsOf(segments), maskOf(segments)];
      for (let i = 0; i < n; i++) {
        const own = before[i]!;
        if (own < 0) {
          expect(mask.slice(i * n, (i + 1) * n).reduce((sum, x) => sum + x, 0)).toBe(1); // it sees itself alone
          continue;
        }
        expect(mask[i * n + own]).toBe(1);
        expect(positions[own]).toBeLessThan(positions[i]!);
      }
      const line = segments.every(
        ({ parents }, i) => parents.length === (i === 0 ? 0 : 1) && (i === 0 || parents[0] === i - 1),
      );
      if (line) expect([...before]).toEqual(Array.from({ length: n }, (_, i) => i - 1));
    }),
  );
});
