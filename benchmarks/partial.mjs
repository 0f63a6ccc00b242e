/**
 * PartialFormer in figures: a training step beside plain attention with a ReLU feed-forward at equal parameters, and its
 * gpu.js kernels beside what they stand for.
 *
 *   node benchmarks/partial.mjs [--only step,kernels] [--modes cpu,webasm] [--rounds N]
 */

import { parseArgs } from 'node:util';
import {
  adamW,
  countParameters,
  createHost,
  f32,
  hostZeros,
  initialise,
  nextToken,
  sizeOf,
  trace,
  trainStep,
  uniforms,
} from '@heddle/core';
import { openGpujs } from '@heddle/backend-gpujs';
import { openOnnx } from '@heddle/backend-onnx';
import partial, { feedHeadsOp, mixHeadsOp } from '@heddle/ffn-partial';
import partialKernels from '@heddle/ffn-partial/gpujs';
import transformer, { createDecoder, partsOf } from '@heddle/transformer';
import { inTurns } from './in-turns.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'step,kernels' },
    modes: { type: 'string', default: 'cpu,webasm' },
    rounds: { type: 'string', default: '15' },
  },
});
const rounds = Number(values.rounds);
const wanted = values.only.split(',');

const host = createHost({ plugins: [transformer, partial, partialKernels] });

async function steps() {
  const [B, T, V] = [8, 64, 2000];
  const shared = {
    vocabulary: V,
    length: T,
    width: 128,
    heads: 4,
    depth: 4,
    norm: 'layer',
    positions: 'sinusoidal',
    bias: true,
  };
  const models = [
    // The hidden width brings the parameters within 1 % of complex scaling.
    ['attention, ReLU feed-forward', { ...shared, ffn: 'relu', hidden: 358 }],
    [
      'partial, complex, E = 8, r = 4',
      { ...shared, attention: 'partial', ffn: 'none', options: { attention: { expandHeads: 8 } } },
    ],
    [
      'partial, naive, E = 8, r = 4',
      { ...shared, attention: 'partial', ffn: 'none', options: { attention: { expandHeads: 8, scaling: 'naive' } } },
    ],
  ];
  const backend = await openOnnx({ threads: 1 });
  const contestants = [];
  for (const [, config] of models) {
    const model = createDecoder(config, partsOf(host));
    const [optimizer, objective] = [adamW({ weightDecay: 0 }), nextToken()];
    const step = await backend.compile(
      trainStep({ model, objective, optimizer, batch: objective.batch(B, T), clip: 1 }),
      { kernels: host.kernels },
    );
    const draw = uniforms(1, 1);
    const ids = () => Int32Array.from({ length: B * T }, () => Math.floor(draw() * V));
    const feeds = {
      ...Object.fromEntries(
        Object.entries(initialise(model, 0)).flatMap(([name, t]) => [
          [`params.${name}`, t],
          [`state.${name}.m`, hostZeros(t.shape)],
          [`state.${name}.v`, hostZeros(t.shape)],
        ]),
      ),
      'batch.ids': { dtype: 'i32', shape: [B, T], data: ids() },
      'batch.targets': { dtype: 'i32', shape: [B, T], data: ids() },
      'batch.mask': { dtype: 'f32', shape: [B, T], data: new Float32Array(B * T).fill(1) },
      ...Object.fromEntries(
        Object.entries(optimizer.scalars(1, 1e-3)).map(([name, x]) => [
          `scalars.${name}`,
          { dtype: 'f32', shape: [], data: Float32Array.of(x) },
        ]),
      ),
      key: { dtype: 'i32', shape: [2], data: Int32Array.of(0, 1) },
    };
    contestants.push(() => step.run(feeds));
  }
  const found = await inTurns(contestants, rounds);
  console.log(
    `training step, onnx:cpu, 1 thread, ${B} x ${T} tokens, width 128, depth 4, in turns, ${rounds} rounds\n`,
  );
  console.log('| model | parameters | ms | tokens/s | x plain |\n|---|---|---|---|---|');
  found.forEach(({ ms, ratio }, i) => {
    const count = countParameters(createDecoder(models[i][1], partsOf(host)));
    console.log(
      `| ${models[i][0]} | ${count.toLocaleString('en')} | ${ms.toFixed(0)} | ${((1000 * B * T) / ms).toFixed(0)} | ${ratio.toFixed(2)} |`,
    );
  });
  await backend.close();
}

const shapes = [
  ['mixHeads 4 x (8 > 16 > 16) x 64 x 64', mixHeadsOp, [f32(4, 8, 4096), f32(8, 16), f32(16), f32(16, 16), f32(16)]],
  ['mixHeads 4 x (4 > 8 > 8) x 64 x 64', mixHeadsOp, [f32(4, 4, 4096), f32(4, 8), f32(8), f32(8, 8), f32(8)]],
  ['mixHeads 1 x (8 > 16 > 16) x 16 x 16', mixHeadsOp, [f32(1, 8, 256), f32(8, 16), f32(16), f32(16, 16), f32(16)]],
  [
    'feedHeads 256 tokens x 8 heads, d 32, r 4',
    feedHeadsOp,
    [f32(256, 256), f32(256, 256), f32(32, 128), f32(128), f32(128, 32), f32(32)],
  ],
  [
    'feedHeads 256 tokens x 8 heads, d 16, r 2',
    feedHeadsOp,
    [f32(256, 128), f32(256, 128), f32(16, 32), f32(32), f32(32, 16), f32(16)],
  ],
  [
    'feedHeads 32 tokens x 8 heads, d 16, r 2',
    feedHeadsOp,
    [f32(32, 128), f32(32, 128), f32(16, 32), f32(32), f32(32, 16), f32(16)],
  ],
];

async function kernels() {
  console.log(`\ngpu.js kernels, in turns with what they stand for, ${rounds} rounds\n`);
  console.log('| op | mode | decomposition ms | kernel ms | x decomposition |\n|---|---|---|---|---|');
  for (const mode of values.modes.split(',')) {
    const backend = await openGpujs({ mode });
    for (const [title, op, types] of shapes) {
      const draw = uniforms(1, 1);
      const data = t => ({ ...t, data: Float32Array.from({ length: sizeOf(t.shape) }, () => 2 * draw() - 1) });
      const feeds = Object.fromEntries(types.map((t, i) => [`x${i}`, data(t)]));
      const graph = trace(Object.fromEntries(types.map((t, i) => [`x${i}`, t])), x => ({
        y: op(
          types.map((_, i) => x[`x${i}`]),
          {},
        )[0],
      }));
      const [plain, own] = [await backend.compile(graph), await backend.compile(graph, { kernels: host.kernels })];
      const [one, two] = await inTurns([() => plain.run(feeds), () => own.run(feeds)], rounds);
      console.log(`| ${title} | ${mode} | ${one.ms.toFixed(2)} | ${two.ms.toFixed(2)} | ${two.ratio.toFixed(2)} |`);
    }
    await backend.close();
  }
}

if (wanted.includes('step')) await steps();
if (wanted.includes('kernels')) await kernels();
await host.close();
