/** The report of curricula: tables, curves of every stage that trained, and single answers as trees of paths. */

import { checkFormat, parseThinking, type Measured, type Sample } from '@heddle/rl-grpo';
import { readRun, reportPage, type ReportAnswer, type RunRecord } from '@heddle/tracker-report';
import { exists } from '../run-folder.js';
import { percent } from '../words.js';
import { stageTable, type Finished } from './table.js';

/** @param logOf the log of events of a stage, by its name */
export async function curriculumPage(finished: readonly Finished[], logOf: (stage: string) => string): Promise<string> {
  const runs = new Map<string, RunRecord>();
  for (const { state } of finished)
    for (const { name } of state.done) {
      const path = logOf(name);
      if (!runs.has(name) && (await exists(path))) runs.set(name, await readRun(path, name));
    }
  const tables = finished.map(one => ({ title: `${one.curriculum.name}, stage by stage`, ...stageTable(one) }));
  const answers = finished.flatMap(({ curriculum, state }) => {
    const last = state.done.findLast(({ measured }) => measured.length > 0);
    return (last?.measured ?? []).map(measured => ({
      title: `${curriculum.name}: answers after ${last!.name}, ${measured.problems}`,
      note: noteOf(measured),
      answers: measured.examples.map(answerOf),
    }));
  });
  return reportPage([...runs.values()], { title: `curriculum: ${finished.map(({ curriculum }) => curriculum.name).join(', ')}`, tables, answers }); // prettier-ignore
}

const noteOf = ({ withBlocks, withoutBlocks, wellFormed, forcedCloses, pathsAlike }: Measured): string =>
  `right with paths ${percent(withBlocks)}, without ${percent(withoutBlocks)}; well formed ${percent(wellFormed)}; paths closed by force, an answer: ${forcedCloses.toFixed(2)}; how alike paths are (self-BLEU): ${pathsAlike?.toFixed(2) ?? '–'}`;

/** Why an answer got what it got, in words, and its text as what stands one after the other and side by side. */
function answerOf({ problem, answer, completion, right }: Sample): ReportAnswer {
  const trouble = checkFormat(completion).map(({ reason }) => reason);
  return {
    head: problem,
    good: right,
    facts: [
      ['right answer', answer],
      [
        'accuracy',
        right ? '1: the final answer is the right one' : '-1: the final answer is another one, or there is none',
      ],
      ['format', trouble.length === 0 ? 'well formed' : trouble.join('; ')],
    ],
    parts: parseThinking(completion).map(part =>
      part.kind === 'block'
        ? { beside: part.paths.map(({ text }, i) => ({ title: `path ${i + 1}`, text })) }
        : { title: part.kind === 'summary' ? 'summary' : null, text: part.text },
    ),
  };
}
