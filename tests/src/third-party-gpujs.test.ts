/** Kernels for gpu.js by a stranger's hand, in every mode present: the kit compares them with the op's meaning and sees that they ran. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost, f32, grad, trace, type Backend, type Graph } from '@heddle/core';
import { conformPlugin } from '@heddle/core/testing';
import gpujs from '@heddle/backend-gpujs';
import weft, { ease } from '../third-party/weft/src/index.js';
import { gpujsBackends, present } from './support/backends.js';
import { widest } from './support/compare.js';
import { sampleFeeds } from './support/samples.js';
import { importsOf } from './imports.js';

const folder = new URL('../third-party/weft/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

const host = createHost({ plugins: [gpujs, weft] });
afterAll(() => host.close());

// The kit runs the kernel in every mode of gpu.js that is here, and looks in `explain()` whether it ran.
conformPlugin(weft, {
  packageJson: manifest,
  beside: [gpujs],
  ops: {
    'weft.ease': {
      samples: [
        { inputs: [f32(3, 5)], attrs: { temperature: 0.5 } },
        { inputs: [f32(2, 3, 4)], attrs: { temperature: 2 } },
        { inputs: [f32(7)], attrs: { temperature: 1 } },
        { inputs: [f32(3, 1)], attrs: { temperature: 1 } },
      ],
    },
  },
});

it('imports published entries of its peers, and nothing else', () => {
  for (const file of ['index', 'op', 'kernel']) {
    for (const { specifier } of importsOf(file, readFileSync(new URL(`src/${file}.ts`, folder), 'utf8'))) {
      if (!specifier.startsWith('./'))
        expect(['@heddle/core', '@heddle/backend-gpujs/kernel'], `${file}.ts`).toContain(specifier);
    }
  }
});

describe.each(present(gpujsBackends))('$name', ({ open }) => {
  let backend: Backend;
  beforeAll(async () => void (backend = await open()));
  afterAll(() => backend.close());

  const explained = async (graph: Graph, kernels: boolean): Promise<string> => {
    const executable = await backend.compile(graph, kernels ? { kernels: host.kernels } : {});
    await executable.close();
    return executable.explain();
  };

  it('runs no launch of an output that nobody reads', async () => {
    const one = trace({ x: f32(4, 6) }, ({ x }) => ({ p: ease(x, 0.7)[0]! }));
    const both = trace({ x: f32(4, 6) }, ({ x }) => ({ p: ease(x, 0.7)[0]!, h: ease(x, 0.7)[1]! }));
    expect(await explained(one, true)).toMatch(/^3 cell kernels/m); // peak, mass, share
    expect(await explained(both, true)).toMatch(/^4 cell kernels/m);
    expect(await explained(one, false)).toContain('kernel weft.ease: none accepted, decomposed 1 times');
  });

  it('trains through its op: the gradient flows by the decomposition', async () => {
    const graph = trace({ x: f32(4, 6), w: f32(6, 6) }, ({ x, w }) => {
      const [p, h] = ease(x.matmul(w), 0.7);
      const loss = p!.square().sum().add(h!.sum());
      return { loss, slope: grad(loss, [w])[0]! };
    });
    const feeds = sampleFeeds(graph);
    const run = async (on: Backend) => {
      const executable = await on.compile(graph, { kernels: host.kernels });
      const { outputs } = await executable.run(feeds);
      await executable.close();
      return { ...outputs };
    };
    const { backend: reference } = await host.openBackend('reference');
    expect(widest(await run(reference), await run(backend)).gap).toBeLessThan(1e-4);
  });
});
