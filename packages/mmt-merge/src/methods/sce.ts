import { constant, where, type MergeArray, type MergePiece } from '@heddle/core';
import { baseOf, define, perMerge, total } from '../parts/define.js';
import { cutAt, magnitudeMaskOp, selector } from '../parts/select.js';
import { subtract } from '../parts/sums.js';

/** How many of the places where models differ at all are kept. */
const wanted = (varying: number, share: number): number => Math.trunc(varying * share);
const least = 1e-6;

/** Each model's share by the mean square of its difference; equal where there is none. */
function sharesOf(squares: readonly number[]): readonly number[] {
  const sum = total(squares);
  return squares.map(square => (sum < least ? 1 / squares.length : square / sum));
}

export const sce = define({
  name: 'sce',
  describe:
    'Selects the places where models vary most, weighs models by energy, erases minority signs (Wan et al. 2024).',
  laws: { orderIndependent: true, needsBase: true },
  parameters: { select_topk: perMerge('share of the varying places that are kept', { default: 1, least: 0, most: 1 }) },
  merge(inputs) {
    const base = baseOf('sce', inputs);
    const share = inputs.options['select_topk']!;
    const one = constant([1], [1]);
    let vectors = inputs.models.map(model => model.sub(base));
    if (share < 1 && vectors.length > 1) {
      const mean = vectors.reduce((a, b) => a.add(b)).mul(1 / vectors.length);
      const variance = vectors.map(d => d.sub(mean).square()).reduce((a, b) => a.add(b)).mul(1 / vectors.length); // prettier-ignore
      const flat = variance.reshape(variance.size);
      const k = where(flat.greater(0), one, 0).sum(0, { keep: true }).mul(share).add(1e-4).floor();
      const { threshold, place } = cutAt(flat, k);
      const mask = magnitudeMaskOp([flat, threshold, place], {})[0]!.reshape(...base.shape);
      vectors = vectors.map(d => d.mul(mask));
    }
    const squares = vectors.map(d => d.square().mean(undefined, { keep: true }));
    const sum = squares.reduce((a, b) => a.add(b));
    const equal = sum.less(least);
    const weights = squares.map(square => where(equal, 1 / vectors.length, square.div(where(equal, 1, sum))));
    const negative = vectors.reduce((a, b) => a.add(b)).less(0);
    const agrees = vectors.map(d => where(negative, where(d.less(0), one, 0), where(d.greater(0), one, 0)));
    const above = vectors.map((d, i) => d.mul(agrees[i]!).mul(weights[i]!)).reduce((a, b) => a.add(b));
    const below = agrees.map((mask, i) => mask.mul(weights[i]!)).reduce((a, b) => a.add(b));
    return base.add(above.div(where(below.less(least), least, below)));
  },
  stream(task) {
    const { models, elements, options, scratch } = task;
    const share = options['select_topk']!;
    const selects = share < 1 && models > 1;
    let varying = 0;
    const select = selector({ magnitude: true, wanted: () => [wanted(varying, share)] });
    const squares = new Array<number>(models).fill(0);

    const difference = ({ models: all, base, length }: MergePiece): readonly MergeArray[] =>
      all.map((model, at) => {
        const out = scratch(`difference ${at}`);
        subtract(out, model, base!, length);
        return out;
      });
    const variances = (vectors: readonly MergeArray[], length: number): MergeArray => {
      const out = scratch('variance');
      for (let i = 0; i < length; i++) {
        let mean = 0;
        for (const d of vectors) mean += d[i]!;
        mean /= models;
        let sum = 0;
        for (const d of vectors) sum += (d[i]! - mean) * (d[i]! - mean);
        out[i] = sum / models;
      }
      return out;
    };
    const selected = (piece: MergePiece): readonly MergeArray[] => {
      const vectors = difference(piece);
      if (!selects) return vectors;
      const variance = variances(vectors, piece.length);
      const least = select.value(0);
      let left = select.ties(0, piece.start);
      for (let i = 0; i < piece.length; i++) {
        const size = Math.fround(variance[i]!);
        if (size > least || (size === least && left-- > 0)) continue;
        for (const d of vectors) d[i] = 0;
      }
      select.taken(0, Math.max(0, left));
      return vectors;
    };
    let weights: readonly number[] | null = null;
    return {
      looks: [
        ...(selects
          ? [
              (piece: MergePiece): void => {
                const variance = variances(difference(piece), piece.length);
                for (let i = 0; i < piece.length; i++) if (variance[i] !== 0) varying++;
                select.looks[0]!(variance, piece.length);
              },
              (piece: MergePiece): void => select.looks[1]!(variances(difference(piece), piece.length), piece.length),
            ]
          : []),
        piece => {
          for (const [at, d] of selected(piece).entries()) {
            let sum = 0;
            for (let i = 0; i < piece.length; i++) sum += d[i]! * d[i]!;
            squares[at]! += sum / elements;
          }
        },
      ],
      write(piece, out) {
        weights ??= sharesOf(squares);
        const vectors = selected(piece);
        for (let i = 0; i < piece.length; i++) {
          let sum = 0;
          for (const d of vectors) sum += d[i]!;
          let [above, below] = [0, 0];
          for (let at = 0; at < models; at++) {
            const d = vectors[at]![i]!;
            if (sum < 0 ? d >= 0 : d <= 0) continue;
            above += d * weights[at]!;
            below += weights[at]!;
          }
          out[i] = piece.base![i]! + above / Math.max(below, least);
        }
      },
    };
  },
});
