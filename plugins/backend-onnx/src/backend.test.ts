import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32, i32, random, trace, type Backend, type DeviceTensor, type HostTensor } from '@heddle/core';
import { openOnnx, type OnnxBinding } from './open.js';

const vector = (...numbers: number[]): HostTensor => ({
  dtype: 'f32',
  shape: [numbers.length],
  data: Float32Array.from(numbers),
});
const sums = () => trace({ a: f32(3), b: f32(3) }, ({ a, b }) => ({ sum: a.add(b), product: a.mul(b) }));

describe.each(['c-api', 'worker'] satisfies OnnxBinding[])('the %s binding', binding => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await openOnnx({ binding, threads: 1 });
  });
  afterAll(() => backend.close());

  it('keeps outputs where they are, and feeds them again', async () => {
    const executable = await backend.compile(sums());
    let held: DeviceTensor = await backend.upload(vector(1, 2, 3));
    for (let i = 0; i < 3; i++) {
      const { kept, outputs } = await executable.run({ a: held, b: vector(1, 1, 1) }, { keep: ['sum'] });
      expect(Object.keys(outputs)).toEqual(['product']);
      held.close();
      held = kept['sum']!;
    }
    expect([...(await backend.download(held)).data]).toEqual([4, 5, 6]);
    held.close();
    held.close();
    await executable.close();
    expect(backend.live()).toBe(0);
  });

  it('does not change what it is fed, and holds a copy of what is uploaded', async () => {
    const host = vector(1, 2, 3);
    const held = await backend.upload(host);
    host.data[0] = 99;
    expect([...(await backend.download(held)).data]).toEqual([1, 2, 3]);
    const executable = await backend.compile(sums());
    await executable.run({ a: held, b: vector(5, 5, 5) });
    expect([...(await backend.download(held)).data]).toEqual([1, 2, 3]);
    held.close();
    await executable.close();
  });

  it('takes a donated tensor', async () => {
    const executable = await backend.compile(
      trace({ cache: f32(4), row: f32(1) }, ({ cache, row }) => ({ cache: cache.add(row) })),
    );
    let held = await backend.upload(vector(0, 1, 2, 3));
    for (let i = 0; i < 5; i++) {
      const { kept } = await executable.run(
        { cache: held, row: vector(1) },
        { keep: ['cache'], donate: { cache: 'cache' } },
      );
      await expect(backend.download(held)).rejects.toMatchObject({ code: 'E_CLOSED' });
      held = kept['cache']!;
    }
    expect([...(await backend.download(held)).data]).toEqual([5, 6, 7, 8]);
    expect(backend.live()).toBe(1);
    held.close();
    await executable.close();
  });

  it('queues runs, and a failed one does not hold up the next', async () => {
    const executable = await backend.compile(sums());
    const bad = executable.run({ a: vector(1, 2), b: vector(1, 2, 3) });
    const good = executable.run({ a: vector(1, 2, 3), b: vector(1, 2, 3) });
    await expect(bad).rejects.toMatchObject({ code: 'E_FEED' });
    expect([...(await good).outputs['sum']!.data]).toEqual([2, 4, 6]);
    await executable.close();
    expect(() => executable.run({ a: vector(1, 2, 3), b: vector(1, 2, 3) })).toThrow(/after close/);
  });

  it('refuses a tensor of another backend by name', async () => {
    const other = { type: f32(3), backend: 'gpujs:webgpu', close: () => {} } satisfies DeviceTensor;
    const executable = await backend.compile(sums());
    await expect(executable.run({ a: other, b: vector(1, 2, 3) })).rejects.toThrow(
      /expected a tensor of backend onnx:cpu, received one of gpujs:webgpu/,
    );
    await executable.close();
  });

  it('bakes constants in, and asks for them no more', async () => {
    const executable = await backend.compile(sums(), { constants: { b: vector(10, 20, 30) } });
    expect(Object.keys(executable.signature.inputs)).toEqual(['a']);
    expect([...(await executable.run({ a: vector(1, 2, 3) })).outputs['sum']!.data]).toEqual([11, 22, 33]);
    await executable.close();
  });

  it('draws the same random bits as the reference, from the key alone', async () => {
    const graph = trace({ key: i32(2) }, ({ key }) => ({ noise: random(key, [7], 3) }));
    const executable = await backend.compile(graph);
    const run = async (step: number): Promise<number[]> => [
      ...(await executable.run({ key: { dtype: 'i32', shape: [2], data: Int32Array.of(5, step) } })).outputs['noise']!
        .data,
    ];
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
    await executable.close();
  });

  it('leaves the event loop free while it computes', async () => {
    const n = 768;
    const executable = await backend.compile(
      trace({ a: f32(n, n) }, ({ a }) => ({
        y: Array.from({ length: 12 })
          .reduce((y: typeof a) => y.matmul(a), a)
          .sum(),
      })),
    );
    const a: HostTensor = { dtype: 'f32', shape: [n, n], data: new Float32Array(n * n).fill(0.001) };
    await executable.run({ a });
    let ticks = 0;
    let running = true;
    const done = executable.run({ a }).then(() => {
      running = false;
    });
    while (running) {
      await new Promise(resolve => setImmediate(resolve));
      ticks++;
    }
    await done;
    expect(ticks).toBeGreaterThan(5);
    await executable.close();
  });

  it('stops at an abort and can run again', async () => {
    const executable = await backend.compile(sums());
    const stop = new AbortController();
    stop.abort();
    await expect(
      executable.run({ a: vector(1, 2, 3), b: vector(1, 2, 3) }, { signal: stop.signal }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect([...(await executable.run({ a: vector(1, 2, 3), b: vector(1, 2, 3) })).outputs['sum']!.data]).toEqual([
      2, 4, 6,
    ]);
    await executable.close();
  });
});

describe('opening', () => {
  it('two backends at once, each with its own memory', async () => {
    const [a, b] = [await openOnnx({ threads: 1 }), await openOnnx({ threads: 1 })];
    const held = await a.upload(vector(1));
    await b.close();
    expect([...(await a.download(held)).data]).toEqual([1]);
    await a.close();
    await a.close();
    await expect(a.compile(sums())).rejects.toMatchObject({ code: 'E_CLOSED' });
  });

  it('refuses a number of threads that is none', async () => {
    await expect(openOnnx({ threads: 0 })).rejects.toThrow(/expected a whole number from 1 up, received 0/);
  });
});
