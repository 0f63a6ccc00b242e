import { causalMask, f32, host, iota, type Tensor } from '@heddle/core';
import { conformPlugin, type PartLaws } from '@heddle/core/testing';
import { readFileSync } from 'node:fs';
import plugin, { type AttentionView } from './index.js';

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
const told = { width, hidden: 12, bias: true, dropout: 0, epsilon: 1e-5, role: 'decoder', block: 0, depth: 2 };
const part: PartLaws = { config: told, samples };

/** A whole text: keys and values are the rows themselves. */
const wholeText = (x: Tensor): AttentionView => ({
  mask: causalMask(x.shape[1]!).reshape(1, 1, x.shape[1]!, x.shape[1]!),
  positions: { embedding: null, angles: null },
  at: iota([1, x.shape[1]!], 1, 'f32'),
  remember: (_, make) => make(),
  handed: new Map(),
});

conformPlugin(plugin, {
  packageJson,
  load: () => import('./index.js'),
  ops: {
    cacheWrite: {
      samples: [
        { inputs: [f32(1, 1, 3, 2), f32(1, 1, 1, 2), host([1, 1], [2], 'i32')] },
        { inputs: [f32(2, 3, 5, 2), f32(2, 3, 2, 2), host([2, 2], [4, 0, 1, 2], 'i32')] },
      ],
    },
  },
  parts: {
    standard: {
      config: { ...told, heads: 4, keyHeads: 2, length: 16 },
      samples,
      causal: true,
      call: (attend, [x]) => attend(x, wholeText(x!)),
    },
    relative: {
      config: { ...told, heads: 4, keyHeads: 2, length: 16, reach: 2 },
      samples,
      causal: true,
      call: (attend, [x]) => attend(x, wholeText(x!)),
    },
    swiglu: part,
    gelu: part,
    relu: part,
    rms: part,
    layer: part,
  },
});
