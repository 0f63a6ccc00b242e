/** How the parameters begin, as in the authors' code. */

import { sizeOf, xavier, type Initialiser } from '@heddle/core';

/** Of queries, keys and values: Glorot's bounds times 1 / sqrt(2), as one matrix for all three would have them. */
export const narrowXavier: Initialiser = {
  name: 'xavier(0.7071)',
  fill: (shape, uniform) => xavier.fill(shape, uniform).map(x => x * Math.SQRT1_2),
};

/**
 * Weights and biases of convolutions: uniform in +-1 / sqrt(fan in), PyTorch's default.
 *
 * @param fanIn inputs of a group times the kernel's width
 */
export const convolutionStart = (fanIn: number): Initialiser => ({
  name: `uniform(${fanIn} ** -0.5)`,
  fill: (shape, uniform) => Float32Array.from({ length: sizeOf(shape) }, () => (2 * uniform() - 1) * fanIn ** -0.5),
});
