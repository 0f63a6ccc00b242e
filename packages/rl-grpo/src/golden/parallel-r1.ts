/** Kind `parallel-r1`: what the functions of the authors' code give. */

import { parseGolden, type GoldenCase, type GoldenKind } from '@heddle/core/testing/golden';
import { advantageRow, policyLossFile, stepFile } from './losses.js';
import { diversityRow, normalised, rewardRow } from './rewards.js';
import type { Row } from './rows.js';
import { formatChecker, item, maskAndPositions, padIsEndOfText, rolloutLoop } from './structure.js';

type Check = (
  id: string,
  row: Row,
  config: Row,
) => GoldenCase | Promise<GoldenCase> | AsyncIterable<GoldenCase> | Iterable<GoldenCase>;

/** By the start of a file's name: the first entry that it begins with. Files with a list in `outputs` are checked row by row. */
const families: Readonly<Record<string, Check>> = {
  pr1_format_checker: formatChecker,
  pr1_sft_mask_positions: maskAndPositions,
  pr1_sft_positions_pad_is_eos: padIsEndOfText,
  pr1_sft_item: item,
  pr1_rl_loop: rolloutLoop,
  pr1_rewards: rewardRow,
  pr1_normalize_final_answer: normalised,
  pr1_diversity_efficiency: diversityRow,
  pr1_grpo_advantage: advantageRow,
  pr1_grpo_step: stepFile,
  pr1_policy_loss: policyLossFile,
};

const startOf = (name: string): string | undefined =>
  Object.keys(families).find(start => name.split('/').at(-1)!.startsWith(start));

export const parallelR1: GoldenKind = {
  name: 'parallel-r1',
  recognises: name => name.endsWith('.json') && startOf(name) !== undefined,
  async *check({ name, text }) {
    const file = parseGolden(await text()) as Row;
    const start = startOf(name)!;
    const rows = Array.isArray(file['outputs']) ? (file['outputs'] as readonly Row[]) : [file];
    for (const [i, row] of rows.entries()) {
      const id = rows.length === 1 ? start : `${start}#${i}`;
      const found = families[start]!(id, row, (file['config'] ?? {}) as Row);
      if (Symbol.asyncIterator in found || Symbol.iterator in found) yield* found;
      else yield await found;
    }
  },
};
