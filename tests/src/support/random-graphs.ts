/**
 * Graphs put together at random from smooth primitives, movement, reductions and products, with the gradients of their
 * sum. What turns on the last bit of a float (comparisons, floor) reads inputs only.
 */

import {
  bool,
  concat,
  f32,
  grad,
  i32,
  random,
  softmax,
  trace,
  uniforms,
  where,
  type Graph,
  type Tensor,
} from '@heddle/core';

export function randomGraph(seed: number, steps = 14): Graph {
  const draw = uniforms(seed, 3);
  const below = (n: number): number => Math.floor(n * draw());
  const [A, B, C] = [1 + below(4), 1 + below(4), 1 + below(4)];
  const types = { x: f32(A, B), y: f32(B, C), z: f32(A, 1, C), choice: bool(A, B), index: i32(3), key: i32(2) };
  return trace(types, ({ x, y, z, choice, index, key }) => {
    const pool: Tensor[] = [x, y, z];
    const any = (): Tensor => pool[below(pool.length)]!;
    const axisOf = (t: Tensor): number => below(t.rank);
    /** At least one axis. */
    const wide = (): Tensor => {
      const t = any();
      return t.rank === 0 ? t.reshape(1) : t;
    };
    const fit = (t: Tensor, to: Tensor): Tensor =>
      t.size === to.size ? t.reshape(...to.shape) : t.mean().broadcastTo(to.shape);
    const moves: readonly (() => Tensor)[] = [
      () => any().tanh(),
      () => any().tanh().exp(),
      () => any().square().add(1).log(),
      () => any().square().add(0.5).sqrt(),
      () => any().erf(),
      () => any().sin(),
      () => any().cos(),
      () => fit(any(), x).add(x),
      () => any().sub(0.25),
      () => {
        const t = any().tanh();
        return t.mul(fit(any().tanh(), t));
      },
      () => {
        const t = any();
        return t.div(fit(any(), t).square().add(1));
      },
      () => where(choice, fit(any(), x), x.floor()),
      () => where(x.less(y.sum()), fit(any(), x), 0.5),
      () => {
        const t = wide();
        return t.sum(axisOf(t), { keep: draw() < 0.5 }).tanh();
      },
      () => {
        const t = wide();
        return t.max(axisOf(t));
      },
      () => {
        const t = wide().tanh();
        const flat = t.reshape(-1, t.shape.at(-1)!);
        return draw() < 0.5 ? flat.matmul(flat, { transposeLeft: true }) : flat.matmul(flat, { transposeRight: true });
      },
      () => x.matmul(y),
      () => any().reshape(-1),
      () => any().transpose(),
      () => {
        const t = wide();
        const axis = axisOf(t);
        const from = below(t.shape[axis]!);
        return t.slice(axis, from, from + 1 + below(t.shape[axis]! - from));
      },
      () => {
        const t = wide();
        return t.pad(axisOf(t), below(2), below(3));
      },
      () => {
        const t = wide();
        return concat([t, t.tanh()], axisOf(t));
      },
      () => {
        const t = wide();
        const axis = axisOf(t);
        return t.gather(t.shape[axis] === 1 ? index.mul(0) : index, axis);
      },
      () => {
        const rows = wide();
        return rows.gather(index.mul(0), 0).scatterAdd(index, 0, 2 + below(3));
      },
      () => softmax(wide()),
      () => any().stopGradient().mul(2),
      () => random(key, [A, B], below(9)).mul(x),
    ];
    for (let i = 0; i < steps; i++) {
      const made = moves[below(moves.length)]!();
      if (made.rank <= 4 && made.size <= 400) pool.push(made);
    }
    const whole = pool.map(t => t.tanh().sum()).reduce((a, b) => a.add(b));
    const slopes = grad(whole, [x, y, z]);
    const values = Object.fromEntries(pool.map((t, i) => [`value.${i}`, t]));
    return { whole, ...values, ...Object.fromEntries(slopes.map((t, i) => [`gradient.${i}`, t])) };
  });
}
