import { evaluateAll, grad, host, isHeddleError, type HostTensor } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advantagesOf,
  generalised,
  groupCentred,
  groupNormalised,
  informative,
  leaveOneOut,
  lengthWeighted,
  reinforcePlusPlus,
  reinforcePlusPlusBaseline,
  returnsOf,
  whiten,
} from './advantage.js';
import { aggregations, type Aggregation } from './aggregate.js';
import { klEstimators } from './kl.js';
import { tokenLogProbabilities } from './log-probabilities.js';
import { policyObjective } from './objective.js';
import { lossConfig, lossPresets, type LossOptions } from './options.js';

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const rewards = fc.array(real(-3, 3), { minLength: 2, maxLength: 9 });
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('advantages', () => {
  it('are exactly zero for equal rewards', () => {
    for (const advantage of [groupNormalised(), groupCentred, leaveOneOut])
      for (const size of [2, 3, 8, 16]) expect(new Set(advantage(Array(size).fill(1.2)))).toEqual(new Set([0]));
    expect(lengthWeighted([1.2, 1.2, 1.2], [3, 7, 1])).toEqual([0, 0, 0]);
  });

  it('of a group have mean 0 and deviation 1, wherever the rewards lie', () => {
    fc.assert(
      fc.property(rewards, real(-5, 5), real(0.5, 4), (values, shift, scale) => {
        fc.pre(Math.max(...values) - Math.min(...values) > 0.1);
        const found = groupNormalised(0)(values);
        expect(sum(found)).toBeCloseTo(0, 9);
        expect(sum(found.map(x => x * x))).toBeCloseTo(values.length - 1, 9);
        const moved = groupNormalised(0)(values.map(x => x * scale + shift));
        found.forEach((x, i) => expect(moved[i]).toBeCloseTo(x, 6));
      }),
    );
  });

  it('by leaving one out measure against the mean of the others', () => {
    fc.assert(
      fc.property(rewards, values => {
        leaveOneOut(values).forEach((found, i) => {
          const others = values.filter((_, j) => j !== i);
          expect(found).toBeCloseTo(values[i]! - sum(others) / others.length, 9);
        });
      }),
    );
  });

  it('leave out what has no reward, and keep groups apart', () => {
    expect(advantagesOf([1, null, 3, 10, 20], ['a', 'a', 'a', 'b', 'b'], groupCentred)).toEqual([-1, null, 1, -5, 5]);
    expect(advantagesOf([null, null], [0, 0], groupNormalised())).toEqual([null, null]);
    expect(informative([1, 1, 0, 1, null, 1], [0, 0, 1, 1, 2, 2])).toEqual([[2, 3]]);
  });

  it('of the least variance have a mean of zero over tokens', () => {
    const [values, lengths] = [
      [1, 0, 0.5],
      [2, 5, 3],
    ];
    expect(sum(lengthWeighted(values!, lengths!).map((x, i) => x * lengths![i]!))).toBeCloseTo(0, 12);
  });

  it('of tokens are what the sums say', () => {
    const mask = [
      [1, 1, 1, 0],
      [1, 1, 0, 0],
    ];
    const given = [
      [0.5, -1, 2, 9],
      [0, 1, 9, 9],
    ];
    const gamma = 0.9;
    const counted = given.map((row, b) => row.map((x, t) => x * mask[b]![t]!));
    const expected = counted.map((row, b) =>
      row.map((_, t) => (mask[b]![t]! > 0 ? sum(row.slice(t).map((x, k) => x * gamma ** k)) : 0)),
    );
    const found = returnsOf(given, mask, gamma);
    for (const [b, row] of expected.entries())
      for (const [t, x] of row.entries()) if (mask[b]![t]) expect(found[b]![t]).toBeCloseTo(x, 12);
    for (const rows of [
      reinforcePlusPlus(given, mask, gamma).advantages,
      reinforcePlusPlusBaseline([1, 0], [0, 0], mask),
      whiten(given, mask),
    ]) {
      expect(sum(rows.flat())).toBeCloseTo(0, 6);
      expect(sum(rows.flat().map(x => x * x))).toBeCloseTo(sum(mask.flat()) - 1, 5);
    }
  });

  it('with a critic weigh temporal differences by gamma lambda', () => {
    const [r, v] = [
      [0.1, -0.4, 0.8],
      [0.3, 0.2, -0.5],
    ] as const;
    const { gamma, lambda } = { gamma: 0.95, lambda: 0.8 };
    const delta = r.map((x, t) => x + gamma * (v[t + 1] ?? 0) - v[t]!);
    const raw = delta.map((_, t) => sum(delta.slice(t).map((x, k) => x * (gamma * lambda) ** k)));
    const { returns } = generalised([r], [v], [[1, 1, 1]], { gamma, lambda });
    raw.forEach((x, t) => expect(returns[0]![t]).toBeCloseTo(x + v[t]!, 12));
  });
});

describe('KL estimators', () => {
  // Gaps stay below 2, so that k3's cap at 10 is not met.
  it('k1 and k3 are right on average, k3 and k2 never negative', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(real(-0.5, 0.5), real(-0.5, 0.5)), { minLength: 2, maxLength: 6 }), logits => {
        const normal = (column: 0 | 1): readonly number[] => {
          const total = Math.log(sum(logits.map(pair => Math.exp(pair[column]))));
          return logits.map(pair => pair[column] - total);
        };
        const [p, q] = [normal(0), normal(1)];
        const exact = sum(p.map((x, i) => Math.exp(x) * (x - q[i]!)));
        const found = evaluateAll(
          (a, b) => Object.fromEntries(Object.entries(klEstimators).map(([name, kl]) => [name, kl(a!, b!)])),
          [host([1, p.length], p), host([1, q.length], q)],
        );
        for (const name of ['k1', 'k3'])
          expect(sum(p.map((x, i) => Math.exp(x) * found[name]!.data[i]!))).toBeCloseTo(exact, 4);
        for (const name of ['k2', 'k3', 'abs']) expect(Math.min(...found[name]!.data)).toBeGreaterThan(-1e-6);
      }),
    );
  });
});

/** Tokens of B sequences with their lengths. */
const batch = fc
  .array(
    fc.record({
      length: fc.integer({ min: 0, max: 4 }),
      tokens: fc.array(fc.tuple(real(-3, -0.1), real(-3, -0.1), real(-2, 2)), { minLength: 4, maxLength: 4 }),
    }),
    { minLength: 2, maxLength: 5 },
  )
  .filter(rows => rows.some(({ length }) => length > 0));
type Batch = readonly { readonly length: number; readonly tokens: readonly (readonly [number, number, number])[] }[];

const tensorsOf = (rows: Batch): readonly HostTensor[] => [
  ...[0, 1, 2].map(k =>
    host(
      [rows.length, 4],
      rows.flatMap(({ tokens }) => tokens.map(token => token[k]!)),
    ),
  ),
  host(
    [rows.length, 4],
    rows.flatMap(({ length }) => [0, 1, 2, 3].map(t => (t < length ? 1 : 0))),
  ),
];

const run = (rows: Batch, options: LossOptions) =>
  evaluateAll((policy, old, advantages, mask) => {
    const { sum: total, count } = policyObjective(
      { policy: policy!, old: old!, advantages: advantages!, mask: mask!, reference: old!, entropy: policy!.neg() },
      lossConfig(options),
    );
    return { sum: total, count, gradient: grad(total, [policy!])[0]! };
  }, tensorsOf(rows));

describe('the objective', () => {
  it("of clipped tokens is PPO's, token by token", () => {
    fc.assert(
      fc.property(batch, rows => {
        const [clipLow, clipHigh, dualClip] = [0.2, 0.28, 3];
        const each = rows.flatMap(({ length, tokens }) =>
          tokens.slice(0, length).map(([policy, old, a]) => {
            const ratio = Math.exp(policy - old);
            const held = Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh);
            const gain = Math.min(ratio * a, held * a);
            return -(a < 0 ? Math.max(gain, dualClip * a) : gain);
          }),
        );
        const found = run(rows, { clipLow, clipHigh, dualClip });
        expect(found['sum']!.data[0]).toBeCloseTo(sum(each), 4);
        expect(found['count']!.data[0]).toBe(each.length);
      }),
    );
  });

  it('adds up over parts of a batch, by every aggregation that divides by its own', () => {
    const modes = aggregations.filter(mode => mode !== 'batch-sum-norm');
    fc.assert(
      fc.property(batch, fc.constantFrom<Aggregation>(...modes), (rows, aggregation) => {
        const parts = rows.map(row => run([row], { aggregation }));
        const whole = run(rows, { aggregation });
        for (const name of ['sum', 'count'])
          expect(sum(parts.map(part => part[name]!.data[0]!))).toBeCloseTo(whole[name]!.data[0]!, 4);
      }),
    );
  });

  it('of every choice has gradients by finite differences, none from tokens that do not count', () => {
    const rows: Batch = [
      {
        length: 3,
        tokens: [
          [-1.2, -1.3, 0.7],
          [-0.4, -0.45, 0.7],
          [-2, -1.9, 0.7],
          [-1, -3, 0.7],
        ],
      },
      {
        length: 2,
        tokens: [
          [-0.8, -0.7, -1.1],
          [-1.5, -1.55, -1.1],
          [-1, -3, -1.1],
          [-1, -3, -1.1],
        ],
      },
    ];
    const choices: readonly LossOptions[] = [
      {},
      { loss: 'sapo' },
      { loss: 'gradient' },
      { loss: 'gmpo', aggregation: 'seq-mean-token-mean' },
      { kl: 'loss', klWeight: 0.1 },
      { entropyWeight: 0.1 },
    ];
    for (const options of choices) {
      const gradient = run(rows, options)['gradient']!.data;
      for (const [b, row] of rows.entries())
        for (let t = 0; t < 4; t++) {
          const step = 1e-2;
          const moved = (by: number): number =>
            run(
              rows.map((r, i) =>
                i === b
                  ? { ...r, tokens: r.tokens.map((x, k) => (k === t ? [x[0] + by, x[1], x[2]] : x) as never) }
                  : r,
              ),
              options,
            )['sum']!.data[0]!;
          if (t >= row.length) expect(Math.abs(gradient[b * 4 + t]!)).toBe(0);
          else
            expect(gradient[b * 4 + t], `${JSON.stringify(options)} ${b} ${t}`).toBeCloseTo(
              (moved(step) - moved(-step)) / (2 * step),
              2,
            );
        }
    }
  });

  it('of sequences keeps or drops them whole', () => {
    const good: Batch = [
      {
        length: 2,
        tokens: [
          [-1, -1.5, 1],
          [-1, -0.9, 1],
          [0, 0, 0],
          [0, 0, 0],
        ],
      },
    ];
    const options: LossOptions = { loss: 'gspo', aggregation: 'seq-mean-token-mean', clipLow: 0.1 };
    // The sequence's ratio is exp(0.2): clipped at 1.1, not at 1.3.
    expect([...run(good, { ...options, clipHigh: 0.1 })['gradient']!.data]).toEqual([0, 0, 0, 0]);
    const [a, b] = run(good, { ...options, clipHigh: 0.3 })['gradient']!.data;
    expect(a).toBeCloseTo(-Math.exp(0.2) / 2, 5);
    expect(b).toBeCloseTo(a!, 6);
  });

  it('of weights clips them and keeps every gradient', () => {
    const rows: Batch = [
      {
        length: 2,
        tokens: [
          [-1, -3, 1],
          [-1, -1, -2],
          [0, 0, 0],
          [0, 0, 0],
        ],
      },
    ];
    const found = run(rows, { loss: 'cispo' })['gradient']!.data;
    [-1.2, 2, 0, 0].forEach((x, t) => expect(found[t]).toBeCloseTo(x, 5));
  });
});

describe('log-probabilities and entropy', () => {
  it('are those of the softmax at a temperature', () => {
    const logits = [1, -0.5, 0.25, 2];
    const p = logits.map(x => Math.exp(x / 0.7));
    const normal = p.map(x => x / sum(p));
    const found = evaluateAll(
      (x, t) => ({ ...tokenLogProbabilities(x!, t!, 0.7) }),
      [host([1, 4], logits), host([1], [2], 'i32')],
    );
    expect(found['logp']!.data[0]).toBeCloseTo(Math.log(normal[2]!), 5);
    expect(found['entropy']!.data[0]).toBeCloseTo(-sum(normal.map(x => x * Math.log(x))), 5);
  });
});

describe('options', () => {
  const refused = (options: LossOptions): string => {
    try {
      lossConfig(options);
    } catch (error) {
      if (isHeddleError(error)) return `${error.code} ${String(error.details['name'])}`;
      throw error;
    }
    return 'accepted';
  };

  it('of every preset go together', () => {
    for (const preset of Object.keys(lossPresets) as (keyof typeof lossPresets)[])
      expect(refused({ preset }), preset).toBe('accepted');
    expect(lossConfig({ preset: 'parallel-r1', clipHigh: 0.28 })).toMatchObject({
      dualClip: 3,
      clipHigh: 0.28,
      kl: 'off',
    });
  });

  it.each<[LossOptions, string]>([
    [{ clipLow: 1 }, 'clipLow'],
    [{ clipHigh: Number.NaN }, 'clipHigh'],
    [{ dualClip: 1 }, 'dualClip'],
    [{ preset: 'gspo', dualClip: 3 }, 'dualClip'],
    [{ preset: 'gspo', aggregation: 'token-mean' }, 'aggregation'],
    [{ preset: 'rloo', stepsPerBatch: 2 }, 'stepsPerBatch'],
    [{ groupSize: 1 }, 'groupSize'],
    [{ preset: 'reinforce++', dynamicSampling: true }, 'dynamicSampling'],
    [{ klWeight: 0.1 }, 'klWeight'],
    [{ kl: 'loss' }, 'klWeight'],
    [{ kl: 'loss', klWeight: 0.1, klEstimator: 'k1' }, 'klEstimator'],
    [{ kl: 'reward', klWeight: 0.1 }, 'kl'],
    [{ loss: 'ppo' as never }, 'loss'],
    [{ preset: 'toString' as never }, 'preset'],
    [{ cliphigh: 0.2 } as never, 'options'],
    [{ temperature: 0 }, 'temperature'],
  ])('%j are refused by name', (options, name) => {
    expect(refused(options)).toBe(`E_CONFIG ${name}`);
  });
});
