/** From a graph to an ONNX model: passes, the choice of kernels, emission. */

import {
  callOf,
  check,
  expandOps,
  fail,
  fold,
  hoistRandom,
  numberOf,
  sameShape,
  showTypes,
  type Graph,
  type HoistedRandom,
  type HostTensor,
  type Kernel,
  type KernelSource,
  type Limits,
  type Node,
  type TensorType,
  type Types,
  type Value,
} from '@heddle/core';
import type { OnnxKernel, OnnxValue } from '../kernel.js';
import { OnnxModel } from '../model/onnx.js';
import { builtInKernels } from '../kernels/index.js';
import { emitPrimitive, type Emission } from './emit.js';

export interface LowerOptions {
  readonly name: string;
  readonly kernels?: KernelSource;
  /** Inputs that become constants of the model. */
  readonly constants?: Readonly<Record<string, HostTensor>>;
  readonly limits: Limits;
  readonly engine: string;
  /** Built-in kernels that the execution provider cannot run where outputs beside the first are read. */
  readonly firstOutputOnly?: readonly string[];
  /** Ops whose built-in kernels stay out. */
  readonly without?: readonly string[];
}

export interface Lowered {
  readonly model: Uint8Array;
  /** What callers feed and get. */
  readonly inputs: Types;
  readonly outputs: Types;
  /** Name of each input and output in the model, by our name. */
  readonly inputNames: Readonly<Record<string, string>>;
  readonly outputNames: Readonly<Record<string, string>>;
  readonly hidden: readonly HoistedRandom[];
  readonly notes: readonly string[];
}

export const format = 'onnx@1';

/** Turns a graph into a model. @throws E_SHAPE…, E_LIMIT, E_RANDOM_KEY, E_EXPORT */
export function lower(
  graph: Graph,
  { name, kernels, constants = {}, limits, engine, firstOutputOnly = [], without = [] }: LowerOptions,
): Lowered {
  const notes: string[] = [`${graph.nodes.length} nodes traced`];
  const checked = check(graph, limits, engine);
  const source = withBuiltIns(kernels, without);
  const chosen = new Map<string, number>(); // calls that stay, counted when all passes are done
  const missing = new Map<string, number>();
  const folded = fold(checked);
  const read = readValues(folded);
  const kept = expandOps(folded, (call, node) => {
    const beyond = firstOutputOnly.includes(call.op.name) && node.outputs.slice(1).some(v => read.has(v));
    const taken = !beyond && choose(source, node) !== null;
    if (!taken) missing.set(call.op.name, (missing.get(call.op.name) ?? 0) + 1);
    return taken;
  });
  const hoisted = hoistRandom(fold(kept));
  const lowered = check(hoisted.graph, limits, engine);
  for (const node of lowered.nodes) {
    const op = callOf(node)?.op.name;
    if (op !== undefined) chosen.set(op, (chosen.get(op) ?? 0) + 1);
  }
  notes.push(`${lowered.nodes.length} nodes after fold, expandOps and hoistRandom`);
  const model = new OnnxModel();
  const written = emit(model, lowered, source, constants);
  notes.push(`${model.nodes} ONNX nodes`);
  for (const [op, n] of chosen) notes.push(`kernel ${op}: onnx, ${n} times`);
  for (const [op, n] of missing) notes.push(`kernel ${op}: none accepted, decomposed ${n} times`);
  for (const random of hoisted.hidden) notes.push(`random [${random.shape.join(', ')}] filled on the host`);
  const open = Object.entries(lowered.inputs).filter(([n]) => !(n in constants));
  const secret = new Set(hoisted.hidden.map(h => h.name));
  return {
    model: model.finish({ name, metadata: { producer: '@heddle/backend-onnx' } }),
    inputs: Object.fromEntries(open.filter(([n]) => !secret.has(n)).map(([n, v]) => [n, v.type])),
    outputs: Object.fromEntries(Object.entries(lowered.outputs).map(([n, v]) => [n, v.type])),
    inputNames: written.inputNames,
    outputNames: written.outputNames,
    hidden: hoisted.hidden,
    notes,
  };
}

/** The user's kernels come first, so that a plugin may replace a built-in one. */
const withBuiltIns = (kernels: KernelSource | undefined, without: readonly string[]): KernelSource => ({
  find: (wanted, op) => [
    ...(kernels?.find(wanted, op) ?? []),
    ...builtInKernels.filter(k => k.op === op && !without.includes(op)),
  ],
});

/** Values that a node or the graph's outputs read. */
const readValues = (graph: Graph): ReadonlySet<Value> =>
  new Set([...graph.nodes.flatMap(node => node.inputs), ...Object.values(graph.outputs)]);

function choose(source: KernelSource, node: Node): Kernel<OnnxKernel> | null {
  const { op, attrs } = callOf(node)!;
  const types = node.inputs.map(v => v.type);
  return (source.find(format, op.name).find(k => k.accepts(types, attrs)) as Kernel<OnnxKernel> | undefined) ?? null;
}

interface Written {
  readonly inputNames: Record<string, string>;
  readonly outputNames: Record<string, string>;
}

function emit(
  model: OnnxModel,
  graph: Graph,
  source: KernelSource,
  constants: Readonly<Record<string, HostTensor>>,
): Written {
  const names = new Map<Value, OnnxValue>();
  const factors = scaledProducts(graph);
  const read = readValues(graph);
  const inputNames: Record<string, string> = {};
  const at: Emission = {
    write: model,
    factor: node => factors.get(node) ?? 1,
    name(value) {
      const known = names.get(value);
      if (known !== undefined) return known;
      // Only broadcasts wait until somebody needs them whole.
      const written = emitPrimitive(value.node, at);
      names.set(value, written);
      return written;
    },
    narrow(value) {
      if (value.node.op !== 'broadcast' || names.has(value)) {
        const n = numberOf(value);
        // A rank-0 constant takes ONNX Runtime's path for scalars.
        if (n !== null && value.type.dtype !== 'bool')
          return { value: model.constant([n], [], value.type.dtype), shape: [] };
        return { value: at.name(value), shape: value.type.shape };
      }
      const n = numberOf(value);
      return n === null
        ? at.narrow(value.node.inputs[0]!)
        : { value: model.constant([n], [], value.type.dtype), shape: [] };
    },
  };
  for (const [name, value] of Object.entries(graph.inputs)) {
    const fixed = constants[name];
    if (fixed) {
      expectType(name, value.type, fixed);
      names.set(value, model.constant(fixed.data, fixed.shape, fixed.dtype));
    } else {
      names.set(value, model.input((inputNames[name] = `in:${name}`), value.type));
    }
  }
  for (const node of graph.nodes) {
    if (node.op === 'input' || node.op === 'broadcast' || node.op === 'constant') continue;
    if (callOf(node)) {
      const { op, attrs } = callOf(node)!;
      const kernel = choose(source, node)!;
      const made = kernel.build(
        node.inputs.map(v => v.type),
        attrs,
      )(
        model,
        node.inputs.map(at.name),
        node.outputs.map(v => read.has(v)),
      );
      if (made.length !== node.outputs.length) {
        fail(
          'E_KERNEL',
          `${op.name}: expected ${node.outputs.length} values from its onnx kernel, received ${made.length}. Return one for each output.`,
          { op: op.name },
        );
      }
      node.outputs.forEach((v, i) => names.set(v, made[i]!));
    } else {
      names.set(node.outputs[0]!, emitPrimitive(node, at));
    }
  }
  const outputNames: Record<string, string> = {};
  for (const [name, value] of Object.entries(graph.outputs)) {
    model.output((outputNames[name] = `out:${name}`), value.type, at.name(value));
  }
  return { inputNames, outputNames };
}

function expectType(name: string, type: TensorType, fixed: HostTensor): void {
  if (fixed.dtype !== type.dtype || !sameShape(fixed.shape, type.shape)) {
    fail(
      'E_FEED',
      `constant '${name}': expected ${showTypes([type])}, received ${showTypes([fixed])}. Give the tensor that the graph was traced with.`,
      { name },
    );
  }
}

/** Products of a matrix product with one number, when nobody else reads the unscaled one: the contraction takes the factor. */
function scaledProducts(graph: Graph): Map<Node, number> {
  const readers = new Map<Node, Node[]>();
  for (const node of graph.nodes)
    for (const v of node.inputs) readers.set(v.node, [...(readers.get(v.node) ?? []), node]);
  const outputs = new Set(Object.values(graph.outputs).map(v => v.node));
  const factors = new Map<Node, number>();
  for (const node of graph.nodes) {
    if (node.op !== 'matmul' || outputs.has(node)) continue;
    const [only, ...others] = readers.get(node) ?? [];
    if (!only || others.length > 0 || only.op !== 'mul') continue;
    const factor = numberOf(only.inputs.find(v => v.node !== node) ?? only.inputs[0]!);
    if (factor !== null) factors.set(node, factor);
  }
  return factors;
}
