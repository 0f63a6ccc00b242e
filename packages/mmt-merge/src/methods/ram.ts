import {
  abs,
  constant,
  where,
  type MergeMethod,
  type MergeParameter,
  type MergePiece,
  type Tensor,
} from '@heddle/core';
import { maximumOf } from '../parts/angle.js';
import { baseOf, define, perMerge } from '../parts/define.js';

const epsilon = perMerge('a difference of at most this is none', { default: 1e-5, least: 0 });

/** `boost` of the elements that only one model changed, by how many it shares with others for each of those. */
interface Boost {
  readonly r: number;
  readonly alpha: number;
}

const variant = (
  name: string,
  describe: string,
  parameters: Readonly<Record<string, MergeParameter>>,
  boostOf: (options: Readonly<Record<string, number>>) => Boost,
): MergeMethod =>
  define({
    name,
    describe,
    laws: { orderIndependent: true, needsBase: true },
    parameters: { epsilon, ...parameters },
    merge(inputs) {
      const base = baseOf(name, inputs);
      const least = inputs.options['epsilon']!;
      const { r, alpha } = boostOf(inputs.options);
      const one = constant([1], [1]);
      const differences = inputs.models.map(model => model.sub(base));
      const active = differences.map(d => where(abs(d).greater(least), one, 0));
      const count = active.reduce((a, b) => a.add(b));
      const unique = count.equal(1);
      const shared = count.greater(1);
      const parts = differences.map((d, i) => {
        const all = (mask: Tensor): Tensor => where(mask, active[i]!, 0).sum(undefined, { keep: true });
        const quotient = all(shared).div(maximumOf(all(unique), least));
        const lambda = where(quotient.less(alpha), quotient, alpha).mul(r).add(1);
        return d.mul(active[i]!).mul(where(unique, lambda, where(shared, one.div(where(shared, count, 1)), 0)));
      });
      return base.add(parts.reduce((a, b) => a.add(b)));
    },
    stream({ models, options }) {
      const least = options['epsilon']!;
      const { r, alpha } = boostOf(options);
      const [unique, shared] = [new Float64Array(models), new Float64Array(models)];
      let lambdas: readonly number[] | null = r === 0 ? new Array<number>(models).fill(1) : null;
      const isActive = ({ models: all, base }: MergePiece, model: number, i: number): boolean =>
        Math.abs(Math.fround(all[model]![i]! - base![i]!)) > least;
      const countAt = (piece: MergePiece, i: number): number => {
        let count = 0;
        for (let model = 0; model < models; model++) if (isActive(piece, model, i)) count++;
        return count;
      };
      return {
        looks:
          r === 0
            ? []
            : [
                piece => {
                  for (let i = 0; i < piece.length; i++) {
                    const count = countAt(piece, i);
                    for (let model = 0; model < models; model++)
                      if (isActive(piece, model, i)) (count === 1 ? unique : shared)[model]!++;
                  }
                },
              ],
        write(piece, out) {
          lambdas ??= Array.from(unique, (own, i) => 1 + r * Math.min(alpha, shared[i]! / Math.max(own, least)));
          for (let i = 0; i < piece.length; i++) {
            const count = countAt(piece, i);
            let delta = 0;
            for (let model = 0; model < models; model++)
              if (isActive(piece, model, i))
                delta += (piece.models[model]![i]! - piece.base![i]!) * (count === 1 ? lambdas[model]! : 1 / count);
            out[i] = piece.base![i]! + delta;
          }
        },
      };
    },
  });

export const ram = variant(
  'ram',
  'What only one model changed is taken whole, what several changed is averaged.',
  {},
  () => ({ r: 0, alpha: 0 }),
);

export const ramPlus = variant(
  'ramplus_tl',
  'As ram; what only one model changed is taken more than whole, by how much that model shares with others.',
  {
    r: perMerge('how much more', { default: 0.1, least: 0 }),
    alpha: perMerge('the quotient of shared and own elements counts up to this', { default: 0.2, least: 0 }),
  },
  ({ r, alpha }) => ({ r: r!, alpha: alpha! }),
);
