/** `heddle score --metric m2,errant`: references are M2 files, outputs plain text (m2) or M2 files (errant). */

import { fail, type CommandCall } from '@heddle/core';
import { errantCompare } from '../correction/errant.js';
import type { EditScore } from '../correction/f-score.js';
import { parseM2, type M2Sentence } from '../correction/m2.js';
import { maxMatch } from '../correction/max-match.js';
import { readLines } from '../files.node.js';
import { fixed } from '../text/decimal.js';
import { correctionMetrics } from './collect.js';
import type { ScoreSettings } from './settings.js';
import { table } from './table.js';

export async function scoreCorrections(call: CommandCall, settings: ScoreSettings): Promise<number> {
  const { references, hypotheses, metrics, beta, agree, json } = settings;
  const other = metrics.find(name => !correctionMetrics.includes(name));
  if (other !== undefined)
    fail(
      'E_USAGE',
      `score: expected m2 and errant by themselves, received '${other}' beside them. Their references are M2 files: score the others in a run of their own.`,
      { metric: other },
    );
  if (references.length !== 1)
    fail(
      'E_USAGE',
      `score: expected one M2 file as reference, received ${references.length}. Annotators stand in one file.`,
      { references },
    );
  const gold = await m2At(call, references[0]!);
  const rows: { readonly system: string; readonly metric: string; readonly score: EditScore }[] = [];
  for (const path of hypotheses)
    for (const metric of metrics) {
      call.signal.throwIfAborted();
      if (metric === 'm2') {
        const { lines, notices } = await readLines(path);
        for (const notice of notices) call.note(notice);
        const score = maxMatch(lines, gold, { beta });
        if (score.outside > 0)
          call.note(
            `${references[0]!}: ${score.outside} annotated edits lie behind the end of their sentence and are passed over, as by the M2 scorer`,
          );
        rows.push({ system: path, metric, score });
      } else rows.push({ system: path, metric, score: errantCompare(await m2At(call, path), gold, { beta, agree }) });
    }
  if (json)
    for (const { system, metric, score } of rows) {
      const { types: _, ...plain } = score as EditScore & { readonly types?: unknown };
      call.print(JSON.stringify({ type: 'score', system, metric, beta, ...plain }));
    }
  else
    call.print(
      table(
        ['System', 'metric', 'TP', 'FP', 'FN', 'precision', 'recall', `F${beta}`],
        rows.map(({ system, metric, score }) => [
          system,
          metric,
          String(score.truePositives),
          String(score.falsePositives),
          String(score.falseNegatives),
          fixed(score.precision, 4),
          fixed(score.recall, 4),
          fixed(score.f, 4),
        ]),
      ),
    );
  return 0;
}

async function m2At(call: CommandCall, path: string): Promise<readonly M2Sentence[]> {
  const { lines, notices } = await readLines(path);
  for (const notice of notices) call.note(notice);
  const found = parseM2(lines.join('\n'), path);
  return found.length > 0
    ? found
    : fail('E_EMPTY', `${path}: expected sentences in M2 format, received none. Name another file.`, { path });
}
