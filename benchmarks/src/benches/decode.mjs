/** Decoding with a cache: one token a row and step, greedily. */

import { contestTable, faster, fastest, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { decoderShape, tinyDecoder } from '../decoder-shape.mjs';
import { ours } from '../entries.mjs';
import { plural } from '../table.mjs';

export const name = 'decode';
export const title = 'Decoding with a KV cache, 100 M parameters';
export const share = 0.055;

const compared = 12;

export async function run({ threads, quick, seconds }, log) {
  const dims = quick ? tinyDecoder : decoderShape;
  const batches = quick ? [1, 2] : [1, 16];
  const parts = [];
  for (const count of threads) {
    for (const batch of batches) {
      const options = { threads: count, dims, batch };
      const ring = await Ring.open(
        [
          ours('heddle', 'Heddle session', 'decode-heddle.mjs', options),
          ours('heddle-generator', 'Heddle generator', 'decode-generator.mjs', options),
          ours('handbuilt', 'hand-built graph, onnxruntime-node', 'decode-onnxruntime.mjs', options),
        ],
        log,
      );
      const limits = quick ? { warmup: 2, least: compared, most: compared } : { warmup: 3, least: compared, most: 200 };
      const records = await ring.contest({ ...limits, seconds: seconds / batches.length });
      await ring.close();
      parts.push({ threads: count, batch, records });
    }
  }
  return { dims, parts };
}

/** Whether the first row was given the same tokens and nearly the same scores. */
function agreement(record, reference) {
  if (record === reference) return 'reference';
  const both = Math.min(record.values.length, reference?.values.length ?? 0, compared);
  if (both === 0) return '–';
  const same = record.values.slice(0, both).filter(([token], i) => token === reference.values[i][0]).length;
  const gap = Math.max(...record.values.slice(0, both).map(([, x], i) => Math.abs(x - reference.values[i][1])));
  return `${same} of ${both} tokens, ${gap.toExponential(0)}`;
}

export function render({ dims, parts }) {
  const { V, D, L, H, G, F, S } = dims;
  return [
    `Llama-like: width ${D}, ${L} layers, ${H}/${G} heads, feed-forward ${F}, vocabulary ${V}, cache of ${S} places. “Agrees” compares tokens and a logit of the first row over the first ${compared} steps.`,
    ...parts.flatMap(({ threads, batch, records }) => {
      const reference = records.find(r => r.key === 'handbuilt');
      return [
        `### Batch ${batch}, ${plural(threads, 'thread')}`,
        contestTable(records, {
          unit: 'tokens/s',
          work: batch,
          against: [['handbuilt', '× hand-built']],
          extra: [
            ['agrees', r => agreement(r, reference)],
            ['opened in s', r => (r.openMs / 1000).toFixed(1)],
          ],
        }),
        skippedLines(records).join('\n'),
      ];
    }),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.flatMap(({ threads, batch, records }) => {
      const base = fastest(records, 'handbuilt');
      return [
        [`decode-${batch}-t${threads}`, faster(fastest(records, 'heddle'), base)],
        [`decode-${batch}-generator-t${threads}`, faster(fastest(records, 'heddle-generator'), base)],
      ];
    }),
  );
