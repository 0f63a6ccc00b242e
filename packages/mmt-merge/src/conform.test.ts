import { readFileSync } from 'node:fs';
import { f32, host } from '@heddle/core';
import { conformPlugin, type OpLaws, type PackageJson } from '@heddle/core/testing';
import gpujs from '@heddle/backend-gpujs';
import kernels from './gpujs.js';
import plugin from './index.js';

const spread = [{ weight: 0.75 }, { weight: 0.5 }, { weight: 1.25 }];
const trimmed = spread.map((values, at) => ({ ...values, density: [0.4, 0.7, 1][at]!, epsilon: 0.1, gamma: 0.1 }));
const alone = { each: [{ weight: 1, density: 1 }] };
const family = { each: trimmed, alone };

const several = (n: number) => [...Array.from({ length: n }, () => f32(2, 3)), f32(n)]; // more than one launch reads

const ops: Readonly<Record<string, OpLaws>> = {
  'merge.weightedSum': {
    samples: [{ inputs: [f32(4), f32(1)] }, { inputs: [f32(2, 3), f32(2, 3), f32(2)] }, { inputs: [f32(1, 2, 2), f32(1, 2, 2), f32(1, 2, 2), f32(3)] }, { inputs: several(6) }, { inputs: several(11) }], // prettier-ignore
  },
  'merge.signConsensus': {
    samples: [{ inputs: [f32(5), f32(1)] }, { inputs: [f32(2, 3), f32(2, 3), f32(2, 3), host([3], [1, 0.5, -0.25])], data: [3] }, { inputs: [...several(6).slice(0, 6), host([6], [1, 0.5, -0.25, 0.75, 1.5, 0.125])], data: [6] }], // prettier-ignore
  },
  'merge.magnitudeMask': {
    samples: [{ inputs: [f32(6), host([1], [0.25]), host([1], [3], 'i32')], data: [1] }],
  },
  'lora.update': {
    samples: [
      { inputs: [f32(4, 3), f32(4, 2), f32(2, 3)], attrs: { scale: 2 } },
      { inputs: [f32(2, 3, 4), f32(2, 3, 1), f32(1, 4)], attrs: { scale: 0.5 } },
      { inputs: [f32(2, 3, 4), f32(2, 3, 2), f32(2, 2, 4)], attrs: { scale: -1 } },
      { inputs: [f32(2, 2, 2, 3), f32(2, 2, 2, 2), f32(2, 2, 3)], attrs: { scale: 1.5 } },
    ],
  },
  'merge.slerp': {
    samples: [
      { inputs: [f32(2, 3), f32(2, 3), host([1, 1], [0.3])], attrs: { t: 0.25, limit: 0.9995 }, data: [2] },
      { inputs: [f32(2, 3), f32(2, 3), host([2, 1], [0.9999, -0.5])], attrs: { t: 0.6, limit: 0.9995 }, data: [2] },
      {
        inputs: [f32(2, 3), f32(2, 3), host([1, 3], [0.9999, -0.5, 0.2])],
        attrs: { t: 0.6, limit: 0.9995 },
        data: [2],
      },
    ],
  },
};

conformPlugin(plugin, {
  packageJson: JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as PackageJson,
  load: () => import('./index.js'),
  ops,
  merges: {
    linear: { each: spread },
    slerp: { options: { t: 0.3 }, alone: { options: { t: 1 } } },
    nuslerp: { each: spread },
    multislerp: { each: spread, tolerance: 2e-5 },
    karcher: { each: spread, tolerance: 2e-5 },
    task_arithmetic: { each: spread, alone },
    ties: family,
    dare_ties: family,
    dare_linear: family,
    della: family,
    della_linear: family,
    breadcrumbs: family,
    breadcrumbs_ties: family,
    sce: { options: { select_topk: 0.5 }, alone: { options: { select_topk: 1 } } },
    nearswap: { options: { t: 0.3 }, alone: { options: { t: 100 } } },
  },
});

// Beside gpu.js's engine, so that the kernels run, in every mode that is here.
conformPlugin(kernels, { load: () => import('./gpujs.js'), beside: [gpujs, plugin], ops });
