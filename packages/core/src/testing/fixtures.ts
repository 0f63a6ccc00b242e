/** What the laws run on: sampled tensors and random graphs. No test runner is needed. */

import { softmax } from '../tensor/ops/softmax.js';
import { gelu, silu } from '../tensor/ops/activate.js';
import { layerNorm, rmsNorm } from '../tensor/ops/normalise.js';
import { pick } from '../tensor/ops/pick.js';
import { sizeOf } from '../ir/shape.js';
import { uniforms } from '../random/philox.js';
import { concat, constant, full, iota, random, where, type Tensor } from '../tensor/tensor.js';
import { grad, trace } from '../tensor/trace.js';
import { f32, i32, type Graph, type HostTensor, type Shape, type TensorType, type Types } from '../ir/types.js';

/** Numbers in host memory: `cells([2, 2], [1, 2, 3, 4])`. Without numbers: 0, 1, 2… over 8. */
export function cells(shape: Shape, data?: ArrayLike<number>): HostTensor {
  return {
    dtype: 'f32',
    shape,
    data: Float32Array.from(data ?? Array.from({ length: sizeOf(shape) }, (_, i) => i / 8)),
  };
}

export interface Sampling {
  /** Range of floats; they are multiples of 1/8, so that every engine holds them exactly. Default [-2, 2]. */
  readonly range?: readonly [number, number];
  /** Integers are drawn from 0 up to, not including, this. Default 2. */
  readonly below?: number;
}

/** A tensor of a type with sampled numbers. */
export function sample(
  { dtype, shape }: TensorType,
  draw: () => number,
  { range: [low, high] = [-2, 2], below = 2 }: Sampling = {},
): HostTensor {
  const length = sizeOf(shape);
  if (dtype === 'f32') {
    return {
      dtype,
      shape,
      data: Float32Array.from({ length }, () => Math.round((low + (high - low) * draw()) * 8) / 8),
    };
  }
  if (dtype === 'i32') return { dtype, shape, data: Int32Array.from({ length }, () => Math.floor(below * draw())) };
  return { dtype, shape, data: Uint8Array.from({ length }, () => Number(draw() < 0.5)) };
}

export interface RandomGraphOptions {
  /** Steps; each adds one to a few nodes. Default 12. */
  readonly steps?: number;
  /** Also the gradients of the outputs' sum. Default true. */
  readonly gradients?: boolean;
  /** Draw random numbers in the graph. Default true. */
  readonly random?: boolean;
  /** Use ops, not only primitives. Default true. */
  readonly ops?: boolean;
}

export interface RandomGraph {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, HostTensor>>;
}

/**
 * A lawful graph over the whole table, with numbers to feed it. Values stay within a few units; comparisons and
 * `floor` read only what engines hold exactly, so that rounding cannot turn a choice over.
 */
export function randomGraph(
  seed: number,
  { steps = 12, gradients = true, random: noise = true, ops = true }: RandomGraphOptions = {},
): RandomGraph {
  const draw = uniforms(seed, 71);
  const below = (n: number): number => Math.floor(n * draw());
  const choose = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const [A, B, C] = [1 + below(3), 1 + below(4), 1 + below(4)] as const;
  const types: Types = {
    x: f32(A, B),
    y: f32(B, C),
    z: f32(A, B, C),
    w: f32(C),
    index: i32(3),
    key: i32(2),
  };
  const graph = trace(types, inputs => {
    const exact = [inputs['x']!, inputs['y']!, inputs['z']!, inputs['w']!];
    const pool: Tensor[] = [...exact];
    /** Brings a tensor to a shape: sums or repeats what does not fit. */
    const fit = (t: Tensor, shape: Shape): Tensor =>
      sizeOf(t.shape) === sizeOf(shape) ? t.reshape(...shape) : t.sum().tanh().broadcastTo(shape);
    const moves: readonly (() => Tensor)[] = [
      () => choose(pool).tanh(),
      () => choose(pool).tanh().exp(),
      () => choose(pool).square().add(0.5).log(),
      () => choose(pool).square().add(0.25).sqrt(),
      () => choose(pool).erf(),
      () => choose(pool).sin(),
      () => choose(pool).cos(),
      () => choose(exact).floor().cast('i32').cast('f32'),
      () => choose(pool).stopGradient(),
      () => choose(pool).add(choose([0, 0.1, -1.5])),
      () => choose(pool).mul(choose([1, 0.5, -1])),
      () => choose(pool).sub(0),
      () => choose(pool).div(1),
      () => {
        const [a, b] = [choose(pool), choose(pool)];
        return choose([0, 1, 2]) === 0 ? a.add(fit(b, a.shape)) : a.tanh().mul(fit(b, a.shape).tanh());
      },
      () => {
        const a = choose(pool);
        return a.sub(fit(choose(pool), a.shape)).div(a.square().add(1));
      },
      () => {
        const a = choose(exact);
        return where(a.less(choose([0, 0.5])), a.exp().tanh(), fit(choose(pool), a.shape));
      },
      () => {
        const a = choose(exact);
        return where(a.equal(iota(a.shape, below(a.rank), 'f32')), 0.25, a.tanh());
      },
      () => {
        const a = choose(pool);
        return a.rank === 0 ? a : a.tanh().sum(below(a.rank), { keep: draw() < 0.5 });
      },
      () => {
        const a = choose(exact);
        return a.max(below(a.rank), { keep: draw() < 0.5 });
      },
      () => {
        const a = choose(pool).tanh();
        const [left, right] = [draw() < 0.5, draw() < 0.5];
        const m = a.reshape(-1, a.rank === 0 ? 1 : a.shape.at(-1)!);
        const other = constant(
          Float64Array.from({ length: m.shape[1]! * 2 }, () => 2 * draw() - 1),
          right ? [2, m.shape[1]!] : [m.shape[1]!, 2],
        );
        const turned = left ? m.transpose() : m;
        return turned
          .reshape(1, ...turned.shape)
          .matmul(other.reshape(1, ...other.shape), { transposeLeft: left, transposeRight: right });
      },
      () => choose(pool).reshape(-1),
      () => {
        const a = choose(pool);
        const order = [...a.shape.keys()].map(i => [draw(), i] as const).sort((p, q) => p[0] - q[0]);
        return a.rank < 2 ? a : a.transpose(...order.map(([, i]) => i));
      },
      () => {
        const a = choose(pool);
        return a.rank > 4 ? a : a.reshape(1, ...a.shape).broadcastTo([2, ...a.shape]);
      },
      () => {
        const a = choose(pool);
        if (a.rank === 0) return a;
        const axis = below(a.rank);
        const start = below(a.shape[axis]!);
        return a.slice(axis, start, start + 1 + below(a.shape[axis]! - start));
      },
      () => {
        const a = choose(pool);
        return a.rank === 0 ? a : a.pad(below(a.rank), below(2), below(2));
      },
      () => {
        const a = choose(pool);
        return a.rank === 0 ? a : concat([a, a.tanh(), a.slice(0, 0, 1)], 0);
      },
      () => {
        const a = choose(pool);
        if (a.rank === 0) return a;
        const axis = below(a.rank);
        return a.gather(a.shape[axis]! >= 2 ? inputs['index']! : inputs['index']!.mul(0), axis);
      },
      () => {
        const rows = fit(choose(pool), [3, 2]);
        return rows.scatterAdd(inputs['index']!, 0, 2 + below(3));
      },
      () =>
        full([2], 3)
          .div(full([2], 7))
          .mul(full([2], 0.1)),
      () => constant([0.1, 0.7], [2]).add(constant([0.2, -0.3], [2])),
      ...(noise ? [() => random(inputs['key']!, choose([[3], [2, 3]]), below(3)).sub(0.5)] : []),
      ...(ops
        ? [
            () => {
              const a = choose(pool);
              return a.rank === 0 ? gelu(a) : softmax(a);
            },
            () => choose([gelu, silu])(choose(pool)),
            () => gelu(choose(pool), 'tanh'),
            () => {
              const a = choose(pool);
              if (a.rank === 0) return a;
              const D = a.shape.at(-1)!;
              return draw() < 0.5
                ? layerNorm(a, full([D], 0.5), full([D], 0.1), { epsilon: 0.1 })
                : rmsNorm(a, full([D], 0.5), { epsilon: 0.1 });
            },
            () => pick(fit(choose(pool), [3, 2]), inputs['index']!),
          ]
        : []),
    ];
    for (let i = 0; i < steps; i++) {
      const made = choose(moves)();
      if (made.rank <= 5 && made.size <= 256) pool.push(made);
    }
    // Everything is read, so that no node falls away unseen.
    const whole = pool
      .map((t, i) =>
        t
          .tanh()
          .mul((i % 3) + 1)
          .sum(),
      )
      .reduce((a, b) => a.add(b));
    const outputs: Record<string, Tensor> = { whole };
    pool.slice(exact.length).forEach((t, i) => {
      outputs[`v${i}`] = t;
    });
    if (gradients) grad(whole, exact).forEach((g, i) => (outputs[`g${i}`] = g));
    return outputs;
  });
  const feeds = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, sample(type, draw)]));
  return { graph, feeds: { ...feeds, key: { dtype: 'i32', shape: [2], data: Int32Array.of(seed & 0x7fff, 3) } } };
}
