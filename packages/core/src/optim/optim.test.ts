import { describe, expect, it } from 'vitest';
import { f32, type HostTensor, type Types } from '../ir/types.js';
import { interpret } from '../backend/reference.js';
import { expandOps } from '../lower/expand-ops.js';
import { uniforms } from '../random/philox.js';
import { sizeOf } from '../ir/shape.js';
import { host } from '../tensor/evaluate.js';
import { trace } from '../tensor/trace.js';
import type { Tensor } from '../tensor/tensor.js';
import { adafactor, adam, adamW, clipByNorm, globalNorm, schedule, sgd, type Optimizer } from './index.js';

const steps = 8;
const rateAt = (step: number): number => 0.1 / (1 + step);

/** Runs an optimizer in the graph over fixed gradients. @returns the parameter after each step */
function inGraph(
  optimizer: Optimizer,
  shape: readonly number[],
  start: readonly number[],
  gradients: readonly (readonly number[])[],
): number[][] {
  const slots = Object.entries(optimizer.state(shape));
  const types: Types = {
    p: f32(...shape),
    g: f32(...shape),
    ...Object.fromEntries(slots.map(([n, s]) => [`s.${n}`, f32(...s.shape)])),
    ...Object.fromEntries(Object.keys(optimizer.scalars(1, 0)).map(n => [`c.${n}`, f32()])),
  };
  const take = (x: Readonly<Record<string, Tensor>>, prefix: string): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(x).flatMap(([n, t]) => (n.startsWith(prefix) ? [[n.slice(2), t]] : [])));
  const graph = expandOps(
    trace(types, x => {
      const next = optimizer.update({
        name: 'w',
        parameter: x['p']!,
        gradient: x['g']!,
        state: take(x, 's.'),
        scalars: take(x, 'c.'),
      });
      return { p: next.parameter, ...Object.fromEntries(Object.entries(next.state).map(([n, t]) => [`s.${n}`, t])) };
    }),
  );
  let state: Record<string, HostTensor> = {
    p: host(shape, start),
    ...Object.fromEntries(
      slots.map(([n, s]) => [`s.${n}`, host(s.shape, new Array<number>(sizeOf(s.shape)).fill(s.fill))]),
    ),
  };
  return gradients.map((g, i) => {
    const scalars = Object.fromEntries(
      Object.entries(optimizer.scalars(i + 1, rateAt(i))).map(([n, x]) => [`c.${n}`, host([], [x])]),
    );
    state = interpret(graph, { ...state, ...scalars, g: host(shape, g) }, 'f32');
    return [...state['p']!.data];
  });
}

const draw = uniforms(1, 1);
const numbers = (n: number): number[] => Array.from({ length: n }, () => 2 * draw() - 1);
const start = numbers(6);
const gradients = Array.from({ length: steps }, () => numbers(6));

/** One scalar at a time, as the papers write it. */
type Loop = (memory: Record<string, number>, p: number, g: number, t: number, rate: number) => number;
const scalarLoop = (rule: Loop): number[][] => {
  const p = [...start];
  const memory = start.map(() => ({}) as Record<string, number>);
  return gradients.map((g, i) => {
    p.forEach((x, c) => (p[c] = rule(memory[c]!, x, g[c]!, i + 1, rateAt(i))));
    return [...p];
  });
};
const close = (found: readonly (readonly number[])[], expected: readonly (readonly number[])[], digits = 5): void =>
  found.forEach((row, i) =>
    row.forEach((x, c) => expect(x, `step ${i + 1}, cell ${c}`).toBeCloseTo(expected[i]![c]!, digits)),
  );

const adamRule =
  ({ b1 = 0.9, b2 = 0.999, epsilon = 1e-8, decay = 0, coupled = false }): Loop =>
  (s, p, g, t, rate) => {
    const slope = coupled ? g + decay * p : g;
    s['m'] = b1 * (s['m'] ?? 0) + (1 - b1) * slope;
    s['v'] = b2 * (s['v'] ?? 0) + (1 - b2) * slope * slope;
    const from = coupled ? p : p - rate * decay * p;
    return from - (rate * (s['m'] / (1 - b1 ** t))) / (Math.sqrt(s['v'] / (1 - b2 ** t)) + epsilon);
  };
const sgdRule =
  ({ momentum = 0, nesterov = false, decay = 0 }): Loop =>
  (s, p, g, t, rate) => {
    const slope = g + decay * p;
    s['b'] = t === 1 ? slope : momentum * s['b']! + slope;
    return p - rate * (momentum === 0 ? slope : nesterov ? slope + momentum * s['b'] : s['b']);
  };

describe('optimizers against scalar loops', () => {
  const cases: readonly (readonly [string, Optimizer, Loop])[] = [
    ['sgd', sgd(), sgdRule({})],
    ['sgd with decay', sgd({ weightDecay: 0.1 }), sgdRule({ decay: 0.1 })],
    ['sgd with momentum', sgd({ momentum: 0.9, weightDecay: 0.01 }), sgdRule({ momentum: 0.9, decay: 0.01 })],
    ['sgd, Nesterov', sgd({ momentum: 0.8, nesterov: true }), sgdRule({ momentum: 0.8, nesterov: true })],
    ['adam', adam(), adamRule({})],
    [
      'adam with decay in the gradient',
      adam({ weightDecay: 0.1, betas: [0.8, 0.95], epsilon: 1e-3 }),
      adamRule({ decay: 0.1, coupled: true, b1: 0.8, b2: 0.95, epsilon: 1e-3 }),
    ],
    ['adamW', adamW({ weightDecay: 0.2 }), adamRule({ decay: 0.2 })],
  ];
  it.each(cases)('%s', (_name, optimizer, rule) => {
    close(inGraph(optimizer, [2, 3], start, gradients), scalarLoop(rule));
  });

  it('adamW leaves vectors undecayed by default, adam does not', () => {
    close(inGraph(adamW({ weightDecay: 0.2 }), [6], start, gradients), scalarLoop(adamRule({})));
    close(
      inGraph(adam({ weightDecay: 0.2 }), [6], start, gradients),
      scalarLoop(adamRule({ decay: 0.2, coupled: true })),
    );
    close(
      inGraph(adamW({ weightDecay: 0.2, decays: () => true }), [6], start, gradients),
      scalarLoop(adamRule({ decay: 0.2 })),
    );
  });

  const rms = (x: readonly number[]): number => Math.sqrt(x.reduce((n, v) => n + v * v, 0) / x.length);
  /** Adafactor of a matrix [2, 3], or of a vector of 6, with rows and columns written out. */
  function adafactorLoop(
    matrix: boolean,
    { scale = true, relative = false, warm = false, beta = null as number | null, decay = 0, clip = 1 },
  ): number[][] {
    const p = [...start];
    const [row, column] = [
      [0, 0],
      [0, 0, 0],
    ];
    const v = new Array<number>(6).fill(0);
    const m = new Array<number>(6).fill(0);
    return gradients.map((g, i) => {
      const t = i + 1;
      const keep = 1 - t ** -0.8;
      const base = relative ? Math.min(warm ? 1e-6 * t : 1e-2, 1 / Math.sqrt(t)) : rateAt(i);
      const rate = scale ? base * Math.max(1e-3, rms(p)) : base;
      const squared = g.map(x => x * x + 1e-30);
      for (let r = 0; r < 2; r++)
        row[r] = keep * row[r]! + (1 - keep) * ((squared[3 * r]! + squared[3 * r + 1]! + squared[3 * r + 2]!) / 3);
      for (let c = 0; c < 3; c++) column[c] = keep * column[c]! + (1 - keep) * ((squared[c]! + squared[3 + c]!) / 2);
      squared.forEach((s, c) => (v[c] = keep * v[c]! + (1 - keep) * s));
      const second = (c: number): number =>
        matrix ? (row[Math.floor(c / 3)]! * column[c % 3]!) / ((row[0]! + row[1]!) / 2) : v[c]!;
      const raw = g.map((x, c) => x / Math.sqrt(second(c)));
      const cut = Math.max(1, rms(raw) / clip);
      const update = raw.map((u, c) => {
        const step = (rate * u) / cut;
        if (beta === null) return step;
        m[c] = beta * m[c]! + (1 - beta) * step;
        return m[c];
      });
      p.forEach((x, c) => (p[c] = x - decay * rate * x - update[c]!));
      return [...p];
    });
  }
  it.each([
    ['plain', { scaleParameter: false }, { scale: false }],
    ['scaled by the parameter', {}, {}],
    ['relative steps', { relativeStep: true }, { relative: true }],
    ['relative steps with warm-up', { relativeStep: true, warmUp: true }, { relative: true, warm: true }],
    [
      'momentum, decay and a low clip',
      { momentum: 0.9, weightDecay: 0.05, clip: 0.5 },
      { beta: 0.9, decay: 0.05, clip: 0.5 },
    ],
  ])('adafactor, %s', (_name, options, expected) => {
    close(inGraph(adafactor(options), [2, 3], start, gradients), adafactorLoop(true, expected));
    close(inGraph(adafactor(options), [6], start, gradients), adafactorLoop(false, expected));
  });

  it('adafactor keeps one row and one column of a matrix', () => {
    expect(adafactor().state([5, 2, 3])).toEqual({
      row: { shape: [5, 2], fill: 0 },
      column: { shape: [5, 3], fill: 0 },
    });
    expect(adafactor({ momentum: 0.9 }).state([4])).toEqual({ v: { shape: [4], fill: 0 }, m: { shape: [4], fill: 0 } });
  });
});

describe('clipping', () => {
  const run = (limit: number, g: readonly number[]) =>
    interpret(
      trace({ a: f32(2), b: f32(1) }, ({ a, b }) => {
        const {
          gradients: [x, y],
          norm,
        } = clipByNorm([a, b], limit);
        return { x: x!, y: y!, norm, same: globalNorm([a, b]) };
      }),
      { a: host([2], g.slice(0, 2)), b: host([1], g.slice(2)) },
      'f32',
    );
  it('scales to the limit only what exceeds it, all by one factor', () => {
    const cut = run(1, [2, 3, 6]);
    expect(cut['norm']!.data[0]).toBe(7);
    expect(cut['same']!.data[0]).toBe(7);
    expect([...cut['x']!.data, ...cut['y']!.data].map(v => Number(v.toFixed(5)))).toEqual([0.28571, 0.42857, 0.85714]);
    const left = run(8, [2, 3, 6]);
    expect([...left['x']!.data, ...left['y']!.data]).toEqual([2, 3, 6]);
  });
  it('leaves zeros zero', () => {
    expect([...run(1, [0, 0, 0])['x']!.data]).toEqual([0, 0]);
  });
});

describe('schedules', () => {
  it('warm up in a straight line and then do what their name says', () => {
    expect([0, 5, 10, 99].map(schedule.constant(2, { warmUp: 10 }))).toEqual([0, 1, 2, 2]);
    expect([0, 5, 10, 60, 110, 999].map(schedule.linear(2, { warmUp: 10, total: 110 }))).toEqual([0, 1, 2, 1, 0, 0]);
    const cosine = schedule.cosine(2, { warmUp: 10, total: 110, least: 1 });
    expect([0, 5, 10, 60, 110, 999].map(s => Number(cosine(s).toFixed(12)))).toEqual([0, 1, 2, 1.5, 1, 1]);
    expect([0, 50, 100, 400].map(schedule.inverseSqrt(2, { warmUp: 100, start: 1 }))).toEqual([1, 1.5, 2, 1]);
    const noam = schedule.noam(4, { warmUp: 100 });
    expect(noam(0)).toBe(noam(1));
    expect(noam(100)).toBeCloseTo(0.05, 12);
    expect(noam(400)).toBeCloseTo(0.025, 12);
    const annealing = schedule.cosineAnnealing(2, { period: 10, least: 1 });
    expect([0, 5, 10, 20].map(s => Number(annealing(s).toFixed(12)))).toEqual([2, 1.5, 1, 2]);
  });
  it('never jump: the largest rate is the one asked for', () => {
    for (const make of [
      schedule.constant(1, { warmUp: 7 }),
      schedule.linear(1, { warmUp: 7, total: 50 }),
      schedule.cosine(1, { warmUp: 7, total: 50 }),
      schedule.inverseSqrt(1, { warmUp: 7 }),
    ]) {
      const rates = Array.from({ length: 60 }, (_, s) => make(s));
      expect(Math.max(...rates)).toBe(1);
      rates.slice(1).forEach((r, i) => expect(Math.abs(r - rates[i]!)).toBeLessThan(0.15));
    }
  });
  it('refuse what is no number of steps', () => {
    const config = expect.objectContaining({ code: 'E_CONFIG' });
    expect(() => schedule.constant(1, { warmUp: -1 })).toThrow(config);
    expect(() => schedule.linear(1, { total: NaN })).toThrow(config);
    expect(() => schedule.cosine(1, { total: Infinity })).toThrow(config);
    expect(() => schedule.inverseSqrt(1, { warmUp: 0 })).toThrow(config);
  });
});
