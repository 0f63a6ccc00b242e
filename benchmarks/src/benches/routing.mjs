/** Texts of several adapters in one batch, beside one adapter for all and beside one text at a time. */

import { contestTable, faster, fastest, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { ours } from '../entries.mjs';
import { plural } from '../table.mjs';

export const name = 'routing';
export const title = 'Decoding by adapters';
export const share = 0.05;

const shape = { V: 8000, D: 384, L: 6, H: 6, G: 6, F: 1024, S: 64 };
const tiny = { V: 64, D: 32, L: 2, H: 2, G: 2, F: 64, S: 32 };
const rank = 16;

export async function run({ threads, quick, seconds }, log) {
  const dims = quick ? tiny : shape;
  const [batch, prompt, tokens] = quick ? [2, 8, 4] : [8, 16, 32];
  const parts = [];
  for (const count of threads) {
    const options = { threads: count, dims, batch, prompt, tokens, rank };
    const ring = await Ring.open(
      [
        ours('folded', 'one adapter, folded into the base', 'routing-heddle.mjs', { ...options, how: 'folded' }),
        ours('routed', 'an adapter for each text', 'routing-heddle.mjs', { ...options, how: 'routed' }),
        ours('apart', 'one text at a time, each adapter folded', 'routing-heddle.mjs', { ...options, how: 'apart' }),
      ],
      log,
    );
    const limits = quick ? { warmup: 1, least: 2, most: 2 } : { warmup: 2, least: 8, most: 40 };
    const records = await ring.contest({ ...limits, seconds });
    await ring.close();
    parts.push({ threads: count, records });
  }
  return { dims, batch, prompt, tokens, parts };
}

export function render({ dims, batch, prompt, tokens, parts }) {
  const { V, D, L, H, F } = dims;
  return [
    `Llama-like: width ${D}, ${L} layers, ${H} heads, feed-forward ${F}, vocabulary ${V}; ${batch} texts, prompts of ${prompt} tokens, ${tokens} tokens each, greedy; adapters of rank ${rank} on all seven matrices of a block.`,
    ...parts.flatMap(({ threads, records }) => [
      `### ${plural(threads, 'thread')}`,
      contestTable(records, { unit: 'tokens/s', work: batch * tokens, against: [['folded', '× folded'], ['apart', '× one at a time']] }), // prettier-ignore
      skippedLines(records).join('\n'),
    ]),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.flatMap(({ threads, records }) => {
      const [folded, routed, apart] = ['folded', 'routed', 'apart'].map(key => fastest(records, key));
      return [
        [`routing-folded-t${threads}`, faster(routed, folded)],
        [`routing-apart-t${threads}`, faster(routed, apart)],
      ];
    }),
  );
