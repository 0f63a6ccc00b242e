import { describe, expect, it } from 'vitest';
import { checkGradient } from '../../testing/gradient.js';
import { constant, type Tensor } from '../tensor.js';
import {
  argmax,
  attend,
  causalMask,
  convolve,
  cumsum,
  gelu,
  layerNorm,
  logProbability,
  logSoftmax,
  logSumExp,
  pick,
  addAt,
  relu,
  rmsNorm,
  ropeTables,
  rotate,
  sigmoid,
  silu,
  softmax,
  softmaxMatmul,
  softplus,
  evaluate,
  host,
} from '../index.js';
import type { Shape } from '../../ir/types.js';

interface Case {
  readonly name: string;
  readonly fn: (...x: Tensor[]) => Tensor;
  readonly shapes: readonly Shape[];
  readonly range?: readonly [number, number];
}

const some = constant([1, 0, 1, 1, 0, 1, 1, 0], [2, 4], 'bool');
const token = constant([1, 3, 0], [3], 'i32');
const { cos, sin } = ropeTables(3, 4);

const cases: readonly Case[] = [
  { name: 'sigmoid', fn: x => sigmoid(x), shapes: [[4]], range: [-3, 3] },
  { name: 'softplus', fn: x => softplus(x), shapes: [[5]], range: [-30, 30] },
  { name: 'relu', fn: x => relu(x).square(), shapes: [[6]] },
  { name: 'gelu', fn: x => gelu(x), shapes: [[6]], range: [-3, 3] },
  {
    name: 'softmaxMatmul',
    fn: (x, v) => softmaxMatmul(x, v).out.square(),
    shapes: [
      [2, 3, 4],
      [2, 4, 2],
    ],
  },
  {
    name: 'softmaxMatmul, some dropped',
    fn: (x, v) => softmaxMatmul(x, v, some).out,
    shapes: [
      [2, 4],
      [4, 3],
    ],
  },
  {
    name: 'softmaxMatmul, its probabilities too',
    fn: (x, v) => {
      const { out, probabilities } = softmaxMatmul(x, v);
      return out.sum(-1).mul(probabilities.square().sum(-1));
    },
    shapes: [
      [2, 4],
      [4, 3],
    ],
  },
  { name: 'gelu tanh', fn: x => gelu(x, 'tanh'), shapes: [[6]], range: [-3, 3] },
  { name: 'silu', fn: x => silu(x), shapes: [[6]], range: [-3, 3] },
  { name: 'softmax', fn: x => softmax(x), shapes: [[2, 4]], range: [-2, 2] },
  { name: 'logSoftmax', fn: x => logSoftmax(x), shapes: [[2, 4]], range: [-2, 2] },
  { name: 'logSumExp', fn: x => logSumExp(x), shapes: [[2, 4]], range: [-2, 2] },
  { name: 'pick', fn: x => pick(x, token).exp(), shapes: [[3, 4]] },
  { name: 'addAt', fn: (x, a) => addAt(x, token, a).exp(), shapes: [[3, 4], [3]] },
  { name: 'logProbability', fn: x => logProbability(x, token), shapes: [[3, 4]], range: [-2, 2] },
  { name: 'layerNorm', fn: (x, g, b) => layerNorm(x, g, b), shapes: [[2, 3, 4], [4], [4]] },
  { name: 'rmsNorm', fn: (x, g) => rmsNorm(x, g), shapes: [[2, 4], [4]] },
  { name: 'rotate', fn: x => rotate(x, cos, sin).exp(), shapes: [[1, 2, 3, 4]] },
  { name: 'rotate interleaved', fn: x => rotate(x, cos, sin, { layout: 'interleaved' }).exp(), shapes: [[1, 2, 3, 4]] },
  {
    name: 'attend',
    fn: (q, k, v) => attend(q, k, v, causalMask(3)),
    shapes: [
      [1, 2, 3, 2],
      [1, 2, 3, 2],
      [1, 2, 3, 2],
    ],
  },
  {
    name: 'attend, grouped queries',
    fn: (q, k, v) => attend(q, k, v),
    shapes: [
      [1, 4, 2, 2],
      [1, 2, 3, 2],
      [1, 2, 3, 2],
    ],
  },
  {
    name: 'convolve 3 x 3, grouped, with bias',
    fn: (x, w, b) => convolve(x, w, b).tanh(),
    shapes: [[1, 4, 3, 3], [2, 1, 3, 3, 2], [2]],
  },
  {
    name: 'convolve 1 x 5',
    fn: (x, w) => convolve(x, w).tanh(),
    shapes: [
      [2, 2, 2, 3],
      [1, 3, 1, 5, 2],
    ],
  },
  { name: 'cumsum', fn: x => cumsum(x).square(), shapes: [[2, 4]] },
];

describe('gradients of ops and sugar', () => {
  it.each(cases)('$name agrees with central differences, first and second order', async ({ fn, shapes, range }) => {
    const { first, second } = await checkGradient(fn, shapes, range ? { range } : {});
    expect(first).toBeLessThan(1e-7);
    expect(second).toBeLessThan(1e-6);
  });
});

describe('values', () => {
  it('argmax takes the lowest of equals', () => {
    expect([...evaluate(argmax, host([2, 4], [1, 5, 5, 2, 9, 0, 1, 9])).data]).toEqual([1, 0]);
  });
  it('a row where all is hidden stays finite', () => {
    const scores = evaluate(x => softmax(x.add(-1e9)), host([1, 3], [1, 2, 3]));
    expect([...scores.data].every(Number.isFinite)).toBe(true);
  });
  it('keeps the gradient of sigmoid finite far out', async () => {
    expect((await checkGradient(x => sigmoid(x.mul(200)), [[4]])).first).toBeLessThan(1e-5);
  });
});
