import { defineOp, type Tensor } from '@heddle/core';

/** Softmax with a temperature, and how undecided each row is. @shape x [..., D] -> [..., D] and entropy [..., 1] in nats */
export const easeOp = defineOp<{ readonly temperature: number }>({
  name: 'weft.ease',
  version: 1,
  infer: ([x]) => [x!, { dtype: 'f32', shape: [...x!.shape.slice(0, -1), 1] }],
  decompose([x], { temperature }) {
    const z = x!.sub(x!.max(-1, { keep: true }).stopGradient()).mul(1 / temperature);
    const mass = z.exp().sum(-1, { keep: true });
    const p = z.exp().div(mass);
    return [p, mass.log().sub(p.mul(z).sum(-1, { keep: true }))];
  },
});

export const ease = (x: Tensor, temperature: number): readonly Tensor[] => easeOp([x], { temperature });
