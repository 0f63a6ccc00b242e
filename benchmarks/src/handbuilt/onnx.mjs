/** A small ONNX writer for the graphs built by hand. */

import { Message } from './protobuf.mjs';

const elementType = { f32: 1, i64: 7 };
const opset = 21;
const irVersion = 10;

const tensor = (name, dtype, shape, data) => {
  const out = new Message();
  for (const d of shape) out.int(1, d);
  out.int(2, elementType[dtype]).bytes(8, name);
  return out.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
};

const face = (name, dtype, shape) => {
  const dims = new Message();
  for (const d of shape) dims.message(1, new Message().int(1, d));
  const type = new Message().int(1, elementType[dtype]).message(2, dims);
  return new Message().bytes(1, name).message(2, new Message().message(1, type));
};

/** @param {number | string | number[] | { float: number }} value */
const attribute = (name, value) => {
  const out = new Message().bytes(1, name);
  if (typeof value === 'number') return out.int(3, value).int(20, 2);
  if (typeof value === 'string') return out.bytes(4, value).int(20, 3);
  if (!Array.isArray(value)) return out.float(2, value.float).int(20, 1);
  for (const i of value) out.int(8, i);
  return out.int(20, 7);
};

export class Model {
  #graph = { nodes: [], constants: [], inputs: [], outputs: [] };
  #count = 0;
  #known = new Map();

  get nodes() {
    return this.#graph.nodes.length;
  }

  input(name, dtype, shape) {
    this.#graph.inputs.push(face(name, dtype, shape));
    return name;
  }

  output(name, dtype, shape) {
    this.#graph.outputs.push(face(name, dtype, shape));
    return name;
  }

  constant(name, dtype, shape, data) {
    this.#graph.constants.push(tensor(name, dtype, shape, data));
    return name;
  }

  number(value) {
    return this.#once(`f ${value}`, name => this.constant(name, 'f32', [], Float32Array.of(value)));
  }

  ints(values) {
    return this.#once(`i ${values}`, name =>
      this.constant(name, 'i64', [values.length], BigInt64Array.from(values, BigInt)),
    );
  }

  /** @returns {string[]} the names of its outputs */
  many(op, inputs, { attributes = {}, outputs = 1, domain = '', names } = {}) {
    const out = names ?? Array.from({ length: outputs }, () => this.#fresh(op));
    const node = new Message();
    for (const name of inputs) node.bytes(1, name);
    for (const name of out) node.bytes(2, name);
    node.bytes(4, op);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    if (domain) node.bytes(7, domain);
    this.#graph.nodes.push(node);
    return out;
  }

  /** @returns {string} the name of its only output */
  node(op, inputs, options) {
    return this.many(op, inputs, options)[0];
  }

  /** A product of matrices with transposes and a factor folded in: ONNX Runtime's own operator. */
  product(a, b, { transA = 0, transB = 0, alpha = 1 } = {}) {
    return this.node('FusedMatMul', [a, b], {
      domain: 'com.microsoft',
      attributes: { transA, transB, alpha: { float: alpha } },
    });
  }

  finish() {
    const { nodes, constants, inputs, outputs } = this.#graph;
    const graph = new Message();
    for (const node of nodes) graph.message(1, node);
    graph.bytes(2, 'handbuilt');
    for (const item of constants) graph.message(5, item);
    for (const item of inputs) graph.message(11, item);
    for (const item of outputs) graph.message(12, item);
    const model = new Message().int(1, irVersion).bytes(2, 'heddle-benchmarks').message(7, graph);
    model.message(8, new Message().bytes(1, '').int(2, opset));
    model.message(8, new Message().bytes(1, 'com.microsoft').int(2, 1));
    return model.finish();
  }

  #fresh(prefix) {
    return `${prefix}_${this.#count++}`;
  }

  #once(key, make) {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = make(this.#fresh('constant'));
    this.#known.set(key, name);
    return name;
  }
}
