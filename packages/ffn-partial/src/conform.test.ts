import { bool, causalMask, f32, iota, type AttentionView, type Tensor } from '@heddle/core';
import { conformLayer, conformPlugin, type OpLaws } from '@heddle/core/testing';
import gpujs from '@heddle/backend-gpujs';
import { readFileSync } from 'node:fs';
import kernels from './gpujs.js';
import plugin, { partialAttention, partialBlock, type PartialOptions, type PartialView } from './index.js';

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

const width = 8;
/** One token, several, a batch of one and of two. */
const samples = [
  { inputs: [f32(1, 1, width)], output: [1, 1, width] },
  { inputs: [f32(2, 5, width)], output: [2, 5, width] },
];
const told = { width, heads: 4, keyHeads: 4, bias: true, block: 0, depth: 2, length: 16 };
const sizes = { expandHeads: 6, coreHeads: 3, ratio: 2 };

/** Softmax hides what moves all scores of a row alike: gradients of these are 0, but for what rounding leaves. */
const silent = ['key.bias', 'mix.down.bias'];

const wholeText = (x: Tensor): AttentionView => ({
  mask: causalMask(x.shape[1]!).reshape(1, 1, x.shape[1]!, x.shape[1]!),
  positions: { embedding: null, angles: null },
  at: iota([1, x.shape[1]!], 1, 'f32'),
  remember: (_, make) => make(),
  handed: new Map([['embedded', x.mul(0.5)]]),
});

const ops: Readonly<Record<string, OpLaws>> = {
  'partial.mixHeads': {
    samples: [
      { inputs: [f32(1, 1, 1), f32(1, 1), f32(1), f32(1, 1), f32(1)] },
      { inputs: [f32(2, 3, 5), f32(3, 4), f32(4), f32(4, 6), f32(6)] },
      { inputs: [f32(2, 2, 3), f32(2, 5), f32(5), f32(5, 1), f32(1), bool(2, 5, 3)] },
      { inputs: [f32(1, 6, 9), f32(6, 12), f32(12), f32(12, 12), f32(12)] },
    ],
  },
  'partial.feedHeads': {
    samples: [
      { inputs: [f32(1), f32(1), f32(1, 1), f32(1), f32(1, 1), f32(1)] },
      { inputs: [f32(2, 3, 8), f32(2, 3, 8), f32(4, 6), f32(6), f32(6, 4), f32(4)] },
      { inputs: [f32(5, 6), f32(5, 6), f32(3, 12), f32(12), f32(12, 3), f32(3)] },
      { inputs: [f32(2, 4), f32(2, 4), f32(2, 3), f32(3), f32(3, 2), f32(2), bool(4, 3)] },
    ],
  },
};

conformPlugin(plugin, {
  packageJson,
  load: () => import('./index.js'),
  ops,
  parts: {
    partial: {
      config: { ...told, ...sizes, dropout: 0.3 },
      samples,
      causal: true,
      call: (attend, [x]) => attend(x, wholeText(x!)),
      withoutDropout: partialAttention({ ...told, ...sizes, dropout: 0 }),
      idle: silent.map(name => `inner.${name}`).concat('map.key.bias'),
    },
  },
});

// Beside gpu.js's engine, so that the kernels run, in every mode that is here.
conformPlugin(kernels, { load: () => import('./gpujs.js'), beside: [gpujs, plugin], ops });

const ablations: Readonly<Record<string, Partial<PartialOptions>>> = {
  'naive scaling': { scaling: 'naive' },
  'a feed-forward for each head': { feed: 'perHead' },
  'no feed-forward': { feed: 'none' },
  'gate before': { gate: 'before' },
  'no gate': { gate: 'none' },
  'no residual': { residual: false },
  norms: { norms: true },
  'inner gate': { innerGate: true },
  interaction: { interaction: 2 },
  'no biases': { bias: false },
  'everything at once': { feed: 'perHead', gate: 'before', norms: true, innerGate: true, interaction: 1 },
};

for (const [name, ablation] of Object.entries(ablations)) {
  const options = { width, heads: 4, ...sizes, ...ablation };
  const dropouts = { attentionDropout: 0.2, activationDropout: 0.2, feedDropout: 0.2 };
  conformLayer(
    { ...partialBlock({ ...options, ...dropouts }), name },
    {
      samples,
      causal: true,
      call(block, [x]) {
        const T = x!.shape[1]!;
        const view: PartialView = { mask: causalMask(T).reshape(1, 1, T, T) };
        return (block(x, view) as unknown as { readonly out: Tensor }).out;
      },
      withoutDropout: partialBlock(options),
      idle: silent,
    },
  );
}
