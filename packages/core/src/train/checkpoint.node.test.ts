import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkpointFolder } from './checkpoint.node.js';
import type { Checkpoint } from './events.js';

let base = '';
beforeEach(async () => void (base = await mkdtemp(join(tmpdir(), 'heddle-checkpoints-'))));
afterEach(() => rm(base, { recursive: true, force: true }));

const checkpoint = (step: number): Checkpoint => ({
  step,
  tensors: { 'params.w': { dtype: 'f32', shape: [2], data: Float32Array.of(step, -step) } },
  meta: {
    format: 1,
    step,
    seed: 1,
    cursor: { at: step },
    config: null,
    configHash: 'x',
    backend: 'reference',
    plugins: {},
    tokens: 8 * step,
  },
});

it('has nothing to go on from before the folder exists, and makes it with the first save', async () => {
  const store = checkpointFolder(join(base, 'not', 'there', 'yet'));
  expect(await store.latest()).toBeNull();
  expect(await store.steps()).toEqual([]);
  await store.save(checkpoint(3));
  expect(await store.latest()).toEqual(checkpoint(3));
});

it('keeps the newest, finds the newest by number, and leaves labelled ones alone', async () => {
  const store = checkpointFolder(base, { keep: 2 });
  for (const step of [9, 10, 11]) await store.save(checkpoint(step));
  await store.save(checkpoint(8), 'before-failure');
  expect(await store.steps()).toEqual([10, 11]);
  expect((await store.latest())?.step).toBe(11);
  expect(await store.load(10)).toEqual(checkpoint(10));
  await expect(store.load(9)).rejects.toMatchObject({ code: 'E_CHECKPOINT' });
});
