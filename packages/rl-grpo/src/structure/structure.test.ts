import { isHeddleError } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TagIds } from '../grammar/tags.js';
import { actorMask, hiddenPairs, rolloutPositions, sftMask, sftPositions } from './compat.js';
import { scanBlocks } from './scan.js';
import { checkSegments, maskOf, positionsOf, segmentsOf } from './segments.js';

const tags: TagIds = { path: 1, endPath: 2, parallel: 3, endParallel: 4, summary: 5, endSummary: 6 };
const word = fc.integer({ min: 10, max: 13 });
const words = fc.array(word, { maxLength: 4 });
const wild = fc.array(fc.oneof(word, fc.integer({ min: 1, max: 6 })), { maxLength: 30 });
const blocks = fc.array(fc.record({ before: words, paths: fc.array(words, { minLength: 1, maxLength: 4 }) }), {
  maxLength: 3,
});
type Blocks = readonly { readonly before: readonly number[]; readonly paths: readonly (readonly number[])[] }[];
const tokens = (parts: Blocks): readonly number[] =>
  parts.flatMap(({ before, paths }) => [
    ...before,
    tags.parallel,
    ...paths.flatMap(path => [tags.path, ...path, tags.endPath]),
    tags.endParallel,
    tags.summary,
    12,
    tags.endSummary,
  ]);

/** Sets of paths, block by block: what each token belongs to. */
function pathsBySearch(ids: readonly number[]): readonly (readonly [number, number] | null)[] {
  let [block, path, inside] = [-1, -1, false];
  return ids.map(id => {
    if (id === tags.parallel) {
      block++;
      path = -1;
    }
    if (id === tags.path) {
      path++;
      inside = true;
    }
    const own = inside ? ([block, path] as const) : null;
    if (id === tags.endPath) inside = false;
    return own;
  });
}

describe('segments', () => {
  it('of the specification stand where it says', () => {
    const ids = [10, 11, 3, 1, 12, 13, 14, 2, 1, 15, 2, 4, 8, 5, 16, 6, 17];
    const segments = segmentsOf(ids, tags);
    expect([...positionsOf(segments)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 3, 4, 5, 8, 9, 10, 11, 12, 13]);
    const mask = maskOf(segments);
    for (const row of [8, 9, 10])
      for (let column = 3; column < 8; column++) expect(mask[row * ids.length + column]).toBe(0);
    expect(Array.from(mask.slice(11 * ids.length, 12 * ids.length))).toEqual([
      ...Array(12).fill(1),
      ...Array(5).fill(0),
    ]);
  });

  it('hide exactly the other paths of the same block', () => {
    fc.assert(
      fc.property(blocks, words, (parts, after) => {
        const ids = [...tokens(parts), ...after];
        const own = pathsBySearch(ids);
        const mask = maskOf(segmentsOf(ids, tags));
        for (let i = 0; i < ids.length; i++)
          for (let j = 0; j < ids.length; j++) {
            const [a, b] = [own[i], own[j]];
            const apart = a && b && a[0] === b[0] && a[1] !== b[1];
            expect(mask[i * ids.length + j], `${i} sees ${j}`).toBe(j <= i && !apart ? 1 : 0);
          }
      }),
    );
  });

  it('cover any tokens, keep the diagonal open, look back only, and stand after what they see', () => {
    fc.assert(
      fc.property(wild, ids => {
        const segments = segmentsOf(ids, tags);
        checkSegments(segments, ids.length);
        const [mask, positions] = [maskOf(segments), positionsOf(segments)];
        for (let i = 0; i < ids.length; i++)
          for (let j = 0; j < ids.length; j++) {
            const sees = mask[i * ids.length + j] === 1;
            if (i === j) expect(sees).toBe(true);
            else if (sees) {
              expect(j).toBeLessThan(i);
              expect(positions[j]).toBeLessThan(positions[i]!);
            }
          }
      }),
    );
  });

  it('are one line for a prompt, whatever tags it quotes', () => {
    fc.assert(
      fc.property(wild, blocks, (prompt, parts) => {
        const ids = [...prompt, ...tokens(parts)];
        const positions = positionsOf(segmentsOf(ids, tags, prompt.length));
        expect(Array.from(positions.slice(0, prompt.length))).toEqual(prompt.map((_, i) => i));
        const alone = positionsOf(segmentsOf(tokens(parts), tags));
        expect(Array.from(positions.slice(prompt.length))).toEqual([...alone].map(at => at + prompt.length));
      }),
    );
  });

  it('do not depend on the order of paths', () => {
    fc.assert(
      fc.property(words, words, words, (a, b, after) => {
        const make = (paths: readonly (readonly number[])[]) => [...tokens([{ before: [10], paths }]), ...after];
        const [one, other] = [make([a, b]), make([b, a])].map(ids => positionsOf(segmentsOf(ids, tags)));
        const join = 2 + a.length + b.length + 4;
        expect(Array.from(one!.slice(join))).toEqual(Array.from(other!.slice(join)));
      }),
    );
  });

  it('must cover the sequence with earlier parents', () => {
    const code = (run: () => void): string => {
      try {
        run();
      } catch (error) {
        if (isHeddleError(error)) return error.code;
      }
      return 'none';
    };
    expect(code(() => checkSegments([{ start: 0, end: 2, parents: [] }], 3))).toBe('E_STRUCTURE');
    expect(code(() => checkSegments([{ start: 0, end: 3, parents: [0] }], 3))).toBe('E_STRUCTURE');
    expect(code(() => checkSegments([{ start: 1, end: 3, parents: [] }], 3))).toBe('E_STRUCTURE');
  });
});

describe("the reference's masks and positions", () => {
  it('are those of segments where blocks close and nothing stands between paths', () => {
    fc.assert(
      fc.property(blocks, words, (parts, after) => {
        const ids = [...tokens(parts), ...after];
        const segments = segmentsOf(ids, tags);
        expect([...sftPositions(ids, tags, 0)]).toEqual([...positionsOf(segments)]);
        expect(sftMask(ids, tags)).toEqual(maskOf(segments));
      }),
    );
  });

  it('of its rollouts are those of segments for two paths, and only for two', () => {
    fc.assert(
      fc.property(words, fc.array(words, { minLength: 2, maxLength: 4 }), words, (before, paths, after) => {
        const ids = [...tokens([{ before, paths }]), ...after];
        const [{ paths: spans }] = scanBlocks(ids, tags) as [ReturnType<typeof scanBlocks>[number]];
        const first = spans[0]!.start;
        const own = spans.map(({ start, end }) => ({ start: start - first, end: end - first }));
        const found = rolloutPositions(own, ids.length - first, first);
        const expected = Array.from(positionsOf(segmentsOf(ids, tags)).slice(first));
        expect(found.join() === expected.join()).toBe(paths.length === 2);
        expect(actorMask(hiddenPairs(spans, 0, ids.length), 0, ids.length)).toEqual(maskOf(segmentsOf(ids, tags)));
      }),
    );
  });
});
