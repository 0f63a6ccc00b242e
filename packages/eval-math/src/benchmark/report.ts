/** One HTML file that shows an evaluation: no network, no other file. */

import { show } from '../exact/rational.js';
import { sentences } from '../grade.js';
import type { Evaluation, JudgedCompletion } from './evaluate.js';
import { page } from './report-page.js';

/** Characters of one completion that a report holds. */
const longest = 20_000;

export function reportHtml(evaluation: Evaluation): string {
  const rules = new Set<string>();
  const sample = ({ text, verdict, vote, finish, sample: number }: JudgedCompletion): unknown => {
    for (const rule of verdict.rules) rules.add(rule);
    return {
      n: number,
      v: verdict.verdict,
      s: verdict.stage,
      r: verdict.rules,
      why: verdict.reason,
      a: verdict.answer.text.slice(0, 2_000),
      how: verdict.answer.how,
      c: verdict.canonical?.slice(0, 500) ?? null,
      vote: vote?.slice(0, 200) ?? null,
      f: finish,
      t:
        text.length > longest
          ? `${text.slice(0, longest / 2)}\n\n… ${text.length - longest} characters left out …\n\n${text.slice(-longest / 2)}`
          : text,
    };
  };
  const problems = evaluation.problems.map(({ id, problem, gold, groups, completions }) => ({
    id,
    q: problem,
    gold,
    groups,
    k: completions.map(sample),
  }));
  const { name, signature, scores } = evaluation;
  // After the samples: they say which rules occur.
  const told = Object.fromEntries([...rules].map(rule => [rule, sentences[rule as keyof typeof sentences]]));
  const data = { name, signature, scores, rules: told, problems };
  // Inside a script element nothing may look like its end.
  const json = JSON.stringify(data, (_, value: unknown) =>
    typeof value === 'bigint' ? show({ n: value, d: 1n }) : value,
  )
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
  return page(escapeHtml(evaluation.name), json);
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
