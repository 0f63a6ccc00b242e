/** Kind `parallel-r1`, as far as it is about scores of k samples; the rest is in `@heddle/rl-grpo`. */

import { parseGolden, type GoldenCase, type GoldenKind } from '@heddle/core/testing/golden';
import { bootstrapAt, meanAt, passOf, passWithReplacement } from '../benchmark/metrics.js';

type Row = Readonly<Record<string, unknown>> & { readonly outputs: Readonly<Record<string, number>> };

const families: Readonly<Record<string, (id: string, row: Row) => Iterable<GoldenCase>>> = {
  pr1_bootstrap_metrics: bootstrapRow,
  pr1_pass_at_k_exact: passRow,
};

const startOf = (name: string): string | undefined =>
  Object.keys(families).find(start => name.split('/').at(-1)!.startsWith(start));

export const parallelR1: GoldenKind = {
  name: 'parallel-r1',
  recognises: name => name.endsWith('.json') && startOf(name) !== undefined,
  async *check({ name, text }) {
    const { outputs } = parseGolden(await text()) as { readonly outputs: readonly Row[] };
    const start = startOf(name)!;
    for (const [i, row] of outputs.entries()) yield* families[start]!(`${start}#${i}`, row);
  },
};

function near(id: string, expected: number, found: number): GoldenCase {
  const error = Math.abs(expected - found);
  return { id, passed: error <= 1e-9, detail: `expected ${expected}, found ${found}`, error };
}

/** Means only: nothing here reports the spread between draws (`std`). */
function* bootstrapRow(id: string, row: Row): Iterable<GoldenCase> {
  const [acc, pred] = [row['acc'] as readonly (readonly number[])[], row['pred'] as readonly (readonly string[])[]];
  const problems = acc.map((scores, i) => scores.map((score, j) => ({ score, vote: pred[i]?.[j] ?? null })));
  for (const [name, expected] of Object.entries(row.outputs)) {
    const [, metric, k] = /^(mean|best|worst|maj)@(\d+)(?:\/mean)?$/.exec(name) ?? [];
    if (metric === undefined) continue;
    const found = metric === 'mean' ? null : bootstrapAt(problems, Number(k));
    yield near(
      `${id} ${name}`,
      expected,
      found === null ? meanAt(problems) : found[metric === 'maj' ? 'majority' : (metric as 'best' | 'worst')],
    );
  }
}

function* passRow(id: string, row: Row): Iterable<GoldenCase> {
  const [n, c, k] = [row['n'], row['c'], row['k']] as [number, number, number];
  yield near(`${id} pass@k`, row.outputs['pass_at_k']!, passOf(n, c, k));
  yield near(`${id} with replacement`, row.outputs['bootstrap_expectation']!, passWithReplacement(n, c, k));
}
