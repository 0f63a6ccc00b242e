/** On a device: what lies on it stays there, and what goes wrong has a code. Wherever an adapter answers. */

import {
  adamW,
  affine,
  f32,
  trace,
  trainStep,
  type Backend,
  type DeviceTensor,
  type HostTensor,
  full,
} from '@heddle/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GpujsBackend } from './backend.js';
import { openWebgpuEngine, type WebgpuEngine } from './engines/webgpu.js';
import { offers } from './offers.js';
import { findGpu, openGpujs } from './open.js';

const missing = await offers.find(o => o.name === 'gpujs:webgpu')!.unavailable();
if (missing !== null) console.warn(`skipped: gpujs:webgpu on a device: ${missing}`);

const engineOf = (backend: Backend): WebgpuEngine => (backend as GpujsBackend).engine as WebgpuEngine;
const doubled = trace({ x: f32(4) }, ({ x }) => ({ y: x.mul(2) }));
const x: HostTensor = { dtype: 'f32', shape: [4], data: Float32Array.of(1, 2, 3, 4) };

describe('without a device', () => {
  it('says that no adapter answers', async () => {
    const none = { requestAdapter: async () => null } as unknown as GPU;
    await expect(openWebgpuEngine(none)).rejects.toMatchObject({
      code: 'E_UNAVAILABLE',
      message: expect.stringContaining('expected a WebGPU adapter, received none'),
    });
  });
});

describe.skipIf(missing !== null)(`on a device${missing === null ? '' : ` (${missing})`}`, () => {
  let backend: Backend;
  beforeAll(async () => void (backend = await openGpujs({ mode: 'webgpu' })));
  afterAll(() => backend.close());

  it('trains 500 steps over the same buffers, and reads back the loss alone', async () => {
    const model = affine(6, 3);
    const optimizer = adamW();
    const objective = {
      name: 'squares',
      batch: () => ({ x: f32(8, 6) }),
      loss: (apply: (t: never) => never, { x: rows }: { x?: never }) => ({
        sum: (apply(rows as never) as { square(): { sum(): never } }).square().sum(),
        count: full([], 8),
      }),
    };
    const graph = trainStep({ model, objective: objective as never, optimizer, batch: { x: f32(8, 6) }, clip: 1 });
    const executable = await backend.compile(graph, { name: 'steps' });
    const state: Record<string, DeviceTensor> = {};
    const names = Object.keys(executable.signature.outputs).filter(n => n in executable.signature.inputs);
    expect(names.length).toBeGreaterThan(5);
    for (const [i, n] of names.entries()) {
      const { shape } = executable.signature.inputs[n]!;
      const cells = shape.reduce((a, b) => a * b, 1);
      const value = n.startsWith('params') ? 0.1 * (i + 1) : 0;
      state[n] = await backend.upload({ dtype: 'f32', shape, data: new Float32Array(cells).fill(value) });
    }
    const rows: HostTensor = {
      dtype: 'f32',
      shape: [8, 6],
      data: Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)),
    };
    const losses: number[] = [];
    let after3 = { buffers: 0, bytes: 0 };
    for (let step = 1; step <= 500; step++) {
      const scalars = Object.entries(optimizer.scalars(step, 1e-2)).map(([n, v]) => [
        `scalars.${n}`,
        { dtype: 'f32' as const, shape: [], data: Float32Array.of(v) },
      ]);
      const feeds = {
        ...state,
        ...Object.fromEntries(scalars),
        'batch.x': rows,
        ...('key' in executable.signature.inputs
          ? { key: { dtype: 'i32' as const, shape: [2], data: Int32Array.of(1, step) } }
          : {}),
      };
      const { outputs, kept } = await executable.run(feeds, { keep: names });
      for (const n of names) state[n]!.close();
      Object.assign(state, kept);
      losses.push(outputs['loss']!.data[0]!);
      const { buffers, readBack } = engineOf(backend);
      if (step === 3) after3 = { buffers: buffers(), bytes: readBack() };
      if (step > 3) expect(buffers()).toBe(after3.buffers);
    }
    const scalarOutputs = Object.keys(executable.signature.outputs).length - names.length;
    expect(engineOf(backend).readBack() - after3.bytes).toBe(497 * 4 * scalarOutputs);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 100);
    expect(executable.explain()).toMatch(/500 runs, [\d.]+ µs of JavaScript per recorded pass/);
    for (const n of names) state[n]!.close();
    await executable.close();
    expect(backend.live()).toBe(0);
  });

  it('tells the loss of a device, and nothing works on it afterwards', async () => {
    const other = await openGpujs({ mode: 'webgpu' });
    const executable = await other.compile(doubled);
    const held = await other.upload(x);
    const run = executable.run({ x: held });
    engineOf(other).device.destroy();
    const outcome = await run.then(
      () => 'done before',
      (error: unknown) => (error as { readonly code: string }).code,
    );
    expect(['done before', 'E_DEVICE_LOST']).toContain(outcome);
    await engineOf(other).device.lost;
    await expect(executable.run({ x: held })).rejects.toMatchObject({
      code: 'E_DEVICE_LOST',
      message: expect.stringContaining('go on from the last checkpoint'),
    });
    await expect(other.upload(x)).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
    held.close();
    await other.close();
  });

  it('tells that memory is out, and gives back what it had taken', async () => {
    const { device } = engineOf(backend);
    const engine = await openWebgpuEngine(await findGpu(), { device });
    const other = new GpujsBackend(engine);
    const before = engine.buffers();
    let scopes = 0;
    // Of the two scopes that loading closes, the second is the one for memory.
    const pop = vi
      .spyOn(device, 'popErrorScope')
      .mockImplementation(async () => (++scopes === 2 ? ({ message: 'no memory' } as GPUError) : null));
    await expect(other.compile(doubled)).rejects.toMatchObject({
      code: 'E_DEVICE_MEMORY',
      message: expect.stringContaining('no memory'),
    });
    pop.mockRestore();
    expect(engine.buffers()).toBe(before);
    const executable = await other.compile(doubled);
    expect([...(await executable.run({ x })).outputs['y']!.data]).toEqual([2, 4, 6, 8]);
    await other.close();
    // A device that was lent is not closed.
    const again = await backend.compile(doubled);
    expect([...(await again.run({ x })).outputs['y']!.data]).toEqual([2, 4, 6, 8]);
    await again.close();
  });

  it('computes products of every edge as the interpreter does', async () => {
    for (const [m, k, n, batch] of [
      [9, 17, 33, 2],
      [65, 31, 70, 4],
      [130, 20, 129, 1],
    ] as const) {
      const graph = trace({ a: f32(batch, m, k), b: f32(batch, k, n) }, ({ a, b }) => ({ y: a.matmul(b) }));
      const [a, b] = [batch * m * k, batch * k * n].map((length, s) =>
        Float32Array.from({ length }, (_, i) => Math.sin(i + s)),
      );
      const executable = await backend.compile(graph);
      const { data } = (
        await executable.run({
          a: { dtype: 'f32', shape: [batch, m, k], data: a! },
          b: { dtype: 'f32', shape: [batch, k, n], data: b! },
        })
      ).outputs['y']!;
      for (const at of [0, data.length - 1, Math.floor(data.length / 2)]) {
        const [z, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
        let sum = 0;
        for (let q = 0; q < k; q++) sum += a![(z * m + i) * k + q]! * b![(z * k + q) * n + j]!;
        expect(data[at]).toBeCloseTo(sum, 4);
      }
      await executable.close();
    }
  });
});
