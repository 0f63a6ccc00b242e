/** Whether blocks, paths and summaries of a text are well formed: the checker that every reward of Parallel-R1 uses. */

import { tagTexts, tagsIn } from './tags.js';

/** What is wrong; `tag` counts the tags of the text from 0, and is null for what shows only at its end. */
export interface FormatProblem {
  readonly kind:
    | 'stray-end-path'
    | 'stray-end-parallel'
    | 'few-paths'
    | 'stray-summary'
    | 'unclosed'
    | 'missing-summary'
    | 'summary-count';
  readonly tag: number | null;
  /** A sentence for people. */
  readonly reason: string;
}

/**
 * Problems of a text, none for a well-formed one. A text without tags is well formed, and so is a summary that is never
 * closed. Nested blocks are accepted.
 */
export function checkFormat(text: string): readonly FormatProblem[] {
  const problems: FormatProblem[] = [];
  const found = (kind: FormatProblem['kind'], tag: number | null, reason: string): void =>
    void problems.push({ kind, tag, reason });
  const open: ('Parallel' | 'Path')[] = [];
  const paths: number[] = [];
  let summaryDue = false;
  let summaries = 0;
  let closings = 0;
  for (const [i, { tag }] of tagsIn(text).entries()) {
    if (tag === tagTexts.parallel) {
      open.push('Parallel');
      paths.push(0);
      summaryDue = false;
    } else if (tag === tagTexts.path) {
      open.push('Path');
    } else if (tag === tagTexts.endPath) {
      if (open.at(-1) !== 'Path') found('stray-end-path', i, `</Path> at tag ${i} closes no <Path>`);
      else {
        open.pop();
        if (paths.length > 0) paths[paths.length - 1]!++;
      }
    } else if (tag === tagTexts.endParallel) {
      closings++;
      if (open.at(-1) !== 'Parallel') found('stray-end-parallel', i, `</Parallel> at tag ${i} closes no <Parallel>`);
      else {
        open.pop();
        const count = paths.pop()!;
        if (count < 2) found('few-paths', i, `the block closed at tag ${i} has ${count} paths, two are needed`);
        summaryDue = true;
      }
    } else if (tag === tagTexts.summary) {
      if (!summaryDue) found('stray-summary', i, `<Summary> at tag ${i} follows no </Parallel>`);
      summaryDue = false;
      summaries++;
    }
  }
  if (open.length > 0) found('unclosed', null, `never closed: ${open.map(name => `<${name}>`).join(', ')}`);
  if (summaryDue) found('missing-summary', null, 'the last block has no <Summary>');
  if (summaries !== closings)
    found('summary-count', null, `${summaries} <Summary> for ${closings} </Parallel>, one each is needed`);
  return problems;
}

export const isWellFormed = (text: string): boolean => checkFormat(text).length === 0;
