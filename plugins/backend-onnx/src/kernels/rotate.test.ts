import { f32, rotateOp } from '@heddle/core';
import { conformOp, type OpSample } from '@heddle/core/testing';
import { expect, it } from 'vitest';
import { offers } from '../offers.js';
import { builtInKernels } from './index.js';
import { rotateKernel } from './rotate.js';

const sample = (tables: readonly number[], layout: 'half' | 'interleaved' = 'half'): OpSample => ({
  inputs: [f32(2, 3, 4, 6), f32(...tables), f32(...tables)],
  attrs: { layout },
  data: [1, 2],
});

/** One angle a token: for all rows, or for each; and what the operator cannot say, which is decomposed. */
const fused = [
  sample([4, 3]),
  sample([4, 3], 'interleaved'),
  sample([1, 1, 4, 3]),
  sample([2, 1, 4, 3]),
  sample([2, 1, 4, 3], 'interleaved'),
];
const decomposed = [
  sample([2, 3, 4, 3]),
  sample([1, 3]),
  { ...sample([4, 3]), inputs: [f32(5, 4, 6), f32(4, 3), f32(4, 3)] },
];

conformOp(rotateOp, { samples: [...fused, ...decomposed], kernels: builtInKernels, backends: offers });

it('takes one angle a token, and nothing else', () => {
  const accepts = ({ inputs, attrs }: OpSample): boolean =>
    rotateKernel.accepts(inputs as Parameters<typeof rotateKernel.accepts>[0], attrs!);
  expect(fused.map(accepts)).toEqual(fused.map(() => true));
  expect(decomposed.map(accepts)).toEqual(decomposed.map(() => false));
});
