/** Numbers to feed a graph with. */

import { sizeOf, uniforms, type Graph, type HostTensor, type TensorType } from '@heddle/core';

export interface SampleOptions {
  readonly seed?: number;
  /** Integers are drawn from 0 up to, not including, this. */
  readonly below?: number;
  /** Floats are drawn from here. */
  readonly range?: readonly [low: number, high: number];
}

const one = (
  { dtype, shape }: TensorType,
  draw: () => number,
  { below = 2, range: [low, high] = [-2, 2] }: SampleOptions,
): HostTensor => {
  const length = sizeOf(shape);
  if (dtype === 'f32') return { dtype, shape, data: Float32Array.from({ length }, () => low + (high - low) * draw()) };
  if (dtype === 'i32') return { dtype, shape, data: Int32Array.from({ length }, () => Math.floor(below * draw())) };
  return { dtype, shape, data: Uint8Array.from({ length }, () => Number(draw() < 0.5)) };
};

/** One tensor for each input of a graph. */
export function sampleFeeds(graph: Graph, options: SampleOptions = {}): Record<string, HostTensor> {
  const draw = uniforms(options.seed ?? 1, 99);
  return Object.fromEntries(Object.entries(graph.inputs).map(([name, { type }]) => [name, one(type, draw, options)]));
}
