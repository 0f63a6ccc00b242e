/** Gradients against central differences, in double precision, to first and second order. */

import { interpret } from '../backend/reference.js';
import { expandOps } from '../lower/expand-ops.js';
import { sizeOf } from '../ir/shape.js';
import { uniforms } from '../random/philox.js';
import { constant, type Tensor } from '../tensor/tensor.js';
import { grad, trace } from '../tensor/trace.js';
import type { Graph, HostTensor, Shape, Types } from '../ir/types.js';

export interface GradientOptions {
  /** Range of the sampled inputs. Default [-1, 1]. */
  readonly range?: readonly [number, number];
  readonly seed?: number;
  /** Differentiate the gradient once more as well. Default true. */
  readonly second?: boolean;
}

export interface GradientGap {
  /** Largest gap of the first derivative, relative to the derivative where it exceeds 1. */
  readonly first: number;
  /** The same of the second derivative; 0 when not asked for. */
  readonly second: number;
  /** The larger of both. */
  readonly worst: number;
}

const h = 1e-5;

/**
 * Compares gradients of `fn` with central differences at random points.
 *
 * @param fn tensors to one f32 tensor of any shape; its cells are weighed at random and summed
 * @param shapes of the f32 inputs
 */
export async function checkGradient(
  fn: (...inputs: Tensor[]) => Tensor,
  shapes: readonly Shape[],
  { range: [low, high] = [-1, 1], seed = 0, second = true }: GradientOptions = {},
): Promise<GradientGap> {
  const draw = uniforms(seed, 1);
  const inputs = shapes.map(shape => Float64Array.from({ length: sizeOf(shape) }, () => low + (high - low) * draw()));
  const weights = uniforms(seed, 2);
  const kept = new Map<string, Float64Array>();
  /** A scalar that depends on every cell of a tensor, with weights that stay the same between traces. */
  const weigh = (y: Tensor, name: string): Tensor => {
    const w = kept.get(name) ?? Float64Array.from({ length: y.size }, () => 2 * weights() - 1);
    kept.set(name, w);
    return y.mul(constant(w, y.shape)).sum();
  };
  const once = (x: Tensor[]): Tensor => weigh(fn(...x), 'out');
  const twice = (x: Tensor[]): Tensor =>
    grad(once(x), x)
      .map((g, i) => weigh(g, `in${i}`))
      .reduce((a, b) => a.add(b));
  const first = worstGap(once, shapes, inputs);
  const gap = { first, second: second ? worstGap(twice, shapes, inputs) : 0 };
  return { ...gap, worst: Math.max(gap.first, gap.second) };
}

function worstGap(scalar: (x: Tensor[]) => Tensor, shapes: readonly Shape[], inputs: readonly Float64Array[]): number {
  const types: Types = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { dtype: 'f32' as const, shape }]));
  const at = (holes: Readonly<Record<string, Tensor>>): Tensor[] => shapes.map((_, i) => holes[`x${i}`]!);
  const value = expandOps(trace(types, holes => ({ out: scalar(at(holes)) })));
  const slopes = expandOps(
    trace(types, holes => {
      const x = at(holes);
      return Object.fromEntries(grad(scalar(x), x).map((g, i) => [`g${i}`, g]));
    }),
  );
  const analytic = run(slopes, shapes, inputs);
  let worst = 0;
  inputs.forEach((x, i) => {
    for (let cell = 0; cell < x.length; cell++) {
      const kept = x[cell]!;
      const up = ((x[cell] = kept + h), run(value, shapes, inputs)['out']![0]!);
      const down = ((x[cell] = kept - h), run(value, shapes, inputs)['out']![0]!);
      x[cell] = kept;
      const numeric = (up - down) / (2 * h);
      const gap = Math.abs(numeric - analytic[`g${i}`]![cell]!) / Math.max(1, Math.abs(numeric));
      worst = Number.isNaN(gap) ? Infinity : Math.max(worst, gap);
    }
  });
  return worst;
}

function run(
  graph: Graph,
  shapes: readonly Shape[],
  inputs: readonly Float64Array[],
): Record<string, ArrayLike<number>> {
  // Double precision throughout: the interpreter takes what it is fed.
  const feeds = Object.fromEntries(
    inputs.map((data, i) => [
      `x${i}`,
      { dtype: 'f32', shape: shapes[i]!, data: data as unknown as Float32Array } satisfies HostTensor,
    ]),
  );
  return Object.fromEntries(Object.entries(interpret(graph, feeds, 'f64')).map(([n, t]) => [n, t.data]));
}
