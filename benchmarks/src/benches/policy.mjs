/** A step of GRPO: answers to prompts, what they are worth, and the optimizer's step that follows. */

import { contestTable, faster, fastest, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { ours, torches } from '../entries.mjs';
import { policyShape, tinyPolicy } from '../policy-shape.mjs';
import { median } from '../stats.mjs';
import { plural } from '../table.mjs';

export const name = 'policy';
export const title = 'A step of GRPO';
export const share = 0.05;

export async function run({ threads, quick, seconds, torch }, log) {
  const dims = quick ? tinyPolicy : policyShape;
  const parts = [];
  for (const count of threads) {
    const options = { threads: count, dims };
    const ring = await Ring.open(
      [
        ours('heddle', 'Heddle onnx:cpu', 'policy-heddle.mjs', options),
        // TRL comes with some PyTorch or with none: it says so itself.
        ...torches(torch, 'trl_policy.py', options).map(entry => ({
          ...entry,
          key: 'trl',
          name: `TRL, ${entry.name}`,
        })),
      ],
      log,
    );
    const limits = quick ? { warmup: 1, least: 2, most: 2 } : { warmup: 8, least: 12, most: 60 };
    const records = await ring.contest({ ...limits, seconds });
    await ring.close();
    parts.push({ threads: count, records });
  }
  return { dims, parts };
}

export function render({ dims, parts }) {
  const { V, D, L, H, F, prompts, group, promptLength, length } = dims;
  return [
    `Llama-like: width ${D}, ${L} layers, ${H} heads, feed-forward ${F}, vocabulary ${V}; ${prompts} prompts of ${promptLength} tokens with ${group} answers each of up to ${length} tokens, at temperature 1; one AdamW step. Weights and answers are drawn by each for itself, so no losses are compared here: \`npm run golden -- --kind rl\` compares losses.`,
    ...parts.flatMap(({ threads, records }) => [
      `### ${plural(threads, 'thread')}`,
      contestTable(records, {
        unit: 'answers/s',
        work: prompts * group,
        against: [['trl', '× TRL']],
        extra: [['tokens a step', r => Math.round(median(r.values)).toString()]],
      }),
      skippedLines(records).join('\n'),
    ]),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.map(({ threads, records }) => [
      `policy-trl-t${threads}`,
      faster(fastest(records, 'heddle'), fastest(records, 'trl')),
    ]),
  );
