/** Whole models of the golden files. */

import { causalMask, concat, constant, crossEntropy, type Tensor } from '@heddle/core';
import { modelOrigin } from '../fairseq.js';
import { partialFormer } from '../model.js';
import { sinusoids, tokenPositions } from '../positions.js';
import { bindWeights, compare, numberOf, type Family, type GoldenRow } from './row.js';

function idsOf(row: GoldenRow, name: string): Tensor {
  const rows = row.inputs[name] as readonly (readonly number[])[];
  return constant(Int32Array.from(rows.flat()), [rows.length, rows[0]!.length], 'i32');
}

const timeFirst = (x: Tensor): Tensor => x.transpose(1, 0, 2);

export const wholeModel: Family = (id, row) =>
  compare(id, row, (inputs, weights) => {
    const padding = numberOf(row, 'pad', 1);
    const width = numberOf(row, 'C');
    const stack = (depth: string, expand: string, ratio: string, map: string, core: string) => ({
      depth: numberOf(row, depth),
      expandHeads: numberOf(row, expand),
      coreHeads: numberOf(row, core, numberOf(row, 'G')),
      ratio: numberOf(row, ratio),
      globalMap: row.config[map] !== false,
    });
    const model = partialFormer({
      vocabulary: numberOf(row, 'vocab'),
      length: 64,
      width,
      heads: numberOf(row, 'h'),
      padding,
      preNorm: row.config['pre_norm'] !== false,
      encoder: stack('Le', 'E', 'r', 'encoder_global', 'G'),
      decoder: stack('Ld', 'dE', 'dr', 'decoder_global', 'dG'),
      block: { scaling: row.config['use_hdp'] === false ? 'naive' : 'complex' },
    });
    const bound = bindWeights(model, modelOrigin, weights);
    const [source, target] = [idsOf(row, 'src_tokens'), idsOf(row, 'prev_output_tokens')];
    const encoded = model.encode(bound, source);
    const { logits, states } = model.decode(bound, target, encoded);
    const gold = idsOf(row, 'target').reshape(-1);
    const weight = gold.equal(padding).cast('f32').neg().add(1);
    const rows = logits.reshape(-1, logits.shape.at(-1)!);
    const { sum, metrics } = crossEntropy(rows, gold, weight, {
      labelSmoothing: numberOf(row, 'label_smoothing', 0.1),
      smoothing: 'torch', // the fork's fairseq is of before 2021: the smoothed share goes to all V tokens
    });
    const numbered = (name: string, all: readonly Tensor[]): Record<string, Tensor> =>
      Object.fromEntries(all.map((x, i) => [`${name}.${i}`, timeFirst(x)]));
    return {
      outputs: {
        out: logits,
        encoder_out: timeFirst(encoded.out),
        ...numbered('encoder_states', encoded.states),
        ...numbered('decoder_inner_states', states),
        positional_rows: sinusoids(64, width, padding).gather(tokenPositions(source, padding)),
        label_smoothed_loss_sum: sum,
        nll_sum: metrics!['nll']!,
        '~steps': stepwise(model, bound, target, encoded, padding).sub(logits),
      },
      loss: logits.mul(inputs['loss_weight']!).sum(),
    };
  });

/** The same logits, token by token over what is remembered. @shape target i32[B, T] -> [B, T, V] */
function stepwise(
  model: ReturnType<typeof partialFormer>,
  bound: Parameters<typeof model.encode>[0],
  target: Tensor,
  encoded: ReturnType<typeof model.encode>,
  padding: number,
): Tensor {
  const T = target.shape[1]!;
  const positions = tokenPositions(target, padding);
  const hidden = causalMask(T)
    .reshape(1, 1, T, T)
    .add(target.equal(padding).cast('f32').mul(-1e9).reshape(target.shape[0]!, 1, 1, T));
  const cross = model.crossKeysAndValues(bound, encoded);
  const past = new Map<string, Tensor>();
  const remember = (name: string, rows: Tensor): Tensor => {
    const before = past.get(name);
    const all = before ? concat([before, rows], 2) : rows;
    past.set(name, all);
    return all;
  };
  const steps = Array.from(
    { length: T },
    (_, t) =>
      model.decode(bound, target.slice(1, t, t + 1), encoded, {
        positions: positions.slice(1, t, t + 1),
        mask: hidden.slice(2, t, t + 1).slice(3, 0, t + 1),
        remember,
        cross,
        start: t,
      }).logits,
  );
  return concat(steps, 1);
}
