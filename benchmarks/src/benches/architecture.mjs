/** A training step of EMHA and of PartialFormer beside the same models in PyTorch. */

import { createModel, models, parameters, shape, tiny, titles } from '../architecture-shape.mjs';
import { contestTable, faster, fastest, lossGap, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { ours, torches } from '../entries.mjs';
import { plural } from '../table.mjs';

export const name = 'architecture';
export const title = 'Training steps of the two architectures';
export const share = 0.04;

const compared = 12;

export async function run({ threads, quick, seconds, torch }, log) {
  const dims = quick ? tiny : shape;
  const parts = [];
  for (const count of threads)
    for (const model of models) {
      const options = { threads: count, dims, model };
      const list = { ...options, parameters: parameters(createModel(model, dims)) };
      const ring = await Ring.open(
        [
          ours('heddle', 'Heddle onnx:cpu', 'architecture-heddle.mjs', options),
          ...torches(torch, 'torch_architecture.py', list, ['plain', 'fused'], {
            plain: 'as published',
            fused: 'mixed keys, products, fused Adam',
          }),
        ],
        log,
      );
      // Twelve steps at least, so that the losses can be compared; the first two are never timed.
      const limits = { warmup: 2, least: compared - 2, most: quick ? compared - 2 : 60 };
      const records = await ring.contest({ ...limits, seconds });
      await ring.close();
      parts.push({ model, threads: count, records });
    }
  return { dims, parts };
}

const asPublished = records => records.filter(r => r.key !== 'torch' || r.name.includes('as published'));

export function render({ dims: { V, D, L, H, F, E, B, T }, parts }) {
  return [
    `Decoders of width ${D}, ${L} layers, ${H} heads, vocabulary ${V}, feed-forward ${F} (PartialFormer: ${E} heads with one each), ${B} × ${T} tokens, Adam. The same weights and data for all; “loss gap” is the largest relative difference from PyTorch's losses over the first ${compared} steps.`,
    ...parts.flatMap(({ model, threads, records }) => {
      const reference = records.find(r => r.key === 'torch' && r.values.length > 0);
      const gap = r => (r === reference ? 'reference' : lossGap(r, reference, compared).toExponential(1));
      return [
        `### ${titles[model]}, ${plural(threads, 'thread')}`,
        contestTable(records, {
          unit: 'tokens/s',
          work: B * T,
          against: [['torch', '× fastest PyTorch']],
          extra: reference ? [['loss gap', gap]] : [],
        }),
        skippedLines(records).join('\n'),
      ];
    }),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.flatMap(({ model, threads, records }) => {
      const heddle = fastest(records, 'heddle');
      return [
        [`architecture-${model}-t${threads}`, faster(heddle, fastest(records, 'torch'))],
        [`architecture-${model}-published-t${threads}`, faster(heddle, fastest(asPublished(records), 'torch'))],
      ];
    }),
  );
