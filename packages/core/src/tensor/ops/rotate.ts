/** Rotary positions (Su et al. 2021): pairs of features turned by an angle that grows with the position. */

import { defineOp, type OpFunction } from '../op.js';
import { concat, type Tensor } from '../tensor.js';

type Layout = { readonly layout: 'half' | 'interleaved' };

/** Inputs: x, and cos and sin that broadcast to half of it. */
export const rotateOp: OpFunction<Layout> = defineOp<Layout>({
  name: 'rotate',
  version: 1,
  infer: ([x]) => [x!],
  decompose([x, cos, sin], { layout }) {
    const d = x!.shape.at(-1)!;
    const [c, s] = [cos!.stopGradient(), sin!.stopGradient()];
    if (layout === 'half') {
      const [a, b] = [x!.slice(-1, 0, d / 2), x!.slice(-1, d / 2)];
      return [concat([a.mul(c).sub(b.mul(s)), a.mul(s).add(b.mul(c))], -1)];
    }
    const pairs = x!.reshape(...x!.shape.slice(0, -1), d / 2, 2);
    const take = (i: number): Tensor => pairs.slice(-1, i, i + 1).reshape(...x!.shape.slice(0, -1), d / 2);
    const [a, b] = [take(0), take(1)];
    const join = (t: Tensor): Tensor => t.reshape(...t.shape, 1);
    return [concat([join(a.mul(c).sub(b.mul(s))), join(a.mul(s).add(b.mul(c)))], -1).reshape(...x!.shape)];
  },
  // A rotation's gradient is the rotation back; the tables are data.
  vjp: ({ cts: [ct], inputs: [, cos, sin], attrs }) => [rotateOp([ct!, cos!, sin!.neg()], attrs)[0]!, null, null],
});

/**
 * @param options.layout `half` pairs feature i with i + d/2 (Llama), `interleaved` pairs 2i with 2i + 1 (GPT-J)
 * @shape x [..., T, d], cos and sin [T, d/2] or anything that broadcasts to [..., T, d/2] -> [..., T, d]
 */
export const rotate = (x: Tensor, cos: Tensor, sin: Tensor, { layout = 'half' as Layout['layout'] } = {}): Tensor =>
  rotateOp([x, cos, sin], { layout })[0]!;
