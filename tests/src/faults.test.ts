/** What goes wrong outside, and that it ends in a coded error with nothing lost. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { open as openFile, readdir, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import workerThreads, { type Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  checkpointEvery,
  defineLayer,
  f32,
  full,
  host,
  ones,
  param,
  trace,
  where,
  type AnyLayer,
  type Backend,
  type Tensor,
} from '@heddle/core';
import { checkpointFolder, isPartial, readCheckpoint } from '@heddle/core/node';
import { openOnnx } from '@heddle/backend-onnx';
import { onnxBackends, present } from './support/backends.js';
import { bits } from './support/compare.js';
import { failureOf, within } from './support/hung.js';
import { poisoned, withToken } from './support/poisoned.js';
import { outcome, tinyDecoder, tinyPlan } from './support/training.js';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'heddle-faults-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const { open } = present(onnxBackends)[0]!;

describe('a full disk', () => {
  /** Trains until saving fails, and checks what is left. */
  async function fills(place: string): Promise<number> {
    const backend = await open();
    const store = checkpointFolder(place);
    const failure = await failureOf(outcome(tinyPlan(backend, { steps: 50 }), checkpointEvery(1, store)));
    expect(failure).toMatchObject({ code: 'E_DISK_FULL', message: expect.stringContaining(place) });
    expect(backend.live()).toBe(0);
    expect((await readdir(place)).filter(isPartial)).toEqual([]);
    const last = (await store.latest())!;
    const whole = await outcome(tinyPlan(backend, { steps: last.step }));
    expect(bits(last.tensors)).toEqual(bits(whole.end.tensors));
    await backend.close();
    return last.step;
  }

  it('in the middle of the tensors ends the run and leaves the last good checkpoint', async () => {
    const probe = await openFile(join(folder, 'probe'), 'w');
    const prototype = Object.getPrototypeOf(probe) as typeof probe;
    await probe.close();
    const { write } = prototype;
    let room = 150_000;
    const spy = vi.spyOn(prototype, 'write').mockImplementation(function (this: typeof probe, ...args: unknown[]) {
      room -= (args[0] as Uint8Array).byteLength;
      if (room < 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      return Reflect.apply(write, this, args) as never;
    });
    try {
      expect(await fills(join(folder, 'checkpoints'))).toBeGreaterThanOrEqual(1);
    } finally {
      spy.mockRestore();
    }
  });

  const tmpfs = mountTmpfs();
  if (tmpfs.reason !== null) console.warn(`skipped: a full disk, real: ${tmpfs.reason}`);
  it.skipIf(typeof tmpfs.reason === 'string')(
    `of 160 kB, real${tmpfs.reason === null ? '' : ` (skipped: ${tmpfs.reason})`}`,
    async () => {
      try {
        expect(await fills(tmpfs.place)).toBe(2);
      } finally {
        execFileSync('umount', ['-l', tmpfs.place]);
      }
    },
  );
});

function mountTmpfs(): { readonly place: string; readonly reason: string | null } {
  const place = mkdtempSync(join(tmpdir(), 'heddle-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160k', 'tmpfs', place], { stdio: 'pipe' });
    return { place, reason: null };
  } catch (error) {
    return {
      place,
      reason: `cannot mount a small tmpfs: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    };
  }
}

describe.each(present(onnxBackends))('$name', ({ open: openHere }) => {
  let backend: Backend;
  beforeEach(async () => void (backend = await openHere()));
  afterEach(() => backend.close());

  it('names the step and the first tensor that is no number, and saves the state before it', async () => {
    const model = dividing(16);
    const bad = 4;
    const data = () => withToken(bad, 16);
    const store = checkpointFolder(folder);
    const failure = await failureOf(
      outcome(tinyPlan(backend, { model, data: data(), steps: 50 }), checkpointEvery(1000, store)),
    );
    expect(failure).toMatchObject({ code: 'E_NOT_FINITE', details: { step: bad + 1, path: 'divide: div' } });
    expect(failure.message).toContain(`step ${bad + 1}`);
    expect(await store.latest()).toBeNull();
    const [name] = await readdir(folder);
    expect(name).toMatch(/before-failure$/);
    const saved = await readCheckpoint(join(folder, name!));
    expect(saved.step).toBe(bad);
    const before = await outcome(tinyPlan(backend, { model, data: data(), steps: bad }));
    expect(bits(saved.tensors)).toEqual(bits(before.end.tensors));
    expect(backend.live()).toBe(0);
  });

  it('saves no weights that are no numbers, though the loss was one', async () => {
    const store = checkpointFolder(folder);
    const { clip: _clip, ...plan } = tinyPlan(backend, { model: rooted(), steps: 5 });
    const failure = await failureOf(outcome(plan, checkpointEvery(1, store)));
    expect(failure).toMatchObject({ code: 'E_NOT_FINITE', details: { step: 1, path: 'params.gain' } });
    expect(await readdir(folder).catch(() => [])).toEqual([]);
    expect(backend.live()).toBe(0);
    const late = await failureOf(outcome(plan, checkpointEvery(2, store)));
    expect(late).toMatchObject({ code: 'E_NOT_FINITE', details: { step: 2, path: 'params.gain' } });
    expect(late.message).not.toContain('is whole');
    expect(await readdir(folder).catch(() => [])).toEqual([]);
  });

  it('names a batch that is no number', async () => {
    const failure = await failureOf(outcome(tinyPlan(backend, { data: poisoned(2) })));
    expect(failure).toMatchObject({ code: 'E_NOT_FINITE', details: { step: 3, path: 'batch.mask' } });
  });

  it('stops a run in its middle, then runs again', async () => {
    const graph = trace({ x: f32(512, 512) }, ({ x }) => {
      let y: Tensor = x;
      for (let i = 0; i < 60; i++) y = y.matmul(x).mul(1 / 512);
      return { y };
    });
    const executable = await backend.compile(graph);
    const x = host([512, 512], new Float32Array(512 * 512).fill(1));
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 20);
    const failure = await within(
      20_000,
      'an aborted run',
      failureOf(executable.run({ x }, { signal: stop.signal, keep: ['y'] })),
    );
    expect(failure).toMatchObject({ message: 'enough' });
    expect(backend.live()).toBe(0);
    const { outputs } = await executable.run({ x });
    expect(outputs['y']!.data[77]).toBeCloseTo(1, 4);
    await executable.close();
  });
});

describe('a worker that dies', () => {
  // What it dies of while it works is a message that it cannot read: terminate() in the middle of native code takes the
  // whole process down with it, inside onnxruntime-node.
  it.each(['while it works', 'between two runs'])('%s gives a coded error, not a hang', async moment => {
    const { backend, worker } = await openWatched();
    const graph = trace({ x: f32(256, 256) }, ({ x }) => {
      let y: Tensor = x;
      for (let i = 0; i < 200; i++) y = y.matmul(x).mul(1 / 256);
      return { y };
    });
    const executable = await backend.compile(graph);
    const x = host([256, 256], new Float32Array(256 * 256).fill(1));
    const held = await backend.upload(x);
    await executable.run({ x: held });
    if (moment === 'between two runs') await worker.terminate();
    const running = failureOf(executable.run({ x }));
    if (moment === 'while it works') worker.postMessage(null);
    const failure = await within(20_000, 'a run without its worker', running);
    expect(failure).toMatchObject({ code: 'E_ENGINE', message: expect.stringContaining('Open the backend again') });
    for (const call of [() => executable.run({ x }), () => backend.upload(x), () => backend.download(held)]) {
      expect(await within(5000, 'a call without its worker', failureOf(call()))).toMatchObject({ code: 'E_ENGINE' });
    }
    held.close();
    expect(backend.live()).toBe(0);
    await within(
      5000,
      'closing the executable',
      executable.close().catch(() => {}),
    );
    await within(5000, 'closing the backend', backend.close());
  });
});

it('waits for a compilation before it ends the worker: in the middle of native code that would end the process', async () => {
  const backend = await openOnnx({ threads: 1, binding: 'worker' });
  const compiling = backend.compile(
    trace({ x: f32(8, 8) }, ({ x }) => ({ y: Array.from({ length: 400 }).reduce<Tensor>(y => y.matmul(x).tanh(), x) })),
  );
  const settled = compiling.then(
    () => 'compiled',
    (error: { readonly code?: string }) => error.code,
  );
  await within(10_000, 'closing while compiling', backend.close());
  expect(['compiled', 'E_CLOSED', 'E_ENGINE']).toContain(await within(5000, 'the compilation', settled));
});

/** The backend in a worker, and that worker. */
async function openWatched(): Promise<{ readonly backend: Backend; readonly worker: Worker }> {
  const { Worker: Original } = workerThreads;
  const made: Worker[] = [];
  class Watched extends Original {
    constructor(...args: ConstructorParameters<typeof Original>) {
      super(...args);
      made.push(this);
    }
  }
  const put = (constructor: typeof Original): void => {
    Object.assign(workerThreads, { Worker: constructor });
    syncBuiltinESMExports();
  };
  put(Watched);
  try {
    const backend = await openOnnx({ threads: 1, binding: 'worker' });
    expect(made).toHaveLength(1);
    return { backend, worker: made[0]! };
  } finally {
    put(Original);
  }
}

/** The small decoder plus the root of zero: nothing in the loss, and no number in the gradient. */
const rooted = (): AnyLayer =>
  defineLayer({
    name: 'rooted',
    params: { gain: param([1], ones), inner: tinyDecoder() },
    apply: ({ gain, inner }, ids: Tensor): Tensor =>
      (inner as unknown as (ids: Tensor) => Tensor)(ids).add(gain.sub(gain).sqrt()),
  });

/** The small decoder, after a layer that divides by zero where this token stands. */
const dividing = (token: number): AnyLayer =>
  defineLayer({
    name: 'dividing',
    params: {
      divide: defineLayer({
        name: 'divide',
        params: {},
        apply: (_bound, logits: Tensor, by: Tensor): Tensor => logits.div(by),
      }),
      inner: tinyDecoder(),
    },
    apply: ({ divide, inner }, ids: Tensor): Tensor => {
      const logits = (inner as unknown as (ids: Tensor) => Tensor)(ids);
      return divide(logits, where(ids.equal(token), full(ids.shape, 0), 1).reshape(...ids.shape, 1));
    },
  });
