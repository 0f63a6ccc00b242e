/** Losses of the kernel: cross entropy with both ways of smoothing, and distillation. */

import { crossEntropy, type NextTokenOptions } from '../train/objective.js';
import { logSoftmax, softmax } from '../tensor/ops/softmax.js';
import { concat, type Tensor } from '../tensor/tensor.js';
import type { HostTensor } from '../ir/types.js';
import { compareRow, numberAt, type Family, type Row } from './row.js';

/** Targets that stand for nothing get token 0 and weight 0. */
const leaveOut =
  (ignored: number) =>
  (feeds: Record<string, HostTensor>): Record<string, HostTensor> => {
    const target = feeds['target']!;
    const weight: HostTensor = {
      dtype: 'f32',
      shape: target.shape,
      data: Float32Array.from(target.data, t => (t === ignored ? 0 : 1)),
    };
    return {
      ...feeds,
      target: { ...target, data: Int32Array.from(target.data, t => (t === ignored ? 0 : t)) },
      weight,
    };
  };

/** PyTorch puts classes on axis 1 when there are axes after it. @returns logits [N, V], target [N], weight [N] */
function rowsOf({ logits, target, weight }: Readonly<Record<string, Tensor>>): readonly [Tensor, Tensor, Tensor] {
  const last = logits!.shape.slice(0, -1).join() === target!.shape.join();
  const order = [0, ...[...logits!.shape.keys()].slice(2), 1];
  const moved = last ? logits! : logits!.transpose(...order);
  return [moved.reshape(-1, moved.shape.at(-1)!), target!.reshape(-1), weight!.reshape(-1)];
}

function reduced(
  row: Row,
  x: Readonly<Record<string, Tensor>>,
  options: NextTokenOptions,
): { readonly loss: Tensor; readonly nll: Tensor } {
  const [logits, target, weight] = rowsOf(x);
  const reduction = String(row.params?.['reduction'] ?? 'mean');
  if (reduction === 'none') {
    const each = Array.from({ length: logits.shape[0]! }, (_, i) =>
      crossEntropy(logits.slice(0, i, i + 1), target.slice(0, i, i + 1), weight.slice(0, i, i + 1), options),
    );
    const column = (parts: readonly Tensor[]): Tensor =>
      concat(
        parts.map(t => t.reshape(1)),
        0,
      ).reshape(...x['target']!.shape);
    return {
      loss: column(each.map(({ sum }) => sum)),
      nll: column(each.map(({ sum, metrics }) => metrics?.['nll'] ?? sum)),
    };
  }
  const { sum, count, metrics } = crossEntropy(logits, target, weight, options);
  const nll = metrics?.['nll'] ?? sum;
  if (reduction === 'sum') return { loss: sum, nll };
  if (reduction === 'mean') return { loss: sum.div(count), nll: nll.div(count) };
  throw new Error(`params.reduction: expected none, sum or mean, received ${reduction}`);
}

const torchCrossEntropy: Family = row =>
  compareRow(
    row,
    x => ({ loss: reduced(row, x, { labelSmoothing: numberAt(row, 'labelSmoothing', 0) }).loss }),
    leaveOut(numberAt(row, 'ignoreIndex', -100)),
  );

const fairseq: Family = row =>
  compareRow(
    row,
    x => {
      const { loss, nll } = reduced({ ...row, params: { reduction: 'sum', ...row.params } }, x, {
        labelSmoothing: numberAt(row, 'eps', 0),
        smoothing: 'fairseq',
      });
      return { loss, nllLoss: nll };
    },
    leaveOut(numberAt(row, 'padIndex', -100)),
  );

/** KL(teacher || student) of softened distributions. */
const distillation: Family = row =>
  compareRow(row, ({ student, teacher }) => {
    const T = numberAt(row, 'temperature', 1);
    const reduction = String(row.params?.['reduction'] ?? 'batchmean');
    const target = softmax(teacher!.div(T)).stopGradient();
    const cells = target.mul(
      logSoftmax(teacher!.div(T))
        .stopGradient()
        .sub(logSoftmax(student!.div(T))),
    );
    const loss = /none/.test(reduction)
      ? cells
      : /batch/.test(reduction)
        ? cells.sum().div(student!.shape[0]!)
        : /mean/.test(reduction)
          ? cells.mean()
          : cells.sum();
    return { loss: /T\s*\^\s*2|T\*\*2|T²/.test(reduction) ? loss.mul(T * T) : loss };
  });

export const losses: Readonly<Record<string, Family>> = {
  'cross-entropy': torchCrossEntropy,
  'fairseq-label-smoothed-nll': fairseq,
  'kd-kl': distillation,
};
