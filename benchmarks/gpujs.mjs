/**
 * Figures of @heddle/backend-gpujs, beside onnx:cpu and gpu.js's own kernels in one run: node benchmarks/gpujs.mjs
 * [--steps N] [--webgpu]. WebGPU wants an adapter: node scripts/adapter.mjs run node benchmarks/gpujs.mjs --webgpu.
 */

import { parseArgs } from 'node:util';
import gpujs from 'gpu.js';
import { f32, trace } from '@heddle/core';
import { openGpujs } from '@heddle/backend-gpujs';
import { openOnnx } from '@heddle/backend-onnx';
import { batch, openStep, shape, tiny } from './src/reference-step.mjs';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '3' }, webgpu: { type: 'boolean', default: false } },
});
const median = list => list.toSorted((a, b) => a - b)[list.length >> 1];
const square = n => ({
  dtype: 'f32',
  shape: [n, n],
  data: Float32Array.from({ length: n * n }, (_, i) => Math.sin(i)),
});

/** Steps in turns, so that a machine that slows down slows all of them. */
async function steps(contestants, dims, rounds) {
  const open = [];
  for (const [name, make] of contestants) {
    const backend = await make();
    open.push({ name, backend, step: await openStep(backend, dims), times: [], losses: [] });
  }
  for (let i = 0; i < rounds; i++) {
    for (const { step, times, losses } of open) {
      const data = batch(dims, i);
      const from = performance.now();
      losses.push(await step.run(i, data));
      times.push(performance.now() - from);
    }
  }
  const rows = open.map(({ name, times, losses, step }) => ({
    name,
    ms: median(times.slice(1)),
    tokens: (1000 * dims.B * dims.T) / median(times.slice(1)),
    gap: Math.max(...losses.map((loss, i) => Math.abs(loss / open[0].losses[i] - 1))),
    compileMs: step.compileMs,
    said: step.explain.split('\n').filter(line => /cell kernels|of work|µs/.test(line)),
  }));
  for (const { step, backend } of open) {
    await step.close();
    await backend.close();
  }
  return rows;
}

async function productMs(backend, n, rounds) {
  const executable = await backend.compile(trace({ a: f32(n, n), b: f32(n, n) }, ({ a, b }) => ({ y: a.matmul(b) })));
  const [a, b] = [await backend.upload(square(n)), await backend.upload(square(n))];
  const times = [];
  for (let i = 0; i <= rounds; i++) {
    const from = performance.now();
    const { kept } = await executable.run({ a, b }, { keep: ['y'] });
    if (backend.engine?.device) await backend.engine.device.queue.onSubmittedWorkDone();
    times.push(performance.now() - from);
    kept.y.close();
  }
  for (const t of [a, b]) t.close();
  await executable.close();
  return median(times.slice(1));
}

/** gpu.js as its users write it: one thread a cell, and four rows a thread. */
async function gpujsMs(mode, n, rounds) {
  const { GPU, input } = gpujs;
  const gpu = new GPU({ mode });
  const variants = {
    'one cell a thread': gpu.createKernel(
      'function (a, b) { let s = 0; for (let i = 0; i < this.constants.n; i++) { s += a[this.thread.y][i] * b[i][this.thread.x]; } return s; }',
      { output: [n, n], constants: { n }, pipeline: mode === 'webgpu', asyncMode: mode === 'webgpu' },
    ),
    'four rows a thread': gpu.createKernel(
      `function (a, b) { let p = 0; let q = 0; let r = 0; let s = 0; const y = this.thread.y * 4; for (let i = 0; i < this.constants.n; i++) { const v = b[i][this.thread.x]; p += a[y][i] * v; q += a[y + 1][i] * v; r += a[y + 2][i] * v; s += a[y + 3][i] * v; } return [p, q, r, s]; }`,
      { output: [n, n / 4], constants: { n }, pipeline: mode === 'webgpu', asyncMode: mode === 'webgpu' },
    ),
  };
  const data = square(n).data;
  const [a, b] = [input(data, [n, n]), input(data, [n, n])];
  const found = {};
  for (const [name, kernel] of Object.entries(variants)) {
    try {
      const times = [];
      for (let i = 0; i <= rounds; i++) {
        const from = performance.now();
        const result = await kernel(a, b);
        if (result.context?.device) await result.context.device.queue.onSubmittedWorkDone();
        times.push(performance.now() - from);
      }
      found[name] = median(times.slice(1));
    } catch (error) {
      found[name] = `fails: ${error.message.split('\n')[0]}`;
    }
  }
  await gpu.destroy();
  return found;
}

const rate = (n, ms) => (typeof ms === 'number' ? `${((2 * n ** 3) / ms / 1e6).toFixed(2)} GFLOP/s` : ms);
const printSteps = rows => {
  for (const { name, ms, tokens, gap, compileMs, said } of rows) {
    console.log(
      `  ${name.padEnd(14)} ${ms.toFixed(0).padStart(6)} ms  ${tokens.toFixed(0).padStart(6)} tokens/s  loss gap ${gap.toExponential(1)}  compiled in ${compileMs.toFixed(0)} ms`,
    );
    for (const line of said) console.log(`    ${line}`);
  }
};

const onnx = ['onnx:cpu', () => openOnnx({ threads: 1 })];
if (values.webgpu) {
  console.log('Training step, small (V 256, D 64, 2 layers, batch 4 x 32)');
  const make = () => openGpujs({ mode: 'webgpu' });
  printSteps(
    await steps([onnx, ['gpujs:webgpu', make], ['gpujs:webasm', () => openGpujs({ mode: 'webasm' })]], tiny, 20),
  );
  const backend = await make();
  const { create } = await import('webgpu');
  const gpu = create([]);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  for (const n of [256, 512]) {
    console.log(`Product of ${n} x ${n} on ${backend.engine.about.split('; ').slice(-2).join('; ')}`);
    console.log(`  tiled WGSL           ${rate(n, await productMs(backend, n, 5))}`);
    for (const [name, ms] of Object.entries(await gpujsMs('webgpu', n, 5)))
      console.log(`  gpu.js, ${name.padEnd(12)} ${rate(n, ms)}`);
  }
  const executable = await backend.compile(
    trace({ x: f32(64) }, ({ x }) => ({
      y: Array.from({ length: 150 }).reduce(y => y.add(1).sum(0, { keep: true }).broadcastTo([64]).add(x), x),
    })),
  );
  for (let i = 0; i < 100; i++) await executable.run({ x: { dtype: 'f32', shape: [64], data: new Float32Array(64) } });
  console.log(
    executable
      .explain()
      .split('\n')
      .filter(line => /µs|cell kernels/.test(line))
      .map(line => `  ${line}`)
      .join('\n'),
  );
} else {
  console.log('Reference training step (V 2048, D 256, 4 layers, batch 16 x 128), one thread');
  printSteps(await steps([onnx, ['gpujs:webasm', () => openGpujs({ mode: 'webasm' })]], shape, Number(values.steps)));
  const backend = await openGpujs({ mode: 'webasm' });
  for (const n of [256, 512, 1024]) {
    console.log(`Product of ${n} x ${n} on WebAssembly, one thread`);
    console.log(`  packed panels, SIMD  ${rate(n, await productMs(backend, n, 5))}`);
    if (n < 1024)
      for (const [name, ms] of Object.entries(await gpujsMs('webasm', n, 3)))
        console.log(`  gpu.js, ${name.padEnd(12)} ${rate(n, ms)}`);
  }
}
process.exit(0);
