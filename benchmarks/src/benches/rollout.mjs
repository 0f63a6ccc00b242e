/** Answers to prompts, sampled token by token. */

import { contestTable, faster, fastest, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { decoderShape, tinyDecoder } from '../decoder-shape.mjs';
import { ours, torches } from '../entries.mjs';
import { plural } from '../table.mjs';

export const name = 'rollout';
export const title = 'Sampling answers';
export const share = 0.08;

export async function run({ threads, quick, seconds, torch }, log) {
  const dims = quick ? tinyDecoder : decoderShape;
  const [prompt, tokens] = quick ? [16, 4] : [128, 48];
  const parts = [];
  for (const count of threads)
    for (const batch of [1, 16]) {
      const options = { threads: count, dims, batch, prompt, tokens };
      const ring = await Ring.open(
        [
          ours('heddle', 'Heddle onnx:cpu', 'rollout-heddle.mjs', options),
          // transformers comes with some PyTorch or with none: it says so itself.
          ...torches(torch, 'transformers_generate.py', options).map(entry => ({
            ...entry,
            key: 'transformers',
            name: `transformers, ${entry.name}`,
          })),
        ],
        log,
      );
      const limits = quick ? { warmup: 1, least: 2, most: 2 } : { warmup: 1, least: 5, most: 20 };
      const records = await ring.contest({ ...limits, seconds });
      await ring.close();
      parts.push({ threads: count, batch, records });
    }
  return { dims, prompt, tokens, parts };
}

export function render({ dims, prompt, tokens, parts }) {
  const { V, D, L, H, G, F } = dims;
  return [
    `Llama-like: width ${D}, ${L} layers, ${H}/${G} heads, feed-forward ${F}, vocabulary ${V}, float32; prompts of ${prompt} tokens, read once, and ${tokens} tokens each at temperature 1, with their log-probabilities on our side. Weights are drawn by each for itself.`,
    ...parts.flatMap(({ threads, batch, records }) => [
      `### ${plural(threads, 'thread')}, ${plural(batch, 'answer')} at once`,
      contestTable(records, { unit: 'tokens/s', work: batch * tokens, against: [['transformers', '× transformers']] }),
      skippedLines(records).join('\n'),
    ]),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.map(({ threads, batch, records }) => [
      `rollout-${batch}-t${threads}`,
      faster(fastest(records, 'heddle'), fastest(records, 'transformers')),
    ]),
  );
