/** An ONNX model as bytes: nodes, constants, inputs and outputs. Field numbers are those of onnx.proto. */

import { fail, sizeOf, type Dtype, type Shape, type TensorType } from '@heddle/core';
import type { OnnxAttribute, OnnxNodeOptions, OnnxValue, OnnxWriter } from '../kernel.js';
import { Message } from './protobuf.js';

/** `TensorProto.DataType`. */
const dataType = { f32: 1, i32: 6, i64: 7, bool: 9 } as const;
type Element = Dtype | 'i64';

const arrays = { f32: Float32Array, i32: Int32Array, bool: Uint8Array } as const;

/** `AttributeProto.AttributeType`. */
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** ONNX refuses files beyond this: protobuf's own limit. */
const maxBytes = 2 ** 31 - 1;

export interface OnnxModelOptions {
  readonly name: string;
  /** Opset of the standard operators. */
  readonly opset?: number;
  /** Free text for people, such as who wrote it. */
  readonly metadata?: Readonly<Record<string, string>>;
}

interface PlannedNode {
  readonly op: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly options: OnnxNodeOptions;
}

/** A model being written; hand it nodes in the order in which they can run. */
export class OnnxModel implements OnnxWriter {
  readonly #nodes: PlannedNode[] = [];
  readonly #constants: Message[] = [];
  readonly #inputs: Message[] = [];
  readonly #outputs: Message[] = [];
  readonly #known = new Map<string, OnnxValue>();
  /** Values made by a node, which may therefore take an output's name. */
  readonly #made = new Set<OnnxValue>();
  readonly #renamed = new Map<OnnxValue, OnnxValue>();
  #count = 0;

  get nodes(): number {
    return this.#nodes.length;
  }

  #fresh(prefix: string): OnnxValue {
    return `${prefix}_${this.#count++}`;
  }

  input(name: OnnxValue, type: TensorType): OnnxValue {
    this.#inputs.push(valueInfo(name, type));
    return name;
  }

  /** Makes a value an output: by its node, or through a copy where it is an input, a constant or an output already. */
  output(name: OnnxValue, type: TensorType, value: OnnxValue): void {
    const renamable = this.#made.has(value) && !this.#renamed.has(value);
    this.#renamed.set(renamable ? value : this.node('Identity', [value])[0]!, name);
    this.#outputs.push(valueInfo(name, type));
  }

  node(op: string, inputs: readonly OnnxValue[], options: OnnxNodeOptions = {}): readonly OnnxValue[] {
    const outputs = Array.from({ length: options.outputs ?? 1 }, () => this.#fresh(op));
    this.#nodes.push({ op, inputs, outputs, options });
    for (const name of outputs) this.#made.add(name);
    return outputs;
  }

  #message({ op, inputs, outputs, options: { attributes = {}, domain = '' } }: PlannedNode): Message {
    const now = (name: OnnxValue): OnnxValue => this.#renamed.get(name) ?? name;
    const node = new Message();
    for (const name of inputs) node.string(1, now(name));
    for (const name of outputs) node.string(2, now(name));
    node.string(3, outputs[0]!).string(4, op);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    if (domain !== '') node.string(7, domain);
    return node;
  }

  constant(data: ArrayLike<number>, shape: Shape, dtype: Element): OnnxValue {
    const key =
      data.length <= 16
        ? `${dtype} ${shape.join()} ${Array.from(data, x => (Object.is(x, -0) ? '-0' : String(x))).join()}`
        : null;
    const known = key === null ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const name = this.#fresh('constant');
    this.#constants.push(tensor(name, data, shape, dtype));
    if (key !== null) this.#known.set(key, name);
    return name;
  }

  /** @throws E_EXPORT when the file would pass 2 GB */
  finish({ name, opset = 18, metadata = {} }: OnnxModelOptions): Uint8Array {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, this.#message(node));
    graph.string(2, name);
    for (const constant of this.#constants) graph.message(5, constant);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    if (graph.length > maxBytes) {
      fail(
        'E_EXPORT',
        `${name}: expected an ONNX model under 2 GB, received ${graph.length} bytes. Leave the weights as inputs, or split the model.`,
        { bytes: graph.length },
      );
    }
    // IR version 8 is the first that goes with opset 18.
    const model = new Message().int(1, 8).string(2, 'heddle');
    model.message(7, graph).message(8, operatorSet('', opset));
    const domains = new Set(this.#nodes.flatMap(({ options: { domain } }) => domain ?? []));
    for (const domain of domains) model.message(8, operatorSet(domain, 1));
    for (const [key, value] of Object.entries(metadata))
      model.message(14, new Message().string(1, key).string(2, value));
    return model.finish();
  }
}

const operatorSet = (domain: string, version: number): Message => new Message().string(1, domain).int(2, version);

function valueInfo(name: string, { dtype, shape }: TensorType): Message {
  const dims = new Message();
  for (const d of shape) dims.message(1, new Message().int(1, d));
  const type = new Message().message(1, new Message().int(1, dataType[dtype]).message(2, dims));
  return new Message().string(1, name).message(2, type);
}

function tensor(name: string, data: ArrayLike<number>, shape: Shape, dtype: Element): Message {
  if (data.length !== sizeOf(shape))
    fail('E_SHAPE', `constant: expected ${sizeOf(shape)} numbers for [${shape.join(', ')}], received ${data.length}.`, {
      shape,
    });
  const message = new Message();
  for (const d of shape) message.int(1, d);
  const typed =
    dtype === 'i64'
      ? BigInt64Array.from(data, BigInt)
      : data instanceof arrays[dtype]
        ? data
        : arrays[dtype].from(data);
  return message
    .int(2, dataType[dtype])
    .string(8, name)
    .bytes(9, new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength));
}

function attribute(name: string, value: OnnxAttribute): Message {
  const message = new Message().string(1, name);
  if (typeof value === 'string') return message.string(4, value).int(20, attributeType.string);
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? message.int(3, value).int(20, attributeType.int)
      : message.float(2, value).int(20, attributeType.float);
  }
  if ('float' in value) return message.float(2, value.float).int(20, attributeType.float);
  for (const n of value) message.int(8, n);
  return message.int(20, attributeType.ints);
}
