import { clip, constant, where, type Tensor } from '@heddle/core';
import { arccos, dotOf, lengthOf } from '../parts/angle.js';
import { define, perMerge, perModel, total } from '../parts/define.js';
import { combined, combinedLength, lengths, type Gram } from '../parts/gram.js';
import { weightedSum } from '../parts/sums.js';

/** Shares of the models: their weights, where a recipe gives some; else equal. */
const sharesOf = (each: readonly Readonly<Record<string, number>>[]): readonly number[] => {
  const weights = each.map(values => values['weight'] ?? 1);
  return weights.map(w => w / total(weights));
};

/** At the opposite of a model no direction leads to it, so it does not pull. */
const antipode = -1 + 1e-6;

/**
 * The same iteration on factors instead of vectors: every point it visits is a combination of the models.
 */
function factorsOf(gram: Gram, shares: readonly number[], rounds: number, tolerance: number): readonly number[] {
  const sizes = lengths(gram);
  const heard = sizes.map(size => size > tolerance);
  const sum = total(shares.filter((_, i) => heard[i]));
  const alpha = shares.map((share, i) => (heard[i] ? share / sum : 0));
  if (sum === 0) return shares.map(() => 0);
  const inUnits = (factors: readonly number[]): readonly number[] =>
    factors.map((factor, i) => (heard[i] ? factor / sizes[i]! : 0));
  const sizeOf = (factors: readonly number[]): number => combinedLength(gram, inUnits(factors));
  const scale = (factors: readonly number[], by: number): readonly number[] => factors.map(factor => factor * by);

  const start = sizeOf(alpha);
  let u = start > tolerance ? scale(alpha, 1 / start) : alpha.map((_, i) => (i === heard.indexOf(true) ? 1 : 0));
  for (let round = 0; round < rounds; round++) {
    const own = inUnits(u);
    const step = new Array<number>(u.length).fill(0);
    for (const [i, a] of alpha.entries()) {
      if (!heard[i]) continue;
      const cosine = Math.min(1, Math.max(-1, total(own.map((factor, j) => factor * gram[i]![j]!)) / sizes[i]!));
      const angle = Math.acos(cosine);
      if (angle < tolerance || cosine < antipode) continue;
      const pull = a * (angle / Math.sin(angle));
      step[i]! += pull;
      for (const [j, factor] of u.entries()) step[j]! -= pull * cosine * factor;
    }
    const length = sizeOf(step);
    if (!(length >= tolerance)) break;
    const next = u.map((factor, i) => Math.cos(length) * factor + (Math.sin(length) * step[i]!) / length);
    const size = sizeOf(next);
    u = size > tolerance ? scale(next, 1 / size) : next;
  }
  const size = total(alpha.map((a, i) => a * sizes[i]!));
  return inUnits(scale(u, size));
}

export const karcher = define({
  name: 'karcher',
  describe: 'The point of the sphere nearest to all models (Karcher mean), as long as they are on the average.',
  laws: { orderIndependent: true, needsBase: false, takesBase: 'model' },
  parameters: {
    weight: perModel('share of the model; equal where none is given', { default: 1, least: 0 }),
    max_iter: perMerge('steps at most', { default: 10, least: 0 }),
    tol: perMerge('stop at steps shorter than this', { default: 1e-5, least: 0 }),
  },
  merge({ models, options, each }) {
    const tolerance = options['tol']!;
    const sizes = models.map(model => lengthOf(model));
    const one = constant([1], [1]);
    const heard = sizes.map(size => where(size.greater(tolerance), one, 0));
    const shares = sharesOf(each);
    const sum = heard.map((h, i) => h.mul(shares[i]!)).reduce((a, b) => a.add(b));
    const alpha = heard.map((h, i) => h.mul(shares[i]!).div(where(sum.equal(0), 1, sum)));
    const units = models.map((model, i) => model.div(where(sizes[i]!.greater(tolerance), sizes[i]!, 1)));
    const mix = (factors: readonly Tensor[]): Tensor =>
      units.map((u, i) => u.mul(factors[i]!)).reduce((a, b) => a.add(b));
    const normal = (x: Tensor, otherwise: Tensor): Tensor => {
      const size = lengthOf(x);
      const tiny = where(size.greater(tolerance), 0, one).cast('bool');
      return where(tiny, otherwise, x.div(where(tiny, 1, size)));
    };
    let u = normal(mix(alpha), units[0]!);
    let moving: Tensor = one.mul(1).reshape(...sizes[0]!.shape);
    for (let round = 0; round < options['max_iter']!; round++) {
      const cosines = units.map(x => clip(dotOf(x, u), -1, 1));
      const step = units
        .map((x, i) => {
          const angle = arccos(cosines[i]!);
          const still = where(angle.less(tolerance), one, where(cosines[i]!.less(antipode), one, 0)).greater(0);
          const pull = where(still, 0, angle.div(where(still, 1, angle.sin()))).mul(alpha[i]!);
          return x.sub(u.mul(cosines[i]!)).mul(pull);
        })
        .reduce((a, b) => a.add(b));
      const length = lengthOf(step);
      moving = moving.mul(where(length.less(tolerance), 0, one));
      const goes = moving.greater(0);
      const next = u.mul(length.cos()).add(step.mul(length.sin().div(where(goes, length, 1))));
      u = where(goes, normal(next, next), u);
    }
    return u.mul(weightedSum(sizes.map((size, i) => size.mul(alpha[i]!)), sizes.map(() => 1))); // prettier-ignore
  },
  stream(task) {
    const shares = sharesOf(task.each);
    return combined(task, gram => factorsOf(gram, shares, task.options['max_iter']!, task.options['tol']!));
  },
});
