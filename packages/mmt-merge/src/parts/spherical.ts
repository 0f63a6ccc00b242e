/** Interpolation on a sphere between two vectors, as an op and as two factors. */

import { abs, constant, defineOp, where, type Tensor } from '@heddle/core';
import { arccos } from './angle.js';

/**
 * `(sin((1 - t) a) x + sin(t a) z) / sin a` for an angle a of which the cosine is given; straight where the cosine lies
 * beyond a limit: nearly parallel vectors, where both ways are one, and nearly opposite ones, where no arc is the shortest.
 *
 * The cosine may be one number, or one for each row or column: it broadcasts.
 *
 * @shape x [...s], z [...s], cosine [...1 or s] -> [...s]
 */
export const slerpOp = defineOp<Readonly<{ t: number; limit: number }>>({
  name: 'merge.slerp',
  version: 1,
  infer: types => [types[0]!],
  decompose([x, z, cosine], { t, limit }) {
    const angle = arccos(cosine!);
    const straight = abs(cosine!).greater(limit);
    const safe = where(straight, 1, angle.sin());
    const one = constant([1], [1]);
    const factor = (share: number): Tensor => where(straight, one.mul(share), angle.mul(share).sin().div(safe));
    return [x!.mul(factor(1 - t)).add(z!.mul(factor(t)))];
  },
});

/** The same two factors as numbers. */
export function slerpFactors(cosine: number, t: number, limit: number): readonly [number, number] {
  if (!(Math.abs(cosine) <= limit)) return [1 - t, t];
  const angle = Math.acos(cosine);
  const sine = Math.sin(angle);
  return [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine];
}
