/** A thousand sentences translated greedily, beside the same model in PyTorch. */

import { parameters } from '../architecture-shape.mjs';
import { contestTable, faster, fastest, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { ours, torches } from '../entries.mjs';
import { plural } from '../table.mjs';
import { createModel, shape, tiny } from '../translation-shape.mjs';

export const name = 'translate';
export const title = 'Greedy translation';
export const share = 0.08;

export async function run({ threads, quick, seconds, torch }, log) {
  const dims = quick ? tiny : shape;
  const parts = [];
  for (const count of threads) {
    const options = { threads: count, dims };
    const list = { ...options, parameters: parameters(createModel(dims)) };
    const ring = await Ring.open(
      [
        ours('heddle', 'Heddle onnx:cpu', 'translate-heddle.mjs', options),
        ...torches(torch, 'torch_translate.py', list, ['plain', 'fused'], { fused: 'fused attention' }),
      ],
      log,
    );
    const limits = quick ? { warmup: 1, least: 2, most: 2 } : { warmup: 1, least: 5, most: 20 };
    const records = await ring.contest({ ...limits, seconds });
    await ring.close();
    parts.push({ threads: count, records });
  }
  return { dims, parts };
}

export function render({ dims: { V, D, L, H, F, S, batch, sentences, tokens }, parts }) {
  const same = records => {
    const reference = records.find(r => r.key === 'torch' && r.values.length > 0);
    return r => (r === reference ? 'reference' : reference?.values[0] === r.values[0] ? 'yes' : 'no');
  };
  return [
    `Encoder and decoder of width ${D}, ${L} layers each, ${H} heads, feed-forward ${F}, vocabulary ${V}; ${sentences} sentences of 6 to ${S} tokens, ${batch} at once, ${tokens} tokens written for each. The same weights for all; “same texts” says whether every token of every sentence is PyTorch's.`,
    ...parts.flatMap(({ threads, records }) => [
      `### ${plural(threads, 'thread')}`,
      contestTable(records, {
        unit: 'tokens/s',
        work: sentences * tokens,
        against: [['torch', '× fastest PyTorch']],
        extra: [['same texts', same(records)]],
      }),
      skippedLines(records).join('\n'),
    ]),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.map(({ threads, records }) => [
      `translate-torch-t${threads}`,
      faster(fastest(records, 'heddle'), fastest(records, 'torch')),
    ]),
  );
