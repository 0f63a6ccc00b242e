import { where, type Tensor } from '@heddle/core';
import { dotOf, lengthOf, maximumOf } from '../parts/angle.js';
import { baseOf, define, flag, total } from '../parts/define.js';
import { combined, lengths, Products, type Gram } from '../parts/gram.js';
import { addScaled, directions, sumInto } from '../parts/sums.js';

const least = 1e-6;

/** How far from the base, by the mean cosine of the models' differences from it: nothing in common, no step. */
const ratio = (count: number, cosine: number): number => {
  const below = 1 + (count - 1) * cosine;
  return Math.abs(below) < 1e-12 ? 0 : (count * cosine) / below;
};

function ratioOf(gram: Gram): number {
  const sizes = lengths(gram);
  const cosines = sizes.flatMap((a, i) =>
    sizes.slice(i + 1).map((b, j) => Math.min(1, Math.max(-1, gram[i]![i + 1 + j]! / Math.max(a * b, least)))),
  );
  return cosines.length === 0 ? 1 : ratio(sizes.length, total(cosines) / cosines.length);
}

export const modelStock = define({
  name: 'model_stock',
  describe: 'Mean of the models, drawn towards the base as far as they disagree (Jang et al. 2024).',
  laws: { orderIndependent: true, needsBase: true, models: { least: 2 } },
  parameters: { filter_wise: flag('a step of its own for each row', false) },
  merge(inputs) {
    const base = baseOf('model_stock', inputs);
    const { models, options } = inputs;
    const offsets = models.map(model => model.sub(base));
    const mean = offsets.reduce((a, b) => a.add(b)).mul(1 / models.length);
    if (models.length === 1) return base.add(mean);
    const axes = options['filter_wise'] === 1 && base.rank > 1 ? [-1] : undefined;
    const sizes = offsets.map(offset => lengthOf(offset, axes));
    const cosines = offsets.flatMap((x, i) =>
      offsets.slice(i + 1).map((y, j) => {
        const cosine = dotOf(x, y, axes).div(maximumOf(sizes[i]!.mul(sizes[i + 1 + j]!), least));
        return where(cosine.greater(1), 1, where(cosine.less(-1), -1, cosine));
      }),
    );
    const cosine: Tensor = cosines.reduce((a, b) => a.add(b)).mul(1 / cosines.length);
    const below = cosine.mul(models.length - 1).add(1);
    const stuck = below.square().less(1e-24);
    return base.add(mean.mul(where(stuck, 0, cosine.mul(models.length).div(where(stuck, 1, below)))));
  },
  stream(task) {
    const { models, columns, options } = task;
    if (options['filter_wise'] !== 1)
      return combined(task, gram => new Array<number>(models).fill(ratioOf(gram) / models));
    return {
      looks: [],
      write(piece, out) {
        const offsets = directions(task, piece);
        for (let row = 0; row < piece.length; row += columns) {
          const products = new Products(models);
          products.add(offsets, row, columns);
          const rows = offsets.map(offset => offset.subarray(row, row + columns));
          const part = out.subarray(row, row + columns);
          sumInto(part, rows, new Array<number>(models).fill(ratioOf(products.gram) / models), columns);
        }
        addScaled(out, piece.base!, 1, piece.length);
      },
    };
  },
});
