/** One rule a primitive: how its nodes are written. */

import { fail, numberOf, sameShape, sizeOf, type Dtype, type Node, type Shape, type Value } from '@heddle/core';
import type { OnnxValue, OnnxWriter } from '../kernel.js';

/** A value as it is stored, and its shape there. */
interface Narrow {
  readonly value: OnnxValue;
  readonly shape: Shape;
}

/** What a rule may ask for while it writes one node. */
export interface Emission {
  readonly write: OnnxWriter;
  /** The value as it is; a broadcast that nobody asked for before is written out now. */
  name(value: Value): OnnxValue;
  /** The value before it was broadcast: ONNX's elementwise operators broadcast by themselves. */
  narrow(value: Value): Narrow;
  /** A factor that a following product with a constant has handed to this contraction. */
  factor(node: Node): number;
}

type Rule = (node: Node, at: Emission) => OnnxValue;

const unary =
  (op: string): Rule =>
  ({ inputs: [x] }, { write, name }) =>
    write.node(op, [name(x!)])[0]!;

/** Operands stay narrow as long as ONNX's own broadcasting still gives the node's shape. */
const elementwise =
  (op: string): Rule =>
  ({ inputs, outputs: [out] }, at) => {
    const names = narrowest(inputs, out!.type.shape, at);
    return at.write.node(op, names)[0]!;
  };

function narrowest(inputs: readonly Value[], shape: Shape, at: Emission): OnnxValue[] {
  const narrow = inputs.map(v => at.narrow(v));
  const joint = shape.map((_, axis) =>
    Math.max(...narrow.map(n => n.shape[n.shape.length - shape.length + axis] ?? 1)),
  );
  if (sameShape(joint, shape)) return narrow.map(n => n.value);
  // All operands are narrower than the result: one of them has to be written out.
  return inputs.map((v, i) => (i === 0 ? at.name(v) : narrow[i]!.value));
}

/** Operands of a product: ONNX's products broadcast leading axes by themselves. */
function batches({ inputs, outputs: [out] }: Node, at: Emission): readonly [OnnxValue, OnnxValue] {
  const lead = out!.type.shape.slice(0, -2);
  const [x, z] = inputs.map(v => {
    const narrow = at.narrow(v);
    const whole =
      sameShape(narrow.shape.slice(-2), v.type.shape.slice(-2)) && narrow.shape.length === v.type.shape.length;
    return whole ? narrow : { value: at.name(v), shape: v.type.shape };
  }) as [Narrow, Narrow];
  // Where both are narrower than the result, one of them has to be written out.
  const fits = lead.every((d, axis) => Math.max(x.shape[axis]!, z.shape[axis]!) === d);
  return [fits ? x.value : at.name(inputs[0]!), z.value];
}

const ints = (write: OnnxWriter, values: readonly number[]): OnnxValue =>
  write.constant(values, [values.length], 'i64');

/** `TensorProto.DataType`, for Cast. */
const element: Readonly<Record<Dtype, number>> = { f32: 1, i32: 6, bool: 9 };

const rules: Readonly<Record<string, Rule>> = {
  constant({ outputs: [out], attrs }, { write }) {
    const { dtype, shape } = out!.type;
    const data = attrs['data'] as ArrayLike<number>;
    return write.constant(data, shape, dtype);
  },
  iota({ outputs: [out], attrs }, { write }) {
    // Only the counting axis is stored; the rest is broadcast.
    const { dtype, shape } = out!.type;
    const axis = attrs['axis'] as number;
    const counter = write.constant(
      Array.from({ length: shape[axis]! }, (_, i) => i),
      shape.map((d, i) => (i === axis ? d : 1)),
      dtype,
    );
    return shape.every((d, i) => i === axis || d === 1)
      ? counter
      : write.node('Expand', [counter, ints(write, shape)])[0]!;
  },
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  tanh: unary('Tanh'),
  erf: unary('Erf'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  floor: unary('Floor'),
  stopGradient: ({ inputs: [x] }, { name }) => name(x!),
  cast: ({ inputs: [x], attrs }, { write, name }) =>
    write.node('Cast', [name(x!)], { attributes: { to: element[attrs['dtype'] as Dtype] } })[0]!,
  add: elementwise('Add'),
  sub: elementwise('Sub'),
  mul(node, at) {
    const [x, z] = node.inputs;
    const absorbed =
      at.factor(x!.node) === numberOf(z!) && x!.node.op === 'matmul'
        ? x!
        : at.factor(z!.node) === numberOf(x!) && z!.node.op === 'matmul'
          ? z!
          : null;
    if (absorbed) return at.name(absorbed);
    if (numberOf(z!) === -1) return at.write.node('Neg', [at.name(x!)])[0]!;
    return elementwise('Mul')(node, at);
  },
  div: elementwise('Div'),
  less: elementwise('Less'),
  equal: elementwise('Equal'),
  where(node, at) {
    if (node.outputs[0]!.type.dtype !== 'bool') return elementwise('Where')(node, at);
    // ONNX Runtime's Where takes no bool: choose among bytes.
    const [c, x, z] = node.inputs;
    const bytes = [x!, z!].map(v => at.write.node('Cast', [at.name(v)], { attributes: { to: 2 } })[0]!);
    const [chosen] = at.write.node('Where', [at.name(c!), ...bytes]);
    return at.write.node('Cast', [chosen!], { attributes: { to: element.bool } })[0]!;
  },
  reduceSum: ({ inputs: [x], attrs }, { write, name }) =>
    write.node('ReduceSum', [name(x!), ints(write, attrs['axes'] as number[])], { attributes: { keepdims: 0 } })[0]!,
  reduceMax: ({ inputs: [x], attrs }, { write, name }) =>
    write.node('ReduceMax', [name(x!), ints(write, attrs['axes'] as number[])], { attributes: { keepdims: 0 } })[0]!,
  matmul(node, at) {
    const { write, factor } = at;
    const [x, z] = batches(node, at);
    const { transposeLeft, transposeRight } = node.attrs as {
      readonly transposeLeft: boolean;
      readonly transposeRight: boolean;
    };
    const alpha = factor(node);
    if (!transposeLeft && !transposeRight && alpha === 1) return write.node('MatMul', [x, z])[0]!;
    const attributes = { transA: Number(transposeLeft), transB: Number(transposeRight), alpha: { float: alpha } };
    return write.node('FusedMatMul', [x, z], { attributes, domain: 'com.microsoft' })[0]!;
  },
  reshape: ({ inputs: [x], attrs }, { write, name }) =>
    write.node('Reshape', [name(x!), ints(write, attrs['shape'] as number[])])[0]!,
  transpose: ({ inputs: [x], attrs }, { write, name }) =>
    write.node('Transpose', [name(x!)], { attributes: { perm: attrs['permutation'] as number[] } })[0]!,
  broadcast: ({ inputs: [x], attrs }, { write, name }) =>
    write.node('Expand', [name(x!), ints(write, attrs['shape'] as number[])])[0]!,
  slice({ inputs: [x], attrs }, { write, name }) {
    const starts = attrs['starts'] as readonly number[];
    const ends = attrs['ends'] as readonly number[];
    const axes = starts.flatMap((s, i) => (s === 0 && ends[i] === x!.type.shape[i] ? [] : [i]));
    return write.node('Slice', [
      name(x!),
      ints(
        write,
        axes.map(a => starts[a]!),
      ),
      ints(
        write,
        axes.map(a => ends[a]!),
      ),
      ints(write, axes),
    ])[0]!;
  },
  pad({ inputs: [x], attrs }, { write, name }) {
    const pads = [...(attrs['low'] as readonly number[]), ...(attrs['high'] as readonly number[])];
    return write.node('Pad', [name(x!), ints(write, pads)])[0]!;
  },
  concat: ({ inputs, attrs }, { write, name }) =>
    write.node('Concat', inputs.map(name), { attributes: { axis: attrs['axis'] as number } })[0]!,
  gather: ({ inputs: [x, index], attrs }, { write, name }) =>
    write.node('Gather', [name(x!), name(index!)], { attributes: { axis: attrs['axis'] as number } })[0]!,
  scatterAdd,
};

/** ScatterND adds along leading axes: the index axes are moved to the front and back. */
function scatterAdd(node: Node, { write, name }: Emission): OnnxValue {
  const [x, index] = node.inputs;
  const { axis, size } = node.attrs as { readonly axis: number; readonly size: number };
  const { shape } = x!.type;
  const count = index!.type.shape.length;
  const outer = shape.slice(0, axis);
  const inner = shape.slice(axis + count);
  const rows = sizeOf(index!.type.shape);
  const order = [
    ...index!.type.shape.map((_, i) => axis + i),
    ...outer.map((_, i) => i),
    ...inner.map((_, i) => axis + count + i),
  ];
  const fronted = axis === 0 ? name(x!) : write.node('Transpose', [name(x!)], { attributes: { perm: order } })[0]!;
  const updates = count === 1 ? fronted : write.node('Reshape', [fronted, ints(write, [rows, ...outer, ...inner])])[0]!;
  const places = write.node('Reshape', [
    write.node('Cast', [name(index!)], { attributes: { to: 7 } })[0]!,
    ints(write, [rows, 1]),
  ])[0]!;
  const zeros = write.node('Expand', [
    write.constant([0], [], x!.type.dtype),
    ints(write, [size, ...outer, ...inner]),
  ])[0]!;
  const [sums] = write.node('ScatterND', [zeros, places, updates], { attributes: { reduction: 'add' } });
  if (axis === 0) return sums!;
  const back = [...outer.map((_, i) => i + 1), 0, ...inner.map((_, i) => outer.length + 1 + i)];
  return write.node('Transpose', [sums!], { attributes: { perm: back } })[0]!;
}

/** Writes one primitive. */
export function emitPrimitive(node: Node, at: Emission): OnnxValue {
  const rule = rules[node.op];
  return rule
    ? rule(node, at)
    : fail(
        'E_GRAPH',
        `${node.path === '' ? '' : `${node.path}: `}${node.op}: expected a primitive that ONNX has a rule for, received one without. Use another engine.`,
        { op: node.op },
      );
}
