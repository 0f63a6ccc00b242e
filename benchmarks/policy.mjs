/**
 * Ops of @heddle/rl-grpo: gpu.js kernels beside what they stand for, and on onnx:cpu the scores of tokens beside the same out of
 * core's ops.
 *
 *   node benchmarks/policy.mjs [--modes cpu,webasm] [--rounds N]
 *
 * With --modes webgpu an adapter is needed: node scripts/adapter.mjs run node benchmarks/policy.mjs --modes webgpu.
 */

import { parseArgs } from 'node:util';
import { createHost, f32, grad, i32, logProbabilityOp, sizeOf, trace, uniforms } from '@heddle/core';
import { openGpujs } from '@heddle/backend-gpujs';
import { openOnnx } from '@heddle/backend-onnx';
import grpo, { tokenScoresOp } from '@heddle/rl-grpo';
import grpoKernels from '@heddle/rl-grpo/gpujs';
import { inTurns } from './in-turns.mjs';

const { values } = parseArgs({
  options: { modes: { type: 'string', default: 'cpu,webasm' }, rounds: { type: 'string', default: '15' } },
});
const rounds = Number(values.rounds);
const host = createHost({ plugins: [grpo, grpoKernels] });

/** Sum of what it gives, so that there is one number to follow back. */
const slope = (y, x) => grad(y.reduce((a, b) => a.add(b)).sum(), [x])[0];
const scores = ({ logits, tokens }) => tokenScoresOp([logits, tokens], { temperature: 0.7 }).slice(0, 2);
const cases = [
  [512, 400],
  [512, 4096],
  [64, 32768],
].flatMap(([N, V]) => {
  const types = { logits: f32(N, V), tokens: i32(N) };
  return [
    [`scores of ${N} tokens of ${V}`, types, x => ({ y: scores(x)[0], z: scores(x)[1] })],
    [`their gradient, ${N} of ${V}`, types, x => ({ y: slope(scores(x).slice(0, 1), x.logits) })],
  ];
});

const feedsOf = types => {
  const draw = uniforms(1, 1);
  const V = types.logits?.shape[1];
  return Object.fromEntries(
    Object.entries(types).map(([name, t]) => [
      name,
      t.dtype === 'i32'
        ? { ...t, data: Int32Array.from({ length: sizeOf(t.shape) }, () => Math.floor(draw() * V)) }
        : { ...t, data: Float32Array.from({ length: sizeOf(t.shape) }, () => 2 * draw() - 1) },
    ]),
  );
};

console.log(`gpu.js kernels, in turns with what they stand for, ${rounds} rounds\n`);
console.log('| what | mode | decomposition ms | kernel ms | x decomposition |\n|---|---|---|---|---|');
for (const mode of values.modes.split(',')) {
  const backend = await openGpujs({ mode });
  for (const [title, types, make] of cases) {
    const graph = trace(types, make);
    const [plain, own] = [await backend.compile(graph), await backend.compile(graph, { kernels: host.kernels })];
    const feeds = feedsOf(types);
    const [one, two] = await inTurns([() => plain.run(feeds), () => own.run(feeds)], rounds);
    console.log(`| ${title} | ${mode} | ${one.ms.toFixed(2)} | ${two.ms.toFixed(2)} | ${two.ratio.toFixed(2)} |`);
    await plain.close();
    await own.close();
  }
  await backend.close();
}

/** As they were before the op: a log-softmax that is kept, and gone back through by `grad`. */
const kept = ({ logits, tokens }) => {
  const [logp, all] = logProbabilityOp([logits.div(0.7), tokens], {});
  return [logp, all.exp().mul(all).sum(-1).neg()];
};
console.log(`\nonnx:cpu, 1 thread: the op beside a log-softmax that is kept, ${rounds} rounds\n`);
console.log('| what | kept ms | op ms | x kept |\n|---|---|---|---|');
const backend = await openOnnx({ threads: 1 });
for (const [N, V] of [
  [512, 400],
  [512, 4096],
  [64, 32768],
]) {
  const types = { logits: f32(N, V), tokens: i32(N) };
  for (const [title, count] of [
    ['log-probability', 1],
    ['log-probability and entropy', 2],
  ]) {
    const graphs = [kept, scores].map(of =>
      trace(types, x => ({ y: of(x)[0], z: of(x)[1], slope: slope(of(x).slice(0, count), x.logits) })),
    );
    const [one, two] = await Promise.all(graphs.map(graph => backend.compile(graph)));
    const feeds = feedsOf(types);
    const [a, b] = await inTurns([() => one.run(feeds), () => two.run(feeds)], rounds);
    console.log(
      `| ${title}, gradient, ${N} of ${V} | ${a.ms.toFixed(2)} | ${b.ms.toFixed(2)} | ${b.ratio.toFixed(2)} |`,
    );
  }
}
await backend.close();
await host.close();
