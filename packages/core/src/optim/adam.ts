/** Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). */

import { matricesOnly, type Decays, type Optimizer } from './optimizer.js';

export interface AdamOptions {
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  readonly weightDecay?: number;
  /** Which parameters decay. Everything for `adam`, matrices for `adamW`. */
  readonly decays?: Decays;
}

/** Weight decay is added to the gradient. */
export const adam = (options: AdamOptions = {}): Optimizer => make('adam', { decays: () => true, ...options });

/** Weight decay shrinks the parameter, apart from the gradient. */
export const adamW = (options: AdamOptions = {}): Optimizer =>
  make('adamW', { weightDecay: 0.01, decays: matricesOnly, ...options });

function make(
  name: 'adam' | 'adamW',
  { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0, decays = matricesOnly }: AdamOptions,
): Optimizer {
  const [b1, b2] = betas;
  return {
    name,
    state: shape => ({ m: { shape, fill: 0 }, v: { shape, fill: 0 } }),
    // The two corrections for the zero start are folded into the rate and epsilon: two passes fewer over every parameter.
    scalars(step, rate) {
      const root = Math.sqrt(1 - b2 ** step);
      return { rate: (rate * root) / (1 - b1 ** step), epsilon: epsilon * root, shrink: 1 - rate * weightDecay };
    },
    update({ name: path, parameter, gradient, state, scalars }) {
      const decay = weightDecay !== 0 && decays(path, parameter.shape);
      const slope = decay && name === 'adam' ? gradient.add(parameter.mul(weightDecay)) : gradient;
      const start = decay && name === 'adamW' ? parameter.mul(scalars['shrink']!) : parameter;
      // Both moments read the gradient scaled once: a factor that engines hand to the product which made it.
      const scaled = slope.mul(1 - b1);
      const m = state['m']!.mul(b1).add(scaled);
      const v = state['v']!.mul(b2).add(scaled.square().mul((1 - b2) / (1 - b1) ** 2));
      const step = m.div(v.sqrt().add(scalars['epsilon']!)).mul(scalars['rate']!);
      return { parameter: start.sub(step), state: { m, v } };
    },
  };
}
