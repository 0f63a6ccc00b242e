/** Adafactor (Shazeer and Stern 2018): second moments of a matrix kept as one row and one column. */

import { full, type Tensor } from '../tensor/tensor.js';
import { maximum } from '../tensor/sugar/arithmetic.js';
import type { Optimizer } from './optimizer.js';

export interface AdafactorOptions {
  /** Floor of the squared gradient, and of the parameter's scale. */
  readonly epsilons?: readonly [number, number];
  /** The update's root mean square is cut to this. */
  readonly clip?: number;
  /** The second moment's memory at step t is 1 - t ** decayRate. */
  readonly decayRate?: number;
  readonly weightDecay?: number;
  /** First moment; none by default. */
  readonly momentum?: number | null;
  /** Multiply the rate by the parameter's root mean square. */
  readonly scaleParameter?: boolean;
  /** Ignore the schedule and use min(limit, 1 / sqrt(t)). */
  readonly relativeStep?: boolean;
  /** With `relativeStep`: the limit grows as 1e-6 * t instead of staying at 1e-2. */
  readonly warmUp?: boolean;
}

export function adafactor({
  epsilons: [floor, scaleFloor] = [1e-30, 1e-3],
  clip = 1,
  decayRate = -0.8,
  weightDecay = 0,
  momentum = null,
  scaleParameter = true,
  relativeStep = false,
  warmUp = false,
}: AdafactorOptions = {}): Optimizer {
  return {
    name: 'adafactor',
    state(shape) {
      const moments =
        shape.length >= 2
          ? {
              row: { shape: shape.slice(0, -1), fill: 0 },
              column: { shape: [...shape.slice(0, -2), shape.at(-1)!], fill: 0 },
            }
          : { v: { shape, fill: 0 } };
      return momentum === null ? moments : { ...moments, m: { shape, fill: 0 } };
    },
    scalars(step, rate) {
      const relative = Math.min(warmUp ? 1e-6 * step : 1e-2, 1 / Math.sqrt(step));
      return { rate: relativeStep ? relative : rate, memory: 1 - step ** decayRate, fresh: step ** decayRate };
    },
    update({ parameter, gradient, state, scalars }) {
      const rate = scaleParameter ? scalars['rate']!.mul(maximum(rms(parameter), scaleFloor)) : scalars['rate']!;
      const squared = gradient.square().add(floor);
      const blend = (old: Tensor, now: Tensor): Tensor => old.mul(scalars['memory']!).add(now.mul(scalars['fresh']!));
      const next: Record<string, Tensor> = {};
      let step: Tensor;
      if (parameter.rank >= 2) {
        const row = (next['row'] = blend(state['row']!, squared.mean(-1)));
        const column = (next['column'] = blend(state['column']!, squared.mean(-2)));
        const rows = inverseRoot(row.div(row.mean(-1, { keep: true })));
        step = gradient
          .mul(rows.reshape(...rows.shape, 1))
          .mul(inverseRoot(column).reshape(...column.shape.slice(0, -1), 1, column.shape.at(-1)!));
      } else {
        const v = (next['v'] = blend(state['v']!, squared));
        step = gradient.mul(inverseRoot(v));
      }
      step = step.div(maximum(rms(step).div(clip), 1)).mul(rate);
      if (momentum !== null) step = next['m'] = state['m']!.mul(momentum).add(step.mul(1 - momentum));
      const start = weightDecay === 0 ? parameter : parameter.sub(parameter.mul(rate.mul(weightDecay)));
      return { parameter: start.sub(step), state: next };
    },
  };
}

const rms = (x: Tensor): Tensor => x.square().mean().sqrt();
const inverseRoot = (x: Tensor): Tensor => full(x.shape, 1).div(x.sqrt());
