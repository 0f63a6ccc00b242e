/** A training step of an adapter beside one of the whole model, and beside PEFT's. */

import { contestTable, faster, fastest, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { ours, torches } from '../entries.mjs';
import { plural } from '../table.mjs';

export const name = 'adapter';
export const title = 'A step of an adapter';
export const share = 0.08;

const shapes = {
  small: { V: 8000, D: 384, L: 6, H: 6, F: 1024, B: 4, T: 128 },
  // Adapters are for models that are large beside them: what they add to a step shrinks with the width.
  large: { V: 16_000, D: 768, L: 12, H: 12, F: 2048, B: 2, T: 128 },
};
const tiny = { V: 64, D: 32, L: 2, H: 2, F: 64, B: 2, T: 8 };
const rank = 16;

export async function run({ threads, quick, seconds, torch }, log) {
  const parts = [];
  for (const [size, dims] of Object.entries(quick ? { small: tiny } : shapes))
    for (const count of threads) {
      const options = { threads: count, dims, rank };
      const ring = await Ring.open(
        [
          ours('adapter', 'Heddle, the adapter', 'adapter-heddle.mjs', options),
          ours('whole', 'Heddle, all of the model', 'adapter-heddle.mjs', { ...options, rank: null }),
          // PEFT comes with some PyTorch or with none: it says so itself.
          ...torches(torch, 'peft_step.py', options).map(entry => ({
            ...entry,
            key: 'peft',
            name: `PEFT, ${entry.name}`,
          })),
        ],
        log,
      );
      const limits = quick ? { warmup: 1, least: 2, most: 2 } : { warmup: 2, least: 8, most: 60 };
      const records = await ring.contest({ ...limits, seconds });
      await ring.close();
      parts.push({ size, dims, threads: count, records });
    }
  return { parts };
}

export function render({ parts }) {
  return [
    `Adapters of rank ${rank} on all seven matrices of a block; AdamW, gradients clipped. Weights are drawn by each for itself.`,
    ...parts.flatMap(({ dims: { V, D, L, H, F, B, T }, threads, records }) => [
      `### Width ${D}, ${L} layers, ${plural(threads, 'thread')}`,
      `Llama-like: ${H} heads, feed-forward ${F}, vocabulary ${V}; ${B} texts of ${T} tokens.`,
      contestTable(records, {
        unit: 'tokens/s',
        work: B * T,
        against: [
          ['whole', '× all'],
          ['peft', '× PEFT'],
        ],
      }),
      skippedLines(records).join('\n'),
    ]),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.flatMap(({ size, threads, records }) => {
      const of = size === 'small' ? 'adapter' : `adapter-${size}`;
      const [adapter, whole, peft] = ['adapter', 'whole', 'peft'].map(key => fastest(records, key));
      return [
        [`${of}-whole-t${threads}`, faster(adapter, whole)],
        [`${of}-peft-t${threads}`, faster(adapter, peft)],
        [`${of}-memory-t${threads}`, adapter && whole ? adapter.peak / whole.peak : Number.NaN],
      ];
    }),
  );
