/** Stochastic gradient descent, with momentum as PyTorch defines it. */

import type { Optimizer } from './optimizer.js';

export interface SgdOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** Added to the gradient: `gradient + weightDecay * parameter`. */
  readonly weightDecay?: number;
}

export const sgd = ({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer => ({
  name: 'sgd',
  state: shape => (momentum === 0 ? {} : { velocity: { shape, fill: 0 } }),
  scalars: (_step, rate) => ({ rate }),
  update({ parameter, gradient, state, scalars }) {
    const slope = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
    if (momentum === 0) return { parameter: parameter.sub(slope.mul(scalars['rate']!)), state: {} };
    // PyTorch starts the velocity at the first gradient; a velocity of zero gives the same.
    const velocity = state['velocity']!.mul(momentum).add(slope);
    const direction = nesterov ? slope.add(velocity.mul(momentum)) : velocity;
    return { parameter: parameter.sub(direction.mul(scalars['rate']!)), state: { velocity } };
  },
});
