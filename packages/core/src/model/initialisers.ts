/** How parameters begin: host functions of a shape and a stream of random numbers. */

import type { Shape } from '../ir/types.js';

/** @param uniform numbers in [0, 1), a stream of this parameter's own */
export interface Initialiser {
  readonly name: string;
  fill(shape: Shape, uniform: () => number): Float32Array;
}

const count = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

const constant = (name: string, value: number): Initialiser => ({
  name,
  fill: shape => new Float32Array(count(shape)).fill(value),
});

export const zeros = constant('zeros', 0);
export const ones = constant('ones', 1);

/** Standard normal numbers by Box and Muller's transform; `1 - u` keeps the logarithm finite. */
const gauss = (uniform: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

/** Normal with mean 0 and the given standard deviation. */
export const normal = (deviation: number): Initialiser => ({
  name: `normal(${deviation})`,
  fill: (shape, uniform) => Float32Array.from({ length: count(shape) }, () => deviation * gauss(uniform)),
});

/** Fan in and fan out of a matrix [in, out]; leading axes count as receptive field. */
function fans(shape: Shape): readonly [number, number] {
  const out = shape.at(-1) ?? 1;
  const into = shape.length > 1 ? count(shape) / out : out;
  return [into, out];
}

/** Glorot and Bengio (2010): uniform in +-sqrt(6 / (in + out)). */
export const xavier: Initialiser = {
  name: 'xavier',
  fill(shape, uniform) {
    const [into, out] = fans(shape);
    const bound = Math.sqrt(6 / (into + out));
    return Float32Array.from({ length: count(shape) }, () => (2 * uniform() - 1) * bound);
  },
};
