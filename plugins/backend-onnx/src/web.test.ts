import { describe, expect, it } from 'vitest';
import { f32, i32, grad, rmsNorm, gelu, trace, logProbability } from '@heddle/core';
import { openOnnx } from './open.js';
import { openOnnxWeb } from './web.js';

describe('onnxruntime-web, wasm, in this process', () => {
  it('gives what onnx:cpu gives, gradients included', async () => {
    const graph = trace({ x: f32(6, 8), w: f32(8, 5), g: f32(8), t: i32(6) }, ({ x, w, g, t }) => {
      const loss = logProbability(gelu(rmsNorm(x, g)).matmul(w), t).mean();
      const [dx, dw] = grad(loss, [x, w]);
      return { loss, dx: dx!, dw: dw! };
    });
    const numbers = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i + 1));
    const feeds = {
      x: { dtype: 'f32' as const, shape: [6, 8], data: numbers(48) },
      w: { dtype: 'f32' as const, shape: [8, 5], data: numbers(40) },
      g: { dtype: 'f32' as const, shape: [8], data: numbers(8) },
      t: { dtype: 'i32' as const, shape: [6], data: Int32Array.of(0, 1, 2, 3, 4, 0) },
    };
    const web = await openOnnxWeb();
    const node = await openOnnx({ threads: 1 });
    const [a, b] = [await web.compile(graph), await node.compile(graph)];
    const [got, expected] = [await a.run(feeds), await b.run(feeds)];
    for (const [name, { data }] of Object.entries(expected.outputs)) {
      data.forEach((x, i) => expect(got.outputs[name]!.data[i]).toBeCloseTo(x, 5));
    }
    expect(web.name).toBe('onnx:wasm');
    await web.close();
    await node.close();
  }, 60_000);
});
