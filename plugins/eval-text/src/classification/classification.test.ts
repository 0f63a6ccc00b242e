import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corpusScore } from '../corpus.js';
import { auroc } from './auroc.js';
import { addConfusions, classificationScores, confusion } from './confusion.js';
import { exactMatch, tokenAccuracy } from './matches.js';
import { addLikelihoods, bitsPerByte, likelihoodOf, perplexity } from './perplexity.js';

const labels = fc.array(
  fc.tuple(fc.constantFrom('cat', 'dog', 'constructor'), fc.constantFrom('cat', 'dog', 'constructor', '__proto__')),
  { minLength: 1, maxLength: 40 },
);

describe('classes', () => {
  it('by hand', () => {
    // predicted: a a b b c, expected: a b b b a
    const { accuracy, macroF1, weightedF1, classes } = classificationScores(
      confusion(['a', 'a', 'b', 'b', 'c'], ['a', 'b', 'b', 'b', 'a']),
    );
    expect(accuracy).toBe(3 / 5);
    expect(classes.map(({ label, precision, recall, support }) => [label, precision, recall, support])).toEqual([
      ['a', 1 / 2, 1 / 2, 2],
      ['b', 1, 2 / 3, 3],
      ['c', 0, 0, 0],
    ]);
    expect(macroF1).toBeCloseTo((1 / 2 + 4 / 5 + 0) / 3, 12);
    expect(weightedF1).toBeCloseTo((2 * (1 / 2) + 3 * (4 / 5)) / 5, 12);
  });

  it('of two have the correlation of their 0 and 1', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 2, maxLength: 30 }), pairs => {
        const [x, y] = [0, 1].map(k => pairs.map(pair => Number(pair[k]))) as [number[], number[]];
        const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b) / v.length;
        const [mx, my] = [mean(x), mean(y)];
        const covariance = x.reduce((sum, a, i) => sum + (a - mx) * (y[i]! - my), 0);
        const spread = Math.sqrt(x.reduce((s, a) => s + (a - mx) ** 2, 0) * y.reduce((s, b) => s + (b - my) ** 2, 0));
        const { mcc } = classificationScores(confusion(x.map(String), y.map(String)));
        expect(mcc).toBeCloseTo(spread < 1e-9 ? 0 : covariance / spread, 9);
      }),
    );
  });

  it('add up, whatever they are called', () => {
    fc.assert(
      fc.property(labels, labels, (one, other) => {
        const table = (pairs: readonly (readonly [string, string])[]) =>
          confusion(
            pairs.map(([p]) => p),
            pairs.map(([, e]) => e),
          );
        const sum = addConfusions(table(one), table(other));
        expect(classificationScores(sum)).toEqual(classificationScores(table([...one, ...other])));
        expect(classificationScores(sum).samples).toBe(one.length + other.length);
      }),
    );
    expect(() => confusion(['a'], [])).toThrow('expected 0 labels');
  });
});

describe('AUROC', () => {
  it('is how often a positive beats a negative', () => {
    const samples = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean()), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(samples, all => {
        const [scores, positive] = [all.map(([score]) => score), all.map(([, yes]) => yes)];
        const [up, down] = [true, false].map(yes => scores.filter((_, i) => positive[i] === yes)) as [
          number[],
          number[],
        ];
        if (up.length === 0 || down.length === 0) {
          expect(() => auroc(scores, positive)).toThrow('both classes');
          return;
        }
        const wins = up.flatMap(a => down.map(b => (a > b ? 1 : a === b ? 0.5 : 0))).reduce((a: number, b) => a + b, 0);
        expect(auroc(scores, positive)).toBeCloseTo(wins / (up.length * down.length), 12);
      }),
    );
    expect(() => auroc([1], [true, false])).toThrow('expected 2 scores');
    expect(() => auroc([Number.NaN, 1], [true, false])).toThrow('received NaN');
  });
});

describe('perplexity', () => {
  it('of a fair die is 6, however it is added up', () => {
    const roll = likelihoodOf(Array.from({ length: 10 }, () => Math.log(1 / 6)));
    expect(perplexity(roll)).toBeCloseTo(6, 10);
    expect(perplexity(addLikelihoods(roll, roll))).toBeCloseTo(6, 10);
    expect(bitsPerByte({ ...roll, bytes: 10 })).toBeCloseTo(Math.log2(6), 10);
    expect(() => perplexity({ nats: 0, tokens: 0 })).toThrow('expected tokens');
    expect(() => bitsPerByte(roll)).toThrow('expected bytes');
  });
});

describe('matches', () => {
  it('are whole or by token', () => {
    expect(
      corpusScore(
        exactMatch(),
        [' 42', 'no', 'Yes'],
        [
          ['42 ', 'yes', 'yes'],
          ['41', 'no', null],
        ],
      ).score.score,
    ).toBeCloseTo(200 / 3, 10);
    expect(corpusScore(exactMatch({ lowercase: true }), ['Yes'], [['yes']])).toMatchObject({
      score: { score: 100, verbose: '1 of 1' },
      signature: 'nrefs:1|case:lc|like:heddle',
    });
    // 2 of 3 places, then 1 of 2 for a token too many, then the better reference
    expect(
      corpusScore(
        tokenAccuracy(),
        ['a b c', 'a b', 'x y'],
        [
          ['a x c', 'a', 'a b'],
          [null, null, 'x b'],
        ],
      ).score.score,
    ).toBeCloseTo((100 * 4) / 7, 10);
    expect(corpusScore(tokenAccuracy(), [''], [['']]).score.score).toBe(0);
  });
});
