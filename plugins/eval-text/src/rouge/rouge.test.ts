import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonLength, markCommon } from './common.js';
import { aggregateRouge } from './aggregate.js';
import { rougeMetric } from './metric.js';
import { porterStem } from './porter.js';
import { rouge, rougeMulti, rougeTokens, type RougeScore } from './rouge.js';
import { corpusScore } from '../corpus.js';

describe('Porter stems', () => {
  // Each rule of the paper once, and NLTK's extensions; nltk.stem.PorterStemmer().stem, NLTK 3.8.
  it.each(
    'caresses caress|ponies poni|ties tie|cats cat|feed feed|agreed agre|plastered plaster|motoring motor|sing sing|conflated conflat|sized size|hopping hop|falling fall|filing file|happy happi|sky sky|enjoy enjoy|relational relat|conditional condit|valency valenc|digitizer digit|conformably conform|radically radic|differently differ|analogously analog|vietnamization vietnam|operator oper|feudalism feudal|decisiveness decis|hopefulness hope|formality formal|sensitivity sensit|triplicate triplic|formative form|formalize formal|electrical electr|goodness good|revival reviv|adoption adopt|replacement replac|adjustment adjust|probate probat|cease ceas|controlling control|roll roll|dying die|news news|spied spi|died die|fully fulli|archaeology archaeolog|geology geolog|yyyy yyyi'
      .split('|')
      .map(pair => pair.split(' ') as [string, string]),
  )('%s to %s', (word, stem) => expect(porterStem(word)).toBe(stem));

  it('never grow by more than a letter, and stay letters', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aeioulsztyngmdabcrp'), maxLength: 14 }), word => {
        const stem = porterStem(word);
        expect(stem.length).toBeLessThanOrEqual(word.length + 1);
        expect(stem).toMatch(/^[a-z]*$/);
      }),
    );
  });
});

/** Longest common subsequence by trying every subset: for short texts. */
function longest(a: readonly string[], b: readonly string[]): number {
  let best = 0;
  for (let mask = 0; mask < 1 << a.length; mask++) {
    const chosen = a.filter((_, i) => mask & (1 << i));
    let at = 0;
    for (const token of b) if (token === chosen[at]) at++;
    if (at === chosen.length) best = Math.max(best, at);
  }
  return best;
}

describe('common subsequences', () => {
  /** The table itself, and the walk through it of rouge_score. */
  function plainly(
    a: readonly number[],
    b: readonly number[],
  ): { readonly length: number; readonly marks: readonly number[] } {
    const table = [b.map(() => 0).concat(0)];
    for (const x of a) {
      const [before, row] = [table.at(-1)!, [0]];
      for (const [j, y] of b.entries()) row.push(x === y ? before[j]! + 1 : Math.max(before[j + 1]!, row[j]!));
      table.push(row);
    }
    const marks = a.map(() => 0);
    let [i, j] = [a.length, b.length];
    while (i > 0 && j > 0) {
      if (a[i - 1] === b[j - 1]) {
        marks[--i] = 1;
        j--;
      } else if (table[i]![j - 1]! > table[i - 1]![j]!) j--;
      else i--;
    }
    return { length: table.at(-1)!.at(-1)!, marks };
  }

  it('by bits are those of the table, across words of 32 too', () => {
    const symbols = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 100 });
    fc.assert(
      fc.property(symbols, symbols, (a, b) => {
        const marks = new Uint8Array(a.length);
        markCommon(Int32Array.from(a), Int32Array.from(b), marks);
        const expected = plainly(a, b);
        expect(commonLength(Int32Array.from(a), Int32Array.from(b))).toBe(expected.length);
        expect([...marks]).toEqual(expected.marks);
      }),
      { numRuns: 300 },
    );
  });
});

describe('ROUGE', () => {
  it('has the numbers of rouge_score', () => {
    // rouge_scorer's own documentation: precision and recall of the quick brown dog.
    const scores = rouge('The quick brown dog jumps on the log.', 'The quick brown fox jumps over the lazy dog');
    expect(scores.rouge1).toEqual({ precision: 6 / 8, recall: 6 / 9, f: (2 * (6 / 8) * (6 / 9)) / (6 / 8 + 6 / 9) });
    expect(scores.rougeL.precision).toBe(5 / 8);
    expect(rouge('a b', 'a b', { types: ['rouge9'] }).rouge9.f).toBe(0);
    expect(rouge('', 'a', { types: ['rouge1', 'rougeL', 'rougeLsum'] })).toEqual({
      rouge1: { precision: 0, recall: 0, f: 0 },
      rougeL: { precision: 0, recall: 0, f: 0 },
      rougeLsum: { precision: 0, recall: 0, f: 0 },
    });
  });

  it('takes lines for sentences at the level of the summary', () => {
    // The example of Lin 2004, section 3.2: w1 to w5 against two candidates; the union of common subsequences is 4 of 5.
    expect(rouge('w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5', 'w1 w2 w3 w4 w5', { types: ['rougeLsum'] }).rougeLsum.recall).toBe(
      4 / 5,
    );
  });

  it('of L is the longest common subsequence', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(rouge(a.join(' '), b.join(' '), { types: ['rougeL'] }).rougeL.precision).toBeCloseTo(
          longest(a, b) / a.length,
          12,
        );
      }),
    );
  });

  it('stems words longer than three letters only, and takes the best reference', () => {
    expect(rougeTokens('Running dogs, has 3rd-class ties!', true)).toEqual([
      'run',
      'dog',
      'has',
      '3rd',
      'class',
      'tie',
    ]);
    expect(rougeMulti('warp', ['weft', 'warp'], { types: ['rouge1'] }).rouge1.f).toBe(1);
    expect(() => rouge('a', 'b', { types: ['rouge0' as 'rouge1'] })).toThrow("received 'rouge0'");
    expect(() => rougeMulti('a', [])).toThrow('at least one reference');
  });

  it('as a metric is the mean', () => {
    const { score, signature } = corpusScore(
      rougeMetric('rouge1', { stem: true }),
      ['warp', 'weft cloth'],
      [['warps', 'weft']],
    );
    expect(score.score).toBeCloseTo(100 * ((1 + 2 / 3) / 2), 10);
    expect(signature).toBe('nrefs:1|stem:porter|like:rouge_score');
  });
});

describe('aggregates', () => {
  const three: readonly Readonly<Record<'rouge1', RougeScore>>[] = [
    { rouge1: { precision: 1, recall: 1 / 3, f: 1 / 2 } },
    { rouge1: { precision: 0, recall: 0, f: 0 } },
    { rouge1: { precision: 1, recall: 1, f: 1 } },
  ];

  it("are those of rouge_score's own tests", () => {
    // scoring_test.py: testConsistentPercentiles and testLargeConfidence, seed 123
    const { low, mid, high } = aggregateRouge(three, { confidence: 0.9, seed: 123 }).rouge1;
    expect([low, mid, high].map(({ precision }) => precision)).toEqual(
      [1 / 3, 2 / 3, 1].map(x => expect.closeTo(x, 8)),
    );
    expect([low, mid, high].map(({ recall }) => recall)).toEqual([1 / 9, 4 / 9, 7 / 9].map(x => expect.closeTo(x, 8)));
    expect([low, mid, high].map(({ f }) => f)).toEqual([1 / 6, 3 / 6, 5 / 6].map(x => expect.closeTo(x, 8)));
    const narrow = aggregateRouge(three, { confidence: 0, seed: 123 }).rouge1;
    expect([narrow.low.f, narrow.mid.f, narrow.high.f]).toEqual([0.5, 0.5, 0.5]);
  });

  it('refuse nothing, and shares that are none', () => {
    expect(() => aggregateRouge([])).toThrow('expected scores');
    expect(() => aggregateRouge(three, { confidence: 2 })).toThrow('a share from 0 to 1');
    expect(() => aggregateRouge(three, { seed: -1 })).toThrow('seed: expected');
  });
});
