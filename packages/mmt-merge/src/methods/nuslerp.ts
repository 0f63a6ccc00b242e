import type { MergeTask } from '@heddle/core';
import { dotOf, lengthOf, maximumOf } from '../parts/angle.js';
import { define, flag, weight, weightsOf } from '../parts/define.js';
import { slerpFactors, slerpOp } from '../parts/spherical.js';
import { addScaled, directions, dot, sumInto } from '../parts/sums.js';

/** Nearer to parallel, or to opposite, a cosine in float32 says nothing about the angle. */
const limit = 1 - 1e-6;
const least = 1e-7;

/** The second model's share of the two weights; half where they cancel. A lone model is all there is. */
function shareOf([first = 0, second]: readonly number[]): number {
  if (second === undefined) return 0;
  return Math.abs(first + second) < 1e-6 ? 0.5 : second / (first + second);
}

export const nuslerp = define({
  name: 'nuslerp',
  describe:
    'Between two models along an arc; from a base, between their differences from it. Whole tensors, rows or columns.',
  laws: { orderIndependent: true, needsBase: false, takesBase: 'base', models: { least: 1, most: 2 } },
  parameters: {
    weight,
    nuslerp_flatten: flag('each tensor is one vector', true),
    nuslerp_row_wise: flag('if not flat: vectors run along the first axis instead of the last', false),
  },
  merge(inputs) {
    const { models, base, options } = inputs;
    const [x, z = x] = (base === null ? models : models.map(model => model.sub(base))) as typeof models;
    const axes =
      x!.rank < 2 || options['nuslerp_flatten'] === 1 ? undefined : [options['nuslerp_row_wise'] === 1 ? 0 : -1];
    const lengths = maximumOf(lengthOf(x!, axes), least).mul(maximumOf(lengthOf(z!, axes), least));
    const cosine = dotOf(x!, z!, axes).div(lengths);
    const between = slerpOp([x!, z!, cosine], { t: shareOf(weightsOf(inputs)), limit })[0]!;
    return base === null ? between : between.add(base);
  },
  stream(task) {
    const { options, elements, columns, models: count } = task;
    const t = count === 1 ? 0 : shareOf(weightsOf(task));
    const flat = options['nuslerp_flatten'] === 1 || elements === columns;
    const byColumn = !flat && options['nuslerp_row_wise'] === 1;
    const factorsOf = (xx: number, xz: number, zz: number): readonly [number, number] =>
      slerpFactors(xz / (Math.max(Math.sqrt(xx), least) * Math.max(Math.sqrt(zz), least)), t, limit);
    // One sum for the whole tensor, or one for each place along the axes that are kept.
    const vectors = flat ? 1 : byColumn ? columnsBelowFirst(task) : 0;
    const sums = [0, 1, 2].map(() => new Float64Array(vectors));
    let factors: readonly (readonly [number, number])[] | null = null;
    return {
      looks:
        vectors === 0
          ? []
          : [
              piece => {
                const [x, z = x] = directions(task, piece);
                const [xx, xz, zz] = sums as [Float64Array, Float64Array, Float64Array];
                for (
                  let i = 0, at = piece.start % vectors;
                  i < piece.length;
                  i++, at = at + 1 === vectors ? 0 : at + 1
                ) {
                  xx[at]! += x![i]! * x![i]!;
                  xz[at]! += x![i]! * z![i]!;
                  zz[at]! += z![i]! * z![i]!;
                }
              },
            ],
      write(piece, out) {
        const { start, length, base } = piece;
        const [x, z = x] = directions(task, piece);
        if (vectors > 0) {
          factors ??= Array.from(sums[0]!, (xx, at) => factorsOf(xx, sums[1]![at]!, sums[2]![at]!));
          if (vectors === 1) sumInto(out, [x!, z!], factors[0]!, length);
          else
            for (let i = 0; i < length; i++) {
              const [a, b] = factors[(start + i) % vectors]!;
              out[i] = a * x![i]! + b * z![i]!;
            }
        } else {
          for (let row = 0; row < length; row += columns) {
            const [a, b] = factorsOf(dot(x!, x!, row, columns), dot(x!, z!, row, columns), dot(z!, z!, row, columns));
            for (let i = row; i < row + columns; i++) out[i] = a * x![i]! + b * z![i]!;
          }
        }
        if (base !== null) addScaled(out, base, 1, length);
      },
    };
  },
});

/** Numbers that stand at the same place along the first axis. */
const columnsBelowFirst = ({ shape, elements }: MergeTask): number => elements / shape[0]!;
