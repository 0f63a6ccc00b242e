/**
 * Memory and time of EMHA beside plain attention, and of its gpu.js kernels beside their decomposition.
 *
 *   node packages/attention-emha/scripts/measure.mjs [--batch 4] [--length 64] [--width 256] [--heads 8] [--rounds 7]
 *
 * One thread. Every attention runs in a process of its own, in turns; times are medians, memory is the process's peak
 * above what it held when everything was compiled but nothing had run. Needs @heddle/backend-onnx beside this package.
 */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  attend,
  bind,
  countParameters,
  defineLayer,
  f32,
  grad,
  initialise,
  joinHeads,
  affine,
  parameterTypes,
  splitHeads,
  trace,
  uniforms,
} from '@heddle/core';
import { crossGpujs, crossOp, emha, innerGpujs, innerOp } from '@heddle/attention-emha';

const { values } = parseArgs({
  options: {
    batch: { type: 'string', default: '4' },
    length: { type: 'string', default: '64' },
    width: { type: 'string', default: '256' },
    heads: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '7' },
    one: { type: 'string' },
    training: { type: 'boolean', default: false },
    kernels: { type: 'boolean', default: false },
  },
});
const [B, T, width, heads, rounds] = ['batch', 'length', 'width', 'heads', 'rounds'].map(name => Number(values[name]));

const plain = () =>
  defineLayer({
    name: 'plain',
    params: Object.fromEntries(['query', 'key', 'value', 'output'].map(name => [name, affine(width, width)])),
    apply({ query, key, value, output }, x) {
      const split = t => splitHeads(t, heads);
      return output(joinHeads(attend(split(query(x)), split(key(x)), split(value(x)))));
    },
  });

const attentions = {
  plain,
  light: () => emha({ width, heads, preset: 'light' }),
  paperlike: () => emha({ width, heads }),
  repo: () => emha({ width, heads, preset: 'repo' }),
};

const median = list => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const drawn = shape => {
  const draw = uniforms(1, shape.length);
  return {
    dtype: 'f32',
    shape,
    data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => draw() - 0.5),
  };
};

/** One attention in this process: forward, or the gradients of every parameter and of the input. */
async function one(name, training) {
  const { openOnnx } = await import('@heddle/backend-onnx');
  const layer = attentions[name]();
  const names = Object.keys(parameterTypes(layer));
  const graph = trace({ x: f32(B, T, width), ...parameterTypes(layer) }, ({ x, ...params }) => {
    const bound = bind(layer, params, { training: false });
    const out = name === 'plain' ? bound(x) : bound(x, x);
    if (!training) return { out };
    const wrt = [x, ...names.map(n => params[n])];
    return Object.fromEntries(grad(out.square().sum(), wrt).map((g, i) => [`g${i}`, g]));
  });
  const backend = await openOnnx({ threads: 1 });
  const executable = await backend.compile(graph);
  const feeds = { x: drawn([B, T, width]), ...initialise(layer, 1) };
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const times = [];
  let peak = before;
  for (let round = 0; round < rounds + 2; round++) {
    const start = performance.now();
    await executable.run(feeds);
    if (round >= 2) times.push(performance.now() - start);
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  await executable.close();
  await backend.close();
  // The largest the process ever was, in KiB on Linux, also while a run was in progress.
  const most = Math.max(peak, process.resourceUsage().maxRSS * 1024);
  process.send({ time: median(times), memory: (most - before) / 2 ** 20, parameters: countParameters(layer) });
}

const child = (name, training) =>
  new Promise((done, fail) => {
    const options = Object.entries({ batch: B, length: T, width, heads, rounds }).flatMap(([k, v]) => [
      `--${k}`,
      String(v),
    ]);
    const process_ = fork(fileURLToPath(import.meta.url), [
      ...options,
      '--one',
      name,
      ...(training ? ['--training'] : []),
    ]);
    let said = null;
    process_.on('message', message => (said = message));
    process_.on('exit', code => (said ? done(said) : fail(new Error(`${name}: exit ${code}`))));
  });

const table = rows => {
  const [head, ...rest] = rows;
  return [head, head.map(() => '---'), ...rest].map(cells => `| ${cells.join(' | ')} |`).join('\n');
};

async function besidePlain() {
  const names = Object.keys(attentions);
  const found = Object.fromEntries(names.map(name => [name, { false: [], true: [] }]));
  for (let turn = 0; turn < 3; turn++)
    for (const training of [false, true])
      for (const name of names) found[name][training].push(await child(name, training));
  const of = (name, training, what) => median(found[name][training].map(r => r[what]));
  const rows = names.map(name => [
    name,
    String(of(name, false, 'parameters')),
    ...[false, true].flatMap(training => [
      of(name, training, 'time').toFixed(1),
      (of(name, training, 'time') / of('plain', training, 'time')).toFixed(1),
      of(name, training, 'memory').toFixed(0),
    ]),
  ]);
  console.log(`onnx:cpu, one thread; batch ${B}, ${T} tokens, width ${width}, ${heads} heads\n`);
  console.log(
    table([
      ['attention', 'parameters', 'forward ms', 'x plain', 'MiB', 'with gradients ms', 'x plain', 'MiB'],
      ...rows,
    ]),
  );
}

async function besideDecomposition() {
  const { openGpujs } = await import('@heddle/backend-gpujs');
  const d = width / heads;
  const ops = {
    'emha.inner': [
      innerOp,
      [[B, heads, T, d], [B, heads, T, d], [heads, 8, 1, heads], [heads * 8], [heads, 1, 1, 8], [heads]],
      innerGpujs,
      'none',
    ],
    'emha.cross': [
      crossOp,
      [[B, heads, T, T], [1, 4 * heads, 1, heads], [4 * heads], [1, heads, 1, 4 * heads], [heads]],
      crossGpujs,
      false,
    ],
  };
  const rows = [];
  for (const mode of ['webasm', 'cpu', 'webgpu']) {
    let backend;
    try {
      backend = await openGpujs({ mode });
    } catch (error) {
      console.log(`skipped: gpujs:${mode}: ${error.message.split('\n')[0]}`);
      continue;
    }
    for (const [name, [op, shapes, kernel, fill]] of Object.entries(ops)) {
      const graph = trace(Object.fromEntries(shapes.map((shape, i) => [`x${i}`, f32(...shape)])), inputs => ({
        out: op(Object.values(inputs), { fill })[0],
      }));
      const feeds = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, drawn(shape)]));
      const source = { find: (format, wanted) => (format === kernel.format && wanted === op.name ? [kernel] : []) };
      const ways = [await backend.compile(graph, { kernels: source }), await backend.compile(graph)];
      const times = [[], []];
      for (let round = 0; round < rounds + 1; round++) {
        for (const [i, way] of ways.entries()) {
          const start = performance.now();
          await way.run(feeds);
          if (round > 0) times[i].push(performance.now() - start);
        }
      }
      const [own, made] = times.map(median);
      const mib = ways.map(way => /arrays: ([\d.]+) MiB/.exec(way.explain())?.[1] ?? '?');
      rows.push([`gpujs:${mode}`, name, own.toFixed(1), made.toFixed(1), (made / own).toFixed(2), mib[0], mib[1]]);
      for (const way of ways) await way.close();
    }
    await backend.close();
  }
  console.log(
    `\n${table([['engine', 'op', 'kernel ms', 'decomposition ms', 'times faster', 'kernel MiB', 'decomposition MiB'], ...rows])}`,
  );
}

if (values.one) await one(values.one, values.training);
else {
  if (!values.kernels) await besidePlain();
  await besideDecomposition();
}
