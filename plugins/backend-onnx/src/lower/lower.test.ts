import { describe, expect, it } from 'vitest';
import {
  defineKernel,
  f32,
  grad,
  layerNorm,
  softmaxOp,
  softmax,
  trace,
  type Graph,
  type KernelSource,
} from '@heddle/core';
import { exportOnnx } from '../export.js';
import { ONNX } from '../kernel.js';
import { lower } from './lower.js';

const limits = {
  maxRank: 6,
  maxElements: 2 ** 31 - 1,
  exactIntegers: 2 ** 31,
  dtypes: ['f32', 'i32', 'bool'] as const,
  deterministic: true,
  resident: false,
  tolerance: 1e-5,
};
const text = new TextDecoder('latin1');
/** How often an operator's name stands in the file: once for each node, as `op_type` (node names have a prefix and a number). */
const count = (graph: Graph, op: string, kernels?: KernelSource): number => {
  const { model } = exportOnnx(graph, { name: 'test', ...(kernels ? { kernels } : {}) });
  // Field 4 (op_type) of NodeProto: tag 0x22, length, name.
  return text.decode(model).split(`\x22${String.fromCharCode(op.length)}${op}`).length - 1;
};

describe('lowering', () => {
  it('lets ONNX broadcast instead of writing repeated cells', () => {
    const graph = trace({ x: f32(64, 32), row: f32(32) }, ({ x, row }) => ({
      y: x
        .mul(2)
        .add(row)
        .sub(x.mean(-1, { keep: true })),
    }));
    expect(count(graph, 'Expand')).toBe(0);
  });

  it('hands a factor to the product before it, when nobody else reads the product', () => {
    const once = trace({ a: f32(4, 4), b: f32(4, 4) }, ({ a, b }) => ({ y: a.matmul(b).mul(0.5) }));
    expect([count(once, 'Mul'), count(once, 'FusedMatMul')]).toEqual([0, 1]);
    const twice = trace({ a: f32(4, 4), b: f32(4, 4) }, ({ a, b }) => {
      const y = a.matmul(b);
      return { y: y.mul(0.5), z: y.exp() };
    });
    expect([count(twice, 'Mul'), count(twice, 'MatMul')]).toEqual([1, 1]);
  });

  it('never materialises a transpose for a gradient of a product', () => {
    const graph = trace({ a: f32(4, 5), b: f32(5, 6) }, ({ a, b }) => {
      const [da, db] = grad(a.matmul(b).square().sum(), [a, b]);
      return { da: da!, db: db! };
    });
    expect(count(graph, 'Transpose')).toBe(0);
  });

  it("prefers a plugin's kernel to the built-in one, and says which ran", () => {
    const own = defineKernel(ONNX, {
      op: softmaxOp,
      build:
        () =>
        (write, [x]) =>
          write.node('Softmax', [write.node('Identity', [x!])[0]!], { attributes: { axis: -1 } }),
    });
    const kernels: KernelSource = { find: (format, op) => (format === own.format && op === own.op ? [own] : []) };
    const graph = trace({ x: f32(2, 3) }, ({ x }) => ({ y: softmax(x) }));
    expect(count(graph, 'Identity', kernels)).toBe(1);
    expect(count(graph, 'Identity')).toBe(0);
  });

  it('explains kernels taken and ops decomposed', () => {
    const graph = trace({ x: f32(2, 3), g: f32(3) }, ({ x, g }) => ({ y: layerNorm(softmax(x), g, g) }));
    const { notes } = lower(graph, { name: 'test', limits, engine: 'onnx' });
    expect(notes).toContain('kernel layerNorm: onnx, 1 times');
    expect(notes).toContain('kernel softmax: onnx, 1 times');
  });

  it('decomposes an op whose residuals a provider cannot give, only where they are read', () => {
    const options = { name: 'test', limits, engine: 'onnx', firstOutputOnly: ['layerNorm'] };
    const forward = trace({ x: f32(2, 3), g: f32(3) }, ({ x, g }) => ({ y: layerNorm(x, g, g) }));
    expect(lower(forward, options).notes).toContain('kernel layerNorm: onnx, 1 times');
    const backward = trace({ x: f32(2, 3), g: f32(3) }, ({ x, g }) => ({
      dx: grad(layerNorm(x, g, g).square().sum(), [x])[0]!,
    }));
    expect(lower(backward, options).notes).toContain('kernel layerNorm: none accepted, decomposed 1 times');
  });

  it('refuses a kernel that gives another number of values', () => {
    const broken = defineKernel(ONNX, { op: softmaxOp, build: () => () => [] });
    const kernels: KernelSource = { find: (_format, op) => (op === 'softmax' ? [broken] : []) };
    const graph = trace({ x: f32(2, 3) }, ({ x }) => ({ y: softmax(x) }));
    expect(() => exportOnnx(graph, { name: 'test', kernels })).toThrow(
      /expected 1 values from its onnx kernel, received 0/,
    );
  });
});
