/** Ten steps equal five, a checkpoint on the disk, a new process, and five: bit for bit. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkpointEvery } from '@heddle/core';
import { checkpointFolder } from '@heddle/core/node';
import { present, onnxBackends } from './support/backends.js';
import { bits } from './support/compare.js';
import { program } from './support/programs.js';
import { counted, outcome, tinyDecoder, tinyPlan } from './support/training.js';

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-resume-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.each(present(onnxBackends))('$name, one thread', ({ open }) => {
  it.each([
    ['plain', {}],
    ['with dropout', { model: tinyDecoder({ rate: 0.2 }) }],
    ['with dropout and three batches a step', { model: tinyDecoder({ rate: 0.2 }), accumulate: 3 }],
  ] as const)('ten steps equal five, a checkpoint, another engine and five: %s', async (_name, changes) => {
    await inFolder(async folder => {
      const store = checkpointFolder(folder);
      const run = async (steps: number, resume: boolean) => {
        const backend = await open();
        try {
          const plan = tinyPlan(backend, { ...changes, data: counted(), resume: resume ? await store.latest() : null });
          return await outcome({ ...plan, steps }, ...(resume || steps === 5 ? [checkpointEvery(5, store)] : []));
        } finally {
          expect(backend.live()).toBe(0);
          await backend.close();
        }
      };
      const whole = await run(10, false);
      const first = await run(5, false);
      expect(await store.steps()).toEqual([5]);
      const second = await run(10, true);
      expect(second.events[0]).toMatchObject({ type: 'run.started', resumedFrom: 5 });
      expect([...first.losses, ...second.losses]).toEqual(whole.losses);
      expect(second.end.meta).toEqual(whole.end.meta);
      expect(bits(second.end.tensors)).toEqual(bits(whole.end.tensors));
      const saved = await store.load(10);
      expect(saved.meta).toEqual(whole.end.meta);
      expect(bits(saved.tensors)).toEqual(bits(whole.end.tensors));
    });
  });
});

it('ten steps equal five in one process and five in the next', async () => {
  await inFolder(async folder => {
    const train = (name: string, steps: number) =>
      program('kill/train.mjs', [
        '--folder',
        join(folder, name),
        '--steps',
        String(steps),
        '--engine',
        'onnx',
        '--rate',
        '0.2',
      ]);
    const [five, ten] = [await train('parts', 5), await train('parts', 10)];
    const whole = await train('whole', 10);
    expect([five, ten, whole].map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      Array(3).fill({ code: 0, stderr: '' }),
    );
    expect(ten.stdout).toContain('resumed from step 5');
    const [parts, at] = [
      await checkpointFolder(join(folder, 'parts')).load(10),
      await checkpointFolder(join(folder, 'whole')).load(10),
    ];
    expect(bits(parts.tensors)).toEqual(bits(at.tensors));
    expect(parts.meta).toEqual(at.meta);
  });
});

it('refuses a checkpoint of another configuration or of another model', async () => {
  const { name, open } = present(onnxBackends)[0]!;
  const backend = await open();
  const { end } = await outcome(tinyPlan(backend, { steps: 1 }));
  const refused = (changes: Parameters<typeof tinyPlan>[1]) =>
    outcome(tinyPlan(backend, { resume: end, steps: 2, ...changes })).then(
      () => null,
      error => error as { code: string },
    );
  expect(await refused({ config: { model: 'another' } }), name).toMatchObject({ code: 'E_RESUME' });
  expect(await refused({ model: tinyDecoder({ width: 24 }) })).toMatchObject({
    code: 'E_RESUME',
    message: expect.stringContaining('params.'),
  });
  expect(await refused({})).toBeNull();
  expect(backend.live()).toBe(0);
  await backend.close();
});
