import { afterAll, describe, expect, it } from 'vitest';
import {
  attend,
  causalMask,
  crossEntropy,
  expandOps,
  f32,
  gelu,
  grad,
  interpret,
  layerNorm,
  rmsNorm,
  silu,
  trace,
  uniforms,
  type Backend,
  type Graph,
  type HostTensor,
  type Tensor,
  type Types,
} from '@heddle/core';
import { offers } from './offers.js';
import { openOnnx } from './open.js';

const open: Promise<Backend>[] = [];
const backends = [
  ['C API', () => openOnnx({ threads: 1, binding: 'c-api' })],
  ['worker', () => openOnnx({ threads: 1, binding: 'worker' })],
] as const;

/** Where an adapter answers: a GPU, or a software one behind the Vulkan loader. */
const webgpu = ['WebGPU provider', () => openOnnx({ provider: 'webgpu' })] as const;

afterAll(async () => {
  for (const backend of open) await (await backend).close();
});

/** Random feeds for a graph. */
function feedsOf(graph: Graph): Record<string, HostTensor> {
  const draw = uniforms(1, 1);
  return Object.fromEntries(
    Object.entries(graph.inputs).map(([name, { type }]) => {
      const n = type.shape.reduce((a, b) => a * b, 1);
      const data =
        type.dtype === 'f32'
          ? Float32Array.from({ length: n }, () => 2 * draw() - 1)
          : type.dtype === 'i32'
            ? Int32Array.from({ length: n }, () => Math.floor(3 * draw()))
            : Uint8Array.from({ length: n }, () => Math.round(draw()));
      return [name, { ...type, data }];
    }),
  );
}

const gradients = (types: Types, loss: (x: Record<string, Tensor>) => Tensor): Graph =>
  trace(types, x => {
    const value = loss(x);
    const wrt = Object.entries(x).filter(([, t]) => t.dtype === 'f32');
    const slopes = grad(
      value,
      wrt.map(([, t]) => t),
    );
    return { value, ...Object.fromEntries(wrt.map(([n], i) => [`d${n}`, slopes[i]!])) };
  });

const cases: Record<string, Graph> = {
  attention: gradients({ q: f32(2, 4, 5, 6), k: f32(2, 2, 5, 6), v: f32(2, 2, 5, 6) }, ({ q, k, v }) =>
    attend(q!, k!, v!, causalMask(5)).square().sum(),
  ),
  norms: gradients({ x: f32(3, 8), g: f32(8), b: f32(8) }, ({ x, g, b }) =>
    rmsNorm(layerNorm(x!, g!, b!), g!)
      .square()
      .sum(),
  ),
  activations: gradients({ x: f32(3, 8) }, ({ x }) => gelu(x!).add(gelu(x!, 'tanh')).add(silu(x!)).square().sum()),
  'cross entropy': gradients(
    { x: f32(6, 9), t: { dtype: 'i32', shape: [6] }, w: f32(6) },
    ({ x, t, w }) => crossEntropy(x!, t!, w!, { labelSmoothing: 0.1 }).sum,
  ),
  embedding: gradients({ table: f32(7, 4), ids: { dtype: 'i32', shape: [2, 5] } }, ({ table, ids }) =>
    table!.gather(ids!).square().sum(),
  ),
};

const noAdapter = await offers.find(o => o.name === 'onnx:webgpu')!.unavailable();
if (noAdapter !== null) console.warn(`skipped: onnx:webgpu agrees with the reference: ${noAdapter}`);

describe.each(noAdapter === null ? [...backends, webgpu] : backends)('onnx over the %s', (_name, make) => {
  const backend = make();
  open.push(backend);
  it.each(Object.entries(cases))('agrees with the reference on %s', async (_case, graph) => {
    const feeds = feedsOf(graph);
    const expected = interpret(expandOps(graph), feeds, 'f32');
    const executable = await (await backend).compile(graph);
    const { outputs } = await executable.run(feeds);
    for (const [name, t] of Object.entries(expected)) {
      const scale = Math.max(1e-6, ...[...t.data].map(Math.abs));
      const gap = Math.max(...[...t.data].map((x, i) => Math.abs(x - outputs[name]!.data[i]!)));
      expect(gap / scale, `${name}: ${executable.explain()}`).toBeLessThan(1e-5);
    }
    await executable.close();
  });
});
