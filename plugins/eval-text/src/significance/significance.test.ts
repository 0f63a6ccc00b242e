import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statisticsOf } from '../corpus.js';
import { maskedBelow, pythonBelow, pythonTwister, twister } from '../random/mt19937.js';
import { pcg64 } from '../random/pcg64.js';
import { sacrebleu } from '../testing/sacrebleu.js';
import { bleu } from '../translation/bleu.js';
import { chrf } from '../translation/chrf.js';
import { ter } from '../translation/ter.js';
import { bootstrap, pairedTest } from './paired.js';
import { drawResamples, intervalOf, resampledScores } from './resamples.js';

const draw = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

describe('random numbers', () => {
  it("are NumPy's default_rng's", () => {
    // numpy.random.default_rng(12345).choice(100, size=10)
    const generator = pcg64(12345);
    expect(draw(10, () => generator.below(100))).toEqual([69, 22, 78, 31, 20, 79, 64, 67, 98, 39]);
    // numpy.random.default_rng(2**40 + 5).choice(2737, size=6), then .integers(2, size=70, dtype=bool)
    const other = pcg64(2 ** 40 + 5);
    expect(draw(6, () => other.below(2737))).toEqual([38, 12, 1231, 1019, 2506, 1607]);
    expect([...other.coins(40)].join('')).toBe('0001100010101110100000100110011111011001');
  });

  it('follow the state of 128 bits, block after block', () => {
    // O'Neill 2014, in whole numbers; the seed's state and increment are those that numpy.random.PCG64(1).state shows.
    const mask = (1n << 128n) - 1n;
    let state = 207833532711051698738587646355624148094n;
    const increment = 194290289479364712180083596243593368443n;
    const generator = pcg64(1);
    for (let i = 0; i < 1_000; i++) {
      state = (state * 0x2360ed051fc65da44385df649fccf645n + increment) & mask;
      const folded = (state >> 64n) ^ (state & 0xffffffffffffffffn);
      const by = state >> 122n;
      const word = ((folded >> by) | (folded << (64n - by))) & 0xffffffffffffffffn;
      expect([generator.uint32(), generator.uint32()]).toEqual([Number(word & 0xffffffffn), Number(word >> 32n)]);
    }
  });

  it("are NumPy's legacy ones and Python's", () => {
    const legacy = twister(123); // numpy.random.seed(123); numpy.random.choice(np.arange(7), size=20)
    expect(draw(20, () => maskedBelow(legacy, 7))).toEqual([
      6, 5, 6, 2, 4, 2, 6, 1, 3, 2, 3, 1, 6, 1, 0, 1, 6, 1, 0, 6,
    ]);
    const python = pythonTwister(101); // random.seed(101); random.randint(0, 3)
    expect(draw(20, () => pythonBelow(python, 4))).toEqual([
      1, 2, 3, 0, 1, 1, 2, 3, 1, 2, 3, 0, 2, 1, 1, 0, 3, 2, 1, 3,
    ]);
  });

  it('stay below their limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.integer({ min: 0, max: 2 ** 53 - 1 }), (limit, seed) => {
        const generator = pcg64(seed);
        for (let i = 0; i < 20; i++) expect(generator.below(limit)).toBeLessThan(limit);
      }),
    );
    expect(() => pcg64(-1)).toThrow('whole number from 0');
    expect(() => pcg64(1.5)).toThrow('whole number from 0');
  });
});

const { hypotheses, others, references, paired } = sacrebleu;
const systems = [
  { name: 'A', hypotheses },
  { name: 'B', hypotheses: others },
];

describe.each([
  ['bs', { test: 'bootstrap', samples: 200 }],
  ['ar', { test: 'randomisation', samples: 300, intervals: 100 }],
] as const)("sacreBLEU's paired test %s", (kind, options) => {
  it.each(
    pairedTest([bleu(), chrf(), ter()], systems, references, options).map(table => [table.metric, table] as const),
  )('by %s', (metric, table) => {
    const expected = paired[kind][metric]!;
    expect(table.signature).toBe(expected.signature);
    for (const [i, { score, p, interval }] of table.results.entries()) {
      const one = expected.results[i]!;
      expect(score.score).toBeCloseTo(one.score, 10);
      expect(p).toBe(one.p);
      expect(interval!.mean).toBeCloseTo(one.mean, 9);
      expect(interval!.halfWidth).toBeCloseTo(one.halfWidth, 9);
    }
  });
});

describe('a test of differences', () => {
  it('finds a gap that is there, and none between a system and its shuffled twin', () => {
    const next = pcg64(1);
    const vocabulary = Array.from({ length: 50 }, (_, i) => `w${i}`);
    const reference = Array.from({ length: 120 }, () =>
      draw(12, () => next.below(50))
        .map(i => vocabulary[i]!)
        .join(' '),
    );
    const spoiled = (share: number): string[] =>
      reference.map(text =>
        text
          .split(' ')
          .map(word => (next.below(1000) < share * 1000 ? 'x' : word))
          .join(' '),
      );
    const [good, alike, bad] = [spoiled(0.2), spoiled(0.2), spoiled(0.4)];
    for (const test of ['bootstrap', 'randomisation'] as const) {
      const [table] = pairedTest(
        [chrf()],
        [
          { name: 'good', hypotheses: good },
          { name: 'alike', hypotheses: alike },
          { name: 'bad', hypotheses: bad },
        ],
        [reference],
        { test, samples: 500 },
      );
      expect(table!.results[0]!.p).toBeNull();
      expect(table!.results[1]!.p!).toBeGreaterThan(0.05);
      expect(table!.results[2]!.p!).toBeLessThan(0.01);
    }
  });

  it('gives the same for the same seed, and an interval around the score', () => {
    const [statistics] = statisticsOf(bleu(), [hypotheses], references);
    const { score, interval } = bootstrap(bleu(), statistics!, { samples: 500, seed: 7 });
    expect(bootstrap(bleu(), statistics!, { samples: 500, seed: 7 }).interval).toEqual(interval);
    expect(Math.abs(interval.mean - score.score)).toBeLessThan(interval.halfWidth);
  });

  it('cuts a fortieth off either end of the interval', () => {
    expect(intervalOf(Array.from({ length: 41 }, (_, i) => i))).toEqual({ mean: 20, halfWidth: 19 });
  });

  it('refuses one system, and numbers that make no sense', () => {
    expect(() => pairedTest([bleu()], systems.slice(0, 1), references)).toThrow('a baseline and a system');
    expect(() => pairedTest([bleu()], systems, references, { samples: 0 })).toThrow('samples: expected');
  });
});

describe('resamples', () => {
  /** A metric whose score tells every sum. */
  const told = (width: number) => {
    const seen: number[][] = [];
    return {
      seen,
      metric: {
        ...bleu(),
        width,
        single: false,
        score: (sums: ArrayLike<number>) => ({
          ...bleu().score(Array(10).fill(1)),
          score: seen.push(Array.from(sums)),
        }),
      },
    };
  };

  it('add up what was drawn, as often as it was drawn', () => {
    const values = fc.oneof(fc.nat(40), fc.nat(2 ** 20), fc.integer(), fc.constantFrom(0.5, 1.25));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 11 }),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(1_000),
        fc.infiniteStream(values),
        fc.boolean(),
        (width, segments, seed, stream, small) => {
          const data = Float64Array.from([...stream.take(width * segments)], x =>
            small ? Math.abs(Math.trunc(x)) % 50 : x,
          );
          const resamples = drawResamples(pcg64(seed), 5, segments);
          const { seen, metric } = told(width);
          resampledScores(metric, { data, width, segments }, resamples);
          const expected = Array.from({ length: 5 }, (_, sample) =>
            Array.from({ length: width }, (_, k) =>
              resamples.draws
                .subarray(sample * segments, (sample + 1) * segments)
                .reduce((sum, row) => sum + data[row * width + k]!, 0),
            ),
          );
          expect(seen).toEqual(expected);
        },
      ),
    );
  });
});
