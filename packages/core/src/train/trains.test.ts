import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReference } from '../backend/reference.js';
import type { Backend } from '../backend/contract.js';
import { parameterTypes } from '../model/tree.js';
import { selectPaths } from '../model/select.js';
import { batches, planOf, tiny } from '../testing/training.js';
import type { Checkpoint } from './events.js';
import { loop } from './loop.js';
import type { TrainPlan } from './plan.js';

let backend: Backend;
beforeEach(() => (backend = openReference()));
afterEach(async () => {
  expect(backend.live(), 'device tensors left open').toBe(0);
  await backend.close();
});

async function end(plan: TrainPlan): Promise<Checkpoint> {
  let found: Checkpoint | undefined;
  for await (const event of loop(plan, new AbortController().signal))
    if (event.type === 'run.finished') found = await event.snapshot();
  return found!;
}

/** Without dropout: both runs below draw the same then whatever they compute. */
const model = tiny(0);
const onlyHead = (path: string): boolean => path.startsWith('head.');
const start = async (more: Partial<TrainPlan> = {}): Promise<Checkpoint> => end(planOf(backend, { model, steps: 0, ...more })); // prettier-ignore

describe.each([1, 2])('parameters that do not move, %d batches a step', accumulate => {
  it('are exactly as they were, and have no state', async () => {
    const [before, after] = [await start(), await end(planOf(backend, { model, accumulate, trains: onlyHead }))];
    for (const path of Object.keys(parameterTypes(model))) {
      const own = `params.${path}`;
      if (onlyHead(path)) expect(after.tensors[own]!.data).not.toEqual(before.tensors[own]!.data);
      else expect(after.tensors[own]!.data).toEqual(before.tensors[own]!.data);
    }
    const states = Object.keys(after.tensors).filter(name => name.startsWith('state.'));
    expect(states.length).toBeGreaterThan(0);
    expect(states.every(name => name.startsWith('state.head.'))).toBe(true);
  });

  it('leave the others the step that they would take anyway', async () => {
    const shared = { model, steps: 1, accumulate };
    const { clip: _clip, ...plan } = planOf(backend, shared);
    const whole = await end(plan);
    const { clip: _again, ...part } = planOf(backend, { ...shared, trains: onlyHead });
    const moved = await end(part);
    for (const path of Object.keys(parameterTypes(model)).filter(onlyHead))
      expect(moved.tensors[`params.${path}`]).toEqual(whole.tensors[`params.${path}`]);
  });

  it('stay out of the way of a resume', async () => {
    const plan = (more: Partial<TrainPlan> = {}): TrainPlan =>
      planOf(backend, { model, accumulate, trains: onlyHead, ...more });
    const whole = await end(plan({ steps: 4 }));
    const half = await end(plan({ steps: 2 }));
    expect((await end(plan({ steps: 4, resume: half }))).tensors).toEqual(whole.tensors);
  });
});

it('a run in which nothing moves is refused', async () => {
  await expect(end(planOf(backend, { model, trains: () => false }))).rejects.toMatchObject({ code: 'E_CONFIG' });
});

it('what a source says of its batches stands beside the step, as the mean of those that say it', async () => {
  const said = [{ reward: 1, only: 3 }, { reward: 2 }, { reward: 5 }, {}];
  let at = 0;
  const plain = batches();
  const data = {
    ...plain,
    next: async () => ({ ...(await plain.next())!, metrics: said[at++]! as Record<string, number> }),
  };
  const seen: unknown[] = [];
  for await (const event of loop(
    planOf(backend, { model, data, steps: 2, accumulate: 2 }),
    new AbortController().signal,
  ))
    if (event.type === 'step.finished') seen.push(event.metrics);
  expect(seen).toEqual([
    { reward: 1.5, only: 3, gradientNorm: expect.any(Number) },
    { reward: 5, gradientNorm: expect.any(Number) },
  ]);
});

describe('selectPaths', () => {
  const paths = ['embed.weight', 'blocks.0.norm.weight', 'blocks.1.norm.weight', 'norm.weight'];
  it.each([
    [['*norm.weight'], ['blocks.0.norm.weight', 'blocks.1.norm.weight', 'norm.weight']],
    [['norm.weight'], ['norm.weight']],
    [
      ['blocks.0.*', 'embed.*'],
      ['blocks.0.norm.weight', 'embed.weight'],
    ],
    [['*'], paths],
  ])('%j', (patterns, found) => expect([...selectPaths(patterns, paths)]).toEqual(found));

  it('takes a dot for a dot, and refuses a pattern of nothing by its name', () => {
    expect(() => selectPaths(['norm?weight'], paths)).toThrow(/'norm\?weight'/);
    expect(() => selectPaths(['*norm.weight', 'head.*'], paths)).toThrow(/'head\.\*'/);
  });
});
