import { causalMask, f32, host, iota, type Tensor } from '@heddle/core';
import { conformLayer, conformPlugin, type ConformOptions } from '@heddle/core/testing';
import gpujs from '@heddle/backend-gpujs';
import { readFileSync } from 'node:fs';
import plugin, { emha, leanKernels, type EmhaConfig } from './index.js';

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

const width = 8;
const causal = (x: Tensor): Tensor => causalMask(x.shape[1]!).reshape(1, 1, x.shape[1]!, x.shape[1]!);
/** Later keys of 3 are hidden, and the second row's last one. @shape [2, 1, 3, 3] */
const mask = host(
  [2, 1, 3, 3],
  [0, 0, 0, 0, 1, 1].flatMap((_, row) => [0, 1, 2].map(s => (s > row % 3 || (row > 2 && s === 2) ? -1e9 : 0))),
);
const padding = host([1, 1, 1, 3], [0, 0, -1e9]);

/** Query, key, and inner weights for H query heads, G key heads, o hidden maps of a group. */
const inner = (B: number, H: number, G: number, T: number, S: number, d: number, groups: number, o: number, k = 1) => [
  f32(B, H, T, d),
  f32(B, G, S, d),
  f32(groups, o, k, (H * G) / groups),
  f32(groups * o),
  f32(groups, H / groups, k, o),
  f32(H),
];

const ops: NonNullable<ConformOptions['ops']> = {
  'emha.inner': {
    samples: [
      { inputs: inner(1, 1, 1, 1, 1, 1, 1, 1), attrs: { fill: 'none' } },
      { inputs: inner(2, 2, 2, 3, 3, 2, 2, 2), attrs: { fill: 'none' } },
      { inputs: inner(1, 2, 2, 3, 2, 3, 2, 1), attrs: { fill: 'none' } },
      { inputs: inner(1, 2, 1, 2, 3, 1, 2, 3), attrs: { fill: 'none' } },
      { inputs: inner(1, 2, 2, 2, 3, 1, 1, 3), attrs: { fill: 'none' } },
      { inputs: inner(1, 2, 2, 2, 3, 1, 2, 2).slice(0, 4), attrs: { fill: 'none' } },
      { inputs: inner(1, 2, 2, 3, 3, 1, 2, 1, 3), attrs: { fill: 'none' } },
      { inputs: [...inner(2, 2, 2, 3, 3, 1, 2, 1), mask], data: [6], attrs: { fill: 'every' } },
      { inputs: [...inner(2, 2, 2, 3, 3, 1, 2, 1, 3), mask], data: [6], attrs: { fill: 'every' } },
      { inputs: [...inner(1, 2, 2, 3, 3, 1, 2, 1, 3), padding], data: [6], attrs: { fill: 'first' } },
      { inputs: [...inner(1, 2, 2, 3, 3, 1, 2, 1), padding], data: [6], attrs: { fill: 'first' } },
    ],
  },
  'emha.cross': {
    samples: [
      { inputs: [f32(1, 1, 1, 1), f32(1, 1, 1, 1), f32(1), f32(1, 1, 1, 1), f32(1)], attrs: { fill: false } },
      { inputs: [f32(2, 2, 2, 3), f32(1, 3, 1, 2), f32(3), f32(1, 2, 1, 3), f32(2)], attrs: { fill: false } },
      { inputs: [f32(1, 2, 1, 3), f32(2, 2, 3, 1), f32(4), f32(2, 1, 3, 2), f32(2)], attrs: { fill: false } },
      {
        inputs: [f32(2, 2, 3, 3), f32(1, 2, 3, 2), f32(2), f32(1, 2, 3, 2), f32(2), mask],
        data: [5],
        attrs: { fill: true },
      },
    ],
  },
};

conformPlugin(plugin, {
  packageJson,
  load: () => import('./index.js'),
  beside: [gpujs],
  ops,
  parts: {
    emha: {
      config: { width, heads: 4, keyHeads: 2, bias: true, dropout: 0, block: 0, depth: 2, length: 16 },
      samples: [
        { inputs: [f32(1, 1, width)], output: [1, 1, width] },
        { inputs: [f32(2, 5, width)], output: [2, 5, width] },
      ],
      causal: true,
      // Softmax does not see what is added to a whole row.
      idle: ['cross.reduce.bias'],
      call: (attend, [x]) =>
        attend(x, {
          mask: causal(x!),
          positions: { embedding: null, angles: null },
          at: iota([1, x!.shape[1]!], 1, 'f32'),
          remember: (_: string, make: () => Tensor) => make(),
          handed: new Map(),
        }),
    },
  },
});

// Every sample that a kernel accepts has to run by it, in each mode that this machine has.
conformPlugin(leanKernels, { beside: [gpujs, plugin], ops });

const variants: Readonly<Record<string, Partial<EmhaConfig>>> = {
  paperlike: {},
  repo: { preset: 'repo' },
  light: { preset: 'light' },
  map: { form: 'map', innerKernel: 3 },
  'relative, wide, grouped': { innerKernel: 3, crossKernel: 5, crossGroups: 2, innerGroups: 2, relative: 2 },
  'inner only': { cross: false },
  'cross only': { inner: 'mean' },
  'one to one': { inner: 'own' },
};
for (const [name, options] of Object.entries(variants)) {
  const layer = { ...emha({ width, heads: 4, ...options }), name: `emha, ${name}, masked` };
  conformLayer(layer, {
    causal: true,
    samples: [
      { inputs: [f32(1, 1, width)], output: [1, 1, width] },
      { inputs: [f32(2, 6, width)], output: [2, 6, width] },
    ],
    call: (attend, [x]) => attend(x, x, causal(x!)),
  });
}
conformLayer(
  { ...emha({ width, heads: 2, attentionDropout: 0.3 }), name: 'emha over a memory, with dropout' },
  {
    samples: [
      { inputs: [f32(2, 3, width), f32(2, 5, width)], output: [2, 3, width] },
      { inputs: [f32(1, 4, width), f32(1, 1, width)], output: [1, 4, width] },
    ],
    withoutDropout: emha({ width, heads: 2 }),
  },
);
