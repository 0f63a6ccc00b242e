/** What a flow would do, before it does it. */

import type { FlowPlan, Job, PlannedStage, Store } from './executor.js';
import { stageKey } from './key.js';
import { storedResult } from './run.js';
import type { Step } from './flow.js';
import { validate } from './stage.js';

/** The output of a stage that has not run yet. */
const unknown = Symbol('unknown until it has run');

/**
 * Follows stored results as far as they reach; runs nothing.
 *
 * @param where what the executor says about the place
 * @throws E_SCHEMA for an input that the first stage would refuse
 */
export async function planFlow(
  { flow, input, fresh }: Pick<Job, 'flow' | 'input' | 'fresh'>,
  store: Store,
  where: string,
): Promise<FlowPlan> {
  const stages: PlannedStage[] = [];

  const follow = async (steps: readonly Step[], value: unknown): Promise<unknown> => {
    let at = value;
    for (const step of steps) at = await (step.kind === 'stage' ? one(step, at) : all(step, at));
    return at;
  };

  const one = async ({ path, stage }: Extract<Step, { kind: 'stage' }>, value: unknown): Promise<unknown> => {
    const { name, version } = stage;
    if (value === unknown) {
      stages.push({ path, name, version, where, key: null, state: 'waits' });
      return unknown;
    }
    const key = stageKey(stage, await validate(stage, 'input', value));
    const result = fresh ? null : await storedResult(store, key);
    stages.push({ path, name, version, where, key, state: result === null ? 'runs' : 'cached' });
    return result === null ? unknown : result.output;
  };

  const all = async ({ branches }: Extract<Step, { kind: 'all' }>, value: unknown): Promise<unknown> => {
    const outputs: [string, unknown][] = [];
    for (const [name, steps] of Object.entries(branches)) outputs.push([name, await follow(steps, value)]);
    return outputs.some(([, output]) => output === unknown) ? unknown : Object.fromEntries(outputs);
  };

  await follow(flow.steps, input);
  return { flow: flow.name, stages };
}

const words: Readonly<Record<PlannedStage['state'], string>> = {
  cached: 'cached',
  runs: 'runs',
  waits: 'depends on the stage before',
};

/** A table of a plan, for people. */
export function printPlan({ flow, stages }: FlowPlan): string {
  const header = ['stage', 'version', 'key', 'state', 'where'];
  const rows = stages.map(({ path, version, key, state, where }) => [
    path,
    String(version),
    key?.slice(0, 12) ?? '-',
    words[state],
    where,
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd();
  return [`flow ${flow}`, line(header), ...rows.map(line)].join('\n');
}
