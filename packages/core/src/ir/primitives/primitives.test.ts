import { describe, expect, it } from 'vitest';
import { checkGradient } from '../../testing/gradient.js';
import { concat, constant, where, type Tensor } from '../../tensor/tensor.js';
import type { Shape } from '../types.js';

interface Case {
  readonly name: string;
  readonly fn: (...x: Tensor[]) => Tensor;
  readonly shapes: readonly Shape[];
  readonly range?: readonly [number, number];
}

const index = constant([2, 0, 2, 1], [4], 'i32');
const square = constant([2, 0, 1, 1], [2, 2], 'i32');

/** Every primitive that carries a gradient, alone or followed by something curved, so that second order is not all zeros. */
const cases: readonly Case[] = [
  { name: 'exp', fn: x => x.exp(), shapes: [[3]] },
  { name: 'log', fn: x => x.log(), shapes: [[3]], range: [0.5, 2] },
  { name: 'sqrt', fn: x => x.sqrt(), shapes: [[3]], range: [0.5, 2] },
  { name: 'tanh', fn: x => x.tanh(), shapes: [[3]] },
  { name: 'erf', fn: x => x.erf(), shapes: [[4]], range: [-4, 4] },
  { name: 'sin', fn: x => x.sin(), shapes: [[3]] },
  { name: 'cos', fn: x => x.cos(), shapes: [[3]] },
  { name: 'cast', fn: x => x.square().cast('f32').square(), shapes: [[3]] },
  { name: 'add', fn: (x, z) => x.add(z).square(), shapes: [[3], [3]] },
  { name: 'sub', fn: (x, z) => x.sub(z).square(), shapes: [[3], [3]] },
  { name: 'mul', fn: (x, z) => x.mul(z), shapes: [[3], [3]] },
  { name: 'div', fn: (x, z) => x.div(z), shapes: [[3], [3]], range: [0.5, 2] },
  { name: 'where', fn: (x, z) => where(x.less(z), x.square(), z.exp()), shapes: [[5], [5]] },
  { name: 'reduceSum', fn: x => x.square().sum([0, 2]), shapes: [[2, 3, 2]] },
  { name: 'reduceMax', fn: x => x.max(1).exp(), shapes: [[2, 5]] },
  ...[false, true].flatMap(transposeLeft =>
    [false, true].map(transposeRight => ({
      name: `matmul ${transposeLeft ? 't' : 'n'}${transposeRight ? 't' : 'n'}`,
      fn: (x: Tensor, z: Tensor) => x.matmul(z, { transposeLeft, transposeRight }),
      shapes: [transposeLeft ? [2, 3, 2] : [2, 2, 3], transposeRight ? [2, 4, 3] : [2, 3, 4]],
    })),
  ),
  { name: 'reshape', fn: x => x.reshape(6).exp(), shapes: [[2, 3]] },
  { name: 'transpose', fn: x => x.transpose(2, 0, 1).exp(), shapes: [[2, 3, 2]] },
  { name: 'broadcast', fn: x => x.broadcastTo([2, 4, 3]).exp(), shapes: [[4, 1]] },
  { name: 'slice', fn: x => x.slice(1, 1, 3).exp(), shapes: [[2, 4]] },
  { name: 'pad', fn: x => x.pad(0, 1, 0).pad(1, 0, 2).exp(), shapes: [[2, 2]] },
  {
    name: 'concat',
    fn: (x, z) => concat([x, z], 1).exp(),
    shapes: [
      [2, 2],
      [2, 3],
    ],
  },
  { name: 'gather', fn: x => x.gather(index).exp(), shapes: [[3, 2]] },
  { name: 'gather axis 1, matrix of indices', fn: x => x.gather(square, 1).exp(), shapes: [[2, 3, 2]] },
  { name: 'scatterAdd', fn: x => x.scatterAdd(index, 0, 3).exp(), shapes: [[4, 2]] },
  { name: 'scatterAdd axis 1, matrix of indices', fn: x => x.scatterAdd(square, 1, 3).exp(), shapes: [[2, 2, 2, 3]] },
];

describe('gradients of the primitives', () => {
  it.each(cases)('$name agrees with central differences, first and second order', async ({ fn, shapes, range }) => {
    const { first, second } = await checkGradient(fn, shapes, range ? { range } : {});
    expect(first).toBeLessThan(1e-8);
    expect(second).toBeLessThan(1e-7);
  });
});
