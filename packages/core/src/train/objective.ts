/** What a run minimises. */

import { logProbabilities, logProbability, pick } from '../tensor/ops/pick.js';
import { i32, f32, type Types } from '../ir/types.js';
import { full, where, type Tensor } from '../tensor/tensor.js';
import type { AnyLayer, Bound } from '../model/layer.js';

/**
 * A loss before division: batches of unequal weight add up rightly only if sums and counts stay apart.
 * The loss is `sum / count`.
 */
export interface Loss {
  /** f32[] */
  readonly sum: Tensor;
  /** f32[], at least 1 unless the batch is empty. */
  readonly count: Tensor;
  /** f32[] each, summed like the loss and divided by the same count. */
  readonly metrics?: Readonly<Record<string, Tensor>>;
}

export interface Objective<M extends AnyLayer = AnyLayer> {
  readonly name: string;
  /** Names and types of what it reads from a batch. */
  batch(batch: number, length: number): Types;
  loss(model: Bound<M>, batch: Readonly<Record<string, Tensor>>): Loss;
}

export interface NextTokenOptions {
  /** Share of the target's weight that is spread evenly over the vocabulary. */
  readonly labelSmoothing?: number;
  /** `torch` spreads over all V tokens, `fairseq` over the other V - 1. */
  readonly smoothing?: 'torch' | 'fairseq';
}

/** Language modelling: mean negative log-probability of the next token over unmasked positions. */
export const nextToken = (options: NextTokenOptions = {}): Objective => ({
  name: 'nextToken',
  batch: (batch, length) => ({ ids: i32(batch, length), targets: i32(batch, length), mask: f32(batch, length) }),
  loss(model, { ids, targets, mask }) {
    return tokenLoss((model as unknown as (ids: Tensor) => Tensor)(ids!), targets!, mask!, options);
  },
});

/**
 * The same with a source for each text: translation, summarisation, correction. For encoder-decoder models.
 *
 * `batch` gives sources and texts one length; batches may have one for each.
 */
export const sequenceToSequence = (options: NextTokenOptions = {}): Objective => ({
  name: 'sequenceToSequence',
  batch: (batch, length) => ({
    source: i32(batch, length),
    sourceMask: f32(batch, length),
    ids: i32(batch, length),
    targets: i32(batch, length),
    mask: f32(batch, length),
  }),
  loss(model, { source, sourceMask, ids, targets, mask }) {
    const read = model as unknown as (source: Tensor, sourceMask: Tensor, ids: Tensor) => Tensor;
    return tokenLoss(read(source!, sourceMask!, ids!), targets!, mask!, options);
  },
});

/**
 * The class of each row, for classifiers: tokens are `ids` i32[B, T], or `features` f32[B, T, F] where a batch has them;
 * `tokenMask` f32[B, T] may be left out where every row is full. Rows with `mask` 0 are nobody. Beside the loss: accuracy.
 */
export const classification = (options: NextTokenOptions = {}): Objective => ({
  name: 'classification',
  batch: (batch, length) => ({ ids: i32(batch, length), tokenMask: f32(batch, length), labels: i32(batch), mask: f32(batch) }), // prettier-ignore
  loss(model, { ids, features, tokenMask, labels, mask }) {
    const tokens = (features ?? ids)!;
    const classify = model as unknown as (tokens: Tensor, tokenMask: Tensor) => Tensor;
    const logits = classify(tokens, tokenMask ?? full(tokens.shape.slice(0, 2), 1));
    const loss = crossEntropy(logits, labels!, mask!, options);
    const right = where(pick(logits, labels!).less(logits.max(-1)), 0, 1)
      .mul(mask!)
      .sum();
    return { ...loss, metrics: { ...loss.metrics, accuracy: right } };
  },
});

/** @shape logits [B, T, V], targets i32[B, T], mask [B, T] */
const tokenLoss = (logits: Tensor, targets: Tensor, mask: Tensor, options: NextTokenOptions): Loss =>
  crossEntropy(logits.reshape(-1, logits.shape.at(-1)!), targets.reshape(-1), mask.reshape(-1), options);

/**
 * Cross entropy of rows, weighted.
 *
 * @shape logits [N, V], target i32[N], weight [N] (0 leaves a row out)
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  weight: Tensor,
  { labelSmoothing = 0, smoothing = 'torch' }: NextTokenOptions = {},
): Loss {
  const count = weight.sum();
  if (labelSmoothing === 0) {
    return { sum: logProbability(logits, target).mul(weight).sum().neg(), count };
  }
  const V = logits.shape.at(-1)!;
  const spread = smoothing === 'torch' ? labelSmoothing / V : labelSmoothing / (V - 1);
  const sure = smoothing === 'torch' ? 1 - labelSmoothing : 1 - labelSmoothing - spread;
  const { own, total } = logProbabilities(logits, target);
  return {
    sum: own.mul(sure).add(total.mul(spread)).mul(weight).sum().neg(),
    count,
    metrics: { nll: own.mul(weight).sum().neg() },
  };
}
