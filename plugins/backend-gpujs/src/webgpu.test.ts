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
  type Tensor,
  full,
} from '@heddle/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GpujsBackend, type GpujsEvent } from './backend.js';
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
    const said: GpujsEvent[] = [];
    const other = await openGpujs({ mode: 'webgpu', onEvent: event => said.push(event) });
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
    expect(said.filter(({ type }) => type === 'device.lost')).toEqual([
      { type: 'device.lost', backend: 'gpujs:webgpu', reason: expect.any(String) },
    ]);
    held.close();
    await other.close();
  });

  it('says nothing of a device that was closed', async () => {
    const said: string[] = [];
    const other = await openGpujs({ mode: 'webgpu', onEvent: ({ type }) => said.push(type) });
    const { device } = engineOf(other);
    await other.close();
    await device.lost;
    expect(said).not.toContain('device.lost');
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

  it('reads what it was given, also after other programs have closed and left their buffers', async () => {
    const own = await openGpujs({ mode: 'webgpu' });
    const first = await own.compile(trace({ x: f32(64) }, ({ x }) => ({ y: x.exp().sum(0, { keep: true }).add(x) })));
    const [four, five] = [await own.upload(x), { ...x, data: Float32Array.of(5, 6, 7, 8) }];
    const second = await own.compile(doubled);
    expect([...(await second.run({ x: four })).outputs['y']!.data]).toEqual([2, 4, 6, 8]);
    await first.close();
    for (let i = 0; i < 8; i++)
      expect([...(await second.run({ x: await own.upload(five) })).outputs['y']!.data]).toEqual([10, 12, 14, 16]);
    await own.close();
  });

  it('says on request where the time goes', async ({ skip }) => {
    if (!engineOf(backend).device.features.has('timestamp-query')) skip('this device has no timestamp-query');
    const own = await openGpujs({ mode: 'webgpu', profile: true });
    const graph = trace({ a: f32(32, 32) }, ({ a }) => ({ y: a.matmul(a).exp().sum(0) }));
    const executable = await own.compile(graph);
    await executable.run({ a: { dtype: 'f32', shape: [32, 32], data: new Float32Array(1024) } });
    const lines = executable.explain().split('\n');
    const shares = lines.flatMap(line => /µs +([\d.]+) %/.exec(line)?.[1] ?? []).map(Number);
    expect(lines.some(line => line.includes('product 1 x [32, 32] x [32, 32]'))).toBe(true);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 0);
    await own.close();
  });

  it('refuses to measure more passes than a device counts, and takes nothing for them', async ({ skip }) => {
    if (!engineOf(backend).device.features.has('timestamp-query')) skip('this device has no timestamp-query');
    const own = await openGpujs({ mode: 'webgpu', profile: true });
    const before = engineOf(own).buffers();
    const long = trace({ x: f32(64) }, ({ x }) => ({
      y: Array.from({ length: 2100 }).reduce((y: Tensor) => y.sum(0, { keep: true }).add(x), x),
    }));
    await expect(own.compile(long)).rejects.toMatchObject({
      code: 'E_UNAVAILABLE',
      message: expect.stringContaining('at most 2048 passes'),
    });
    expect(engineOf(own).buffers()).toBe(before);
    await own.close();
  });

  // Each of the ways in which products are cut, even and uneven, operands lying either way, a sum in parts.
  it.each([
    [2, 9, 17, 33],
    [4, 65, 31, 70],
    [1, 130, 20, 129],
    [3, 32, 24, 64],
    [130, 48, 16, 64],
    [130, 61, 19, 50],
    [64, 200, 12, 64],
    [64, 128, 16, 61],
    [512, 96, 8, 100],
    [512, 97, 9, 97],
    [1, 256, 2048, 256],
    [2, 250, 1090, 190],
    [3, 70, 100, 1],
    [1, 40_000, 64, 1],
    [2, 130, 77, 3],
  ] as const)('computes %i products of %i x %i x %i', async (batch, m, k, n) => {
    for (const [turnA, turnB] of [
      [false, false],
      [true, true],
    ] as const) {
      const shapes = { a: turnA ? f32(batch, k, m) : f32(batch, m, k), b: turnB ? f32(batch, n, k) : f32(batch, k, n) };
      const turn = (t: Tensor, turned: boolean): Tensor => (turned ? t.transpose(0, 2, 1) : t);
      const graph = trace(shapes, ({ a, b }) => ({ y: turn(a, turnA).matmul(turn(b, turnB)) }));
      const [a, b] = [batch * m * k, batch * k * n].map((length, s) =>
        Float32Array.from({ length }, (_, i) => Math.sin(i * 0.7 + s)),
      ) as [Float32Array, Float32Array];
      const executable = await backend.compile(graph);
      const { data } = (
        await executable.run({
          a: { dtype: 'f32', shape: [...shapes.a.shape], data: a },
          b: { dtype: 'f32', shape: [...shapes.b.shape], data: b },
        })
      ).outputs['y']!;
      // Every cell of the result would take long: some of each row and column are enough, for all edges among them.
      let worst = 0;
      const step = Math.max(1, Math.floor(data.length / 20_011));
      for (let at = 0; at < data.length; at += at < 300 || at > data.length - 300 ? 1 : step) {
        const [z, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
        let sum = 0;
        for (let q = 0; q < k; q++) {
          const left = turnA ? a[(z * k + q) * m + i]! : a[(z * m + i) * k + q]!;
          const right = turnB ? b[(z * n + j) * k + q]! : b[(z * k + q) * n + j]!;
          sum += left * right;
        }
        worst = Math.max(worst, Math.abs(data[at]! - sum) / Math.max(1, Math.sqrt(k)));
      }
      expect(worst).toBeLessThan(2e-5);
      await executable.close();
    }
  });
});
