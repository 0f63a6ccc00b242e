import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corpusScore, documentScores, segmentScores, sentenceScore, statisticsOf, sumOf } from '../corpus.js';
import { formatScore } from '../format.js';
import type { CorpusMetric } from '../metric.js';
import { sacrebleu } from '../testing/sacrebleu.js';
import { words } from '../text/whitespace.js';
import { bleu, bleuFromCounts } from './bleu.js';
import { chrf } from './chrf.js';
import { translationEdits } from './shifts.js';
import { ter } from './ter.js';

const metrics: Readonly<Record<string, CorpusMetric>> = {
  bleu: bleu(),
  'bleu floor': bleu({ smooth: 'floor' }),
  'bleu add-k': bleu({ smooth: 'add-k', smoothValue: 0.5 }),
  'bleu none': bleu({ smooth: 'none' }),
  'bleu lc order 2': bleu({ lowercase: true, maxOrder: 2, tokenize: 'none' }),
  chrf: chrf(),
  'chrf++': chrf({ wordOrder: 2 }),
  'chrf eps': chrf({ epsSmoothing: true, whitespace: true, beta: 3 }),
  ter: ter(),
  'ter normalized': ter({ normalized: true }),
};
const { hypotheses, references, others } = sacrebleu;

describe("sacreBLEU's numbers, lines and signatures", () => {
  it.each(sacrebleu.corpus.map(row => [row.metric, row.references, row] as const))(
    '%s with %d references',
    (name, count, row) => {
      const { score, signature } = corpusScore(metrics[name]!, hypotheses, references.slice(0, count));
      expect(score.score).toBeCloseTo(row.score, 10);
      expect(formatScore(score)).toBe(row.formatted);
      expect(signature).toBe(row.signature);
    },
  );

  it('of single sentences', () => {
    for (const [i, expected] of sacrebleu.sentences.entries()) {
      const pair = [hypotheses[i]!, [references[0]![i]!]] as const;
      expect(sentenceScore(bleu({ effectiveOrder: true }), ...pair).score).toBeCloseTo(expected.bleu, 10);
      expect(sentenceScore(chrf(), ...pair).score).toBeCloseTo(expected.chrf, 10);
      expect(sentenceScore(ter(), ...pair).score).toBeCloseTo(expected.ter, 10);
    }
  });
});

const token = fc.constantFrom('a', 'b', 'c', 'd', 'e.', 'f,', 'Gé', '织机');
const sentence = fc.array(token, { maxLength: 12 }).map(all => all.join(' '));

/** Counts by joined strings: another way to the same numbers. */
function naiveMatches(hypothesis: readonly string[], refs: readonly (readonly string[])[], n: number): number {
  const count = (symbols: readonly string[]): Map<string, number> => {
    const found = new Map<string, number>();
    for (let i = 0; i + n <= symbols.length; i++) {
      const key = symbols.slice(i, i + n).join('\n');
      found.set(key, (found.get(key) ?? 0) + 1);
    }
    return found;
  };
  const clips = refs.map(count);
  return [...count(hypothesis)].reduce(
    (sum, [key, times]) => sum + Math.min(times, Math.max(...clips.map(clip => clip.get(key) ?? 0))),
    0,
  );
}

describe('n-grams', () => {
  it('of BLEU are counted as by strings', () => {
    fc.assert(
      fc.property(sentence, fc.array(sentence, { minLength: 1, maxLength: 3 }), (hypothesis, refs) => {
        const { counts, totals } = sentenceScore(bleu({ tokenize: 'none' }), hypothesis, refs);
        const own = words(hypothesis);
        expect(counts).toEqual([1, 2, 3, 4].map(n => naiveMatches(own, refs.map(words), n)));
        expect(totals).toEqual([0, 1, 2, 3].map(n => Math.max(0, own.length - n)));
      }),
    );
  });

  it('of chrF are counted as by strings', () => {
    fc.assert(
      fc.property(sentence, sentence, (hypothesis, reference) => {
        const [statistics] = statisticsOf(chrf(), [[hypothesis]], [[reference]]);
        const [a, b] = [hypothesis, reference].map(text => [...words(text).join('')]) as [string[], string[]];
        for (let n = 1; n <= 6; n++) expect(statistics!.data[3 * n - 1]).toBe(naiveMatches(a, [b], n));
      }),
    );
  });
});

describe('every metric', () => {
  it.each(Object.entries(metrics))('%s is best where the output is the reference', (_, metric) => {
    const text = [
      'The weaver lifts the warp , and then the shuttle flies .',
      'A second one of more than six words stands here .',
    ];
    const { score } = corpusScore(metric, text, [text]).score;
    expect(score).toBeCloseTo(metric.higherIsBetter ? 100 : 0, 9);
  });

  it.each(Object.entries(metrics))('%s adds up, whatever the order and the groups', (_, metric) => {
    const [all] = statisticsOf(metric, [hypotheses], references);
    const backwards = metric.score(sumOf(all!, [5, 4, 3, 2, 1, 0])).score;
    expect(backwards).toBeCloseTo(metric.score(sumOf(all!)).score, 10);
    const documents = documentScores(metric, all!, ['a', 'b', 'a', 'b', 'a', 'b']);
    expect([...documents.keys()]).toEqual(['a', 'b']);
    expect(documents.get('b')!.score).toBeCloseTo(
      corpusScore(
        metric,
        [1, 3, 5].map(i => hypotheses[i]!),
        references.map(stream => [1, 3, 5].map(i => stream[i]!)),
      ).score.score,
      10,
    );
    expect(segmentScores(metric, all!)).toHaveLength(6);
  });
});

describe('TER', () => {
  const levenshtein = (a: readonly number[], b: readonly number[]): number => {
    let row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (const [i, x] of a.entries()) {
      const next = [i + 1];
      for (const [j, y] of b.entries()) next.push(Math.min(row[j]! + (x === y ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
      row = next;
    }
    return row.at(-1)!;
  };
  const numbers = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 20 });

  it('never needs more edits than without shifts, nor fewer than lengths and words ask', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const edits = translationEdits(Int32Array.from(a), Int32Array.from(b));
        expect(edits).toBeLessThanOrEqual(levenshtein(a, b));
        const missing = [0, 1, 2, 3, 4].reduce(
          (sum, x) => sum + Math.max(0, b.filter(y => y === x).length - a.filter(y => y === x).length),
          0,
        );
        expect(edits).toBeGreaterThanOrEqual(Math.max(Math.abs(a.length - b.length), missing));
      }),
    );
  });

  it('counts a moved block as one edit', () => {
    expect(sentenceScore(ter(), 'd e f g h a b c', ['a b c d e f g h']).edits).toBe(1);
    expect(sentenceScore(ter(), 'a', ['']).score).toBe(100);
    expect(sentenceScore(ter(), '', ['']).score).toBe(0);
    expect(sentenceScore(ter(), '', ['a b c']).edits).toBe(3);
  });

  it('reads texts far longer than its band', () => {
    const long = Array.from({ length: 3000 }, (_, i) => `w${i % 7}`);
    expect(sentenceScore(ter(), long.slice(100).join(' '), [long.join(' ')]).edits).toBeGreaterThanOrEqual(100);
  });
});

describe('what makes no sense is refused', () => {
  it.each([
    ['E_ALIGN', () => corpusScore(bleu(), ['a'], [['a', 'b']])],
    ['E_REFERENCE', () => corpusScore(bleu(), ['a'], [])],
    ['E_REFERENCE', () => corpusScore(bleu(), ['a'], [[null], [null]])],
    ['E_CONFIG', () => bleu({ maxOrder: 0 })],
    ['E_CONFIG', () => bleu({ smooth: 'toString' as 'exp' })],
    ['E_CONFIG', () => bleu({ smooth: 'floor', smoothValue: -1 })],
    ['E_CONFIG', () => chrf({ charOrder: 0 })],
    ['E_CONFIG', () => chrf({ beta: 1.5 })],
    ['E_ALIGN', () => documentScores(bleu(), statisticsOf(bleu(), [['a']], [['a']])[0]!, [])],
  ])('%s', (code, act) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });

  it('but a missing reference is not: others count', () => {
    expect(corpusScore(chrf(), ['warp'], [[null], ['warp']]).score.score).toBe(100);
    expect(others).toHaveLength(6);
  });

  it('and BLEU without a match is 0 whatever the smoothing', () => {
    for (const smooth of ['none', 'floor', 'add-k', 'exp'] as const)
      expect(
        bleuFromCounts({ counts: [0, 0, 0, 0], totals: [4, 3, 2, 1], systemLength: 4, referenceLength: 4 }, { smooth })
          .score,
      ).toBe(0);
  });
});
