import { abs, softmax, where, type MergeArray, type MergePiece } from '@heddle/core';
import { baseOf, define } from '../parts/define.js';
import { kthLargest, selector } from '../parts/select.js';

const smoothing = 1e-8;

/** Which of n numbers in falling order stands at a quantile: floor(q (n - 1)) in rising order. */
const ranks = (n: number): readonly [number, number, number] => {
  const rank = (q: number): number => n - Math.floor(q * (n - 1));
  return [rank(0.25), rank(0.5), rank(0.75)];
};

export const arceeFusion = define({
  name: 'arcee_fusion',
  describe: 'Takes over from the model what is important beyond the ordinary: change times divergence of its row.',
  laws: { orderIndependent: false, needsBase: true, models: { most: 1 }, selective: true },
  merge(inputs) {
    const base = baseOf('arcee_fusion', inputs);
    const model = inputs.models[0]!;
    const [p, q] = [softmax(model).add(smoothing), softmax(base).add(smoothing)];
    const divergence = p.mul(p.div(q).log()).sum(-1, { keep: true });
    const importance = abs(model.sub(base)).mul(divergence);
    const flat = importance.reshape(importance.size);
    const [lower, median, upper] = ranks(flat.size).map(k => kthLargest(flat, k));
    const threshold = median!.add(upper!.sub(lower!).mul(1.5));
    return where(flat.less(threshold).reshape(...base.shape), base, model);
  },
  stream(task) {
    const { elements, columns, scratch } = task;
    const select = selector({ magnitude: false, wanted: () => ranks(elements) });
    const importances = ({ base, models: [model], length }: MergePiece): MergeArray => {
      const out = scratch('importance');
      for (let row = 0; row < length; row += columns) {
        const divergence = divergenceOf(model!, base!, row, columns);
        for (let i = row; i < row + columns; i++) out[i] = Math.abs(model![i]! - base![i]!) * divergence;
      }
      return out;
    };
    return {
      looks: select.looks.map(look => (piece: MergePiece) => look(importances(piece), piece.length)),
      write(piece, out) {
        const threshold = select.value(1) + 1.5 * (select.value(2) - select.value(0));
        const importance = importances(piece);
        for (let i = 0; i < piece.length; i++)
          out[i] = importance[i]! >= threshold ? piece.models[0]![i]! : piece.base![i]!;
      },
    };
  },
});

/** Kullback-Leibler divergence of the softmax of two rows, smoothed. */
function divergenceOf(x: MergeArray, y: MergeArray, from: number, columns: number): number {
  const [a, b] = [softmaxOf(x, from, columns), softmaxOf(y, from, columns)];
  let sum = 0;
  for (let i = from; i < from + columns; i++) {
    const p = Math.exp(x[i]! - a.top) / a.sum + smoothing;
    const q = Math.exp(y[i]! - b.top) / b.sum + smoothing;
    sum += p * Math.log(p / q);
  }
  return sum;
}

function softmaxOf(x: MergeArray, from: number, columns: number): { readonly top: number; readonly sum: number } {
  let top = -Infinity;
  for (let i = from; i < from + columns; i++) top = Math.max(top, x[i]!);
  let sum = 0;
  for (let i = from; i < from + columns; i++) sum += Math.exp(x[i]! - top);
  return { top, sum };
}
