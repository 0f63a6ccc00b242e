/** How the authors' modules begin. */

import type { Initialiser } from '@heddle/core';

const cells = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Uniform in +-bound. */
const uniform = (bound: number): Initialiser => ({
  name: `uniform(${bound})`,
  fill: (shape, draw) => Float32Array.from({ length: cells(shape) }, () => (2 * draw() - 1) * bound),
});

/** PyTorch's default for weight and bias of a linear map: uniform in +-1 / sqrt(fan in). */
export const fanIn = (from: number): Initialiser => uniform(1 / Math.sqrt(from));

/** Glorot and Bengio (2010), times a gain. */
export const glorot = (from: number, to: number, gain = 1): Initialiser => uniform(gain * Math.sqrt(6 / (from + to)));
