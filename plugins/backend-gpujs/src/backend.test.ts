import { defineKernel, defineOp, f32, i32, sizeOf, trace, type HostTensor, type KernelSource } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import type { GpujsEvent } from './backend.js';
import { GPUJS, perCell, type GpujsKernel, type Thread } from './kernel.js';
import { openGpujs } from './open.js';

const twiceOp = defineOp({ name: 'my.twice', version: 1, infer: ([x]) => [x!], decompose: ([x]) => [x!.mul(2)] });
const twice = perCell(function twice(this: Thread, x: number[]) {
  return x[this.thread.x]! + x[this.thread.x]!;
});
/** Lawful by its text, and yet nothing that gpu.js compiles. */
const strange = perCell(function strange(this: Thread, x: number[]) {
  const held = { value: x[this.thread.x]! };
  return 2 * held.value;
});
const only = (build: (cells: number) => GpujsKernel): KernelSource => {
  const kernel = defineKernel(GPUJS, { op: twiceOp, build: ([x]) => build(sizeOf(x!.shape)) });
  return { find: (format, op) => (format === kernel.format && op === kernel.op ? [kernel] : []) };
};
const graph = trace({ x: f32(3) }, ({ x }) => ({ y: twiceOp([x], {})[0]!.add(1) }));
const x: HostTensor = { dtype: 'f32', shape: [3], data: Float32Array.of(1, 2, 3) };

describe.each(['cpu', 'webasm'] as const)('gpujs:%s', mode => {
  it('says what it compiled, which kernels it chose, and that nothing fell back', async () => {
    const events: GpujsEvent[] = [];
    const backend = await openGpujs({ mode, strict: true, onEvent: event => void events.push(event) });
    const executable = await backend.compile(graph, { name: 'mine', kernels: only(output => twice({ output })) });
    expect([...(await executable.run({ x })).outputs['y']!.data]).toEqual([3, 5, 7]);
    expect(events.filter(e => !('name' in e && e.name === 'self-test'))).toMatchObject([
      { type: 'kernel.chosen', backend: `gpujs:${mode}`, op: 'my.twice', times: 1 },
      { type: 'graph.compiled', name: 'mine', launches: 2, products: 0 },
    ]);
    expect(executable.explain()).toContain('kernel my.twice: gpujs, 1 times');
    await backend.close();
  });

  it('passes a kernel over that gpu.js cannot compile: aloud, or with an error where that is asked for', async () => {
    const kernels = only(output => strange({ output }));
    const events: GpujsEvent[] = [];
    const backend = await openGpujs({ mode, onEvent: event => void events.push(event) });
    const executable = await backend.compile(graph, { kernels });
    expect([...(await executable.run({ x })).outputs['y']!.data]).toEqual([3, 5, 7]);
    const fell = events.find(e => e.type === 'kernel.fellBack');
    expect(fell).toMatchObject({
      op: 'my.twice',
      reason: expect.stringContaining('strange: expected a body that gpu.js can compile'),
    });
    expect(executable.explain()).toMatch(/kernel my.twice: none could be compiled \(.*strange.*\), decomposed 1 times/);
    await backend.close();
    const strict = await openGpujs({ mode, strict: true });
    await expect(strict.compile(graph, { kernels })).rejects.toMatchObject({
      code: 'E_KERNEL',
      details: { limit: 'language' },
    });
    await strict.close();
  });

  it('refuses kernels that do not fit their op, naming the limit', async () => {
    const backend = await openGpujs({ mode });
    const refused = async (kernel: (output: number) => GpujsKernel, limit: string, words: RegExp) =>
      expect(backend.compile(graph, { kernels: only(kernel) })).rejects.toMatchObject({
        code: 'E_KERNEL',
        message: expect.stringMatching(words),
        details: expect.objectContaining({ limit }),
      });
    await refused(output => twice({ output: output + 1 }), 'cells', /expected 3 cells for output 0, received 4/);
    await refused(
      output => [twice({ output }), twice({ output })],
      'outputs',
      /expected 1 launches, one for each output, received 2/,
    );
    await refused(output => twice({ output, reads: [1] }), 'reads', /expected reads of inputs 0 to 0, received 1/);
    await backend.close();
  });

  it('refuses whole numbers and indices that floats or tables do not hold', async () => {
    const backend = await openGpujs({ mode });
    const executable = await backend.compile(
      trace({ i: i32(2), t: f32(4) }, ({ i, t }) => ({ y: t.gather(i), z: i.add(1) })),
    );
    const feed = (...data: number[]) =>
      executable.run({
        i: { dtype: 'i32', shape: [2], data: Int32Array.from(data) },
        t: { dtype: 'f32', shape: [4], data: new Float32Array(4) },
      });
    await expect(feed(0, 4)).rejects.toMatchObject({
      code: 'E_INDEX',
      message: expect.stringMatching(/between 0 and 3, received 4 in input 'i'/),
    });
    const sums = await backend.compile(trace({ i: i32(1) }, ({ i }) => ({ z: i.add(1) })));
    await expect(sums.run({ i: { dtype: 'i32', shape: [1], data: Int32Array.of(2 ** 24 + 1) } })).rejects.toMatchObject(
      { code: 'E_LIMIT', message: expect.stringContaining('2^24') },
    );
    await expect(
      backend.compile(trace({ a: f32(4097, 1), b: f32(1, 4096) }, ({ a, b }) => ({ y: a.matmul(b) }))),
    ).rejects.toMatchObject({ code: 'E_LIMIT', message: expect.stringMatching(/at most 16777216 elements/) });
    await expect(backend.compile(trace({ i: i32(1) }, ({ i }) => ({ z: i.add(2 ** 25) })))).rejects.toMatchObject({
      code: 'E_LIMIT',
      message: expect.stringContaining('the constant 33554432'),
    });
    await backend.close();
  });

  it('refuses a tensor of another backend by name', async () => {
    const [one, other] = [await openGpujs({ mode }), await openGpujs({ mode: mode === 'cpu' ? 'webasm' : 'cpu' })];
    const held = await other.upload(x);
    await expect(one.download(held)).rejects.toMatchObject({ code: 'E_FEED' });
    const executable = await one.compile(graph);
    await expect(executable.run({ x: held })).rejects.toMatchObject({
      code: 'E_FEED',
      message: expect.stringContaining(other.name),
    });
    await one.close();
    await other.close();
  });

  it('stops a long run at an abort and can run again', async () => {
    const backend = await openGpujs({ mode });
    // Many times longer than the engine works without a breath, also on a fast machine.
    const products = mode === 'cpu' ? 60 : 600;
    const long = trace({ a: f32(160, 160) }, ({ a }) => ({
      y: Array.from({ length: products })
        .reduce((y: typeof a) => y.matmul(a), a)
        .sum(),
    }));
    const executable = await backend.compile(long);
    const a: HostTensor = { dtype: 'f32', shape: [160, 160], data: new Float32Array(25600).fill(0.001) };
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 5);
    await expect(executable.run({ a }, { signal: stop.signal })).rejects.toThrow('enough');
    expect(Number.isFinite((await executable.run({ a })).outputs['y']!.data[0])).toBe(true);
    await backend.close();
  });
});
