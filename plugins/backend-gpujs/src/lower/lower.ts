/** From a graph to launches over flat arrays: passes, the choice of kernels, printing, memory. */

import {
  callOf,
  check,
  expandOps,
  fail,
  fold,
  hoistRandom,
  ir,
  rebuild,
  sizeOf,
  type Graph,
  type HoistedRandom,
  type HostData,
  type HostTensor,
  type Kernel,
  type KernelSource,
  type Limits,
  type Node,
  type Types,
  type Value,
} from '@heddle/core';
import { kernelLimits, type Cells, type GpujsKernel } from '../kernel.js';
import { fuseCells, homeOf, type Fused, type Operand, type Step } from './fuse-cells.js';
import type { ScatterPlan } from './plan-scatter.js';
import { planMemory, type MemoryPlan } from './plan-memory.js';
import { printCells } from './print.js';

export const format = 'gpujs@1';

/** One flat array of floats; bools and whole numbers are floats too. */
export interface Place {
  readonly id: number;
  readonly length: number;
}

export interface Launch {
  readonly kind: 'cells';
  /** The op whose kernel this is; null for fused cells. */
  readonly op: string | null;
  /** For messages: what was fused, or the plugin's function. */
  readonly name: string;
  readonly text: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly reads: readonly Place[];
  readonly output: Place;
}

export interface ProductOperand extends Omit<Operand, 'from'> {
  readonly from: Place;
}

export interface Product {
  readonly kind: 'matmul';
  readonly output: Place;
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly left: ProductOperand;
  readonly right: ProductOperand;
}

export type Pass = Launch | Product;

export interface Lowered {
  readonly inputs: Types;
  readonly outputs: Types;
  readonly passes: readonly Pass[];
  readonly memory: MemoryPlan;
  /** Places of inputs that some pass reads, hidden ones among them. */
  readonly fed: Readonly<Record<string, Place>>;
  readonly fixed: readonly { readonly place: Place; readonly data: ArrayLike<number> }[];
  /** Where each output lies; an output that is an input by name, or a constant, is never computed. */
  readonly results: Readonly<Record<string, Place | { readonly input: string } | { readonly data: HostData }>>;
  readonly random: readonly HoistedRandom[];
  readonly scatters: readonly ScatterPlan[];
  /** Inputs used as indices, with the number of rows that they point into. */
  readonly indices: readonly { readonly input: string; readonly below: number; readonly op: string }[];
  /** Ops that run by a kernel, and how often. */
  readonly chosen: ReadonlyMap<string, number>;
  readonly counts: { readonly nodes: number; readonly launches: number; readonly products: number };
  readonly notes: readonly string[];
}

export interface LowerOptions {
  readonly limits: Limits;
  readonly engine: string;
  readonly maxReads: number;
  readonly kernels?: KernelSource;
  readonly constants?: Readonly<Record<string, HostTensor>>;
  /** Kernels of this package for ops of core. */
  readonly builtIn?: readonly Kernel<GpujsKernel>[];
  /** Ops whose kernels are passed over, with the reason. */
  readonly without?: ReadonlyMap<string, string>;
}

/** @throws E_LIMIT, E_KERNEL, E_RANDOM_KEY and what `check` finds */
export function lower(graph: Graph, options: LowerOptions): Lowered {
  const { limits, engine, maxReads, constants = {}, builtIn = [], without = new Map<string, string>() } = options;
  const source: KernelSource = {
    find: (wanted, op) => [...(options.kernels?.find(wanted, op) ?? []), ...builtIn.filter(k => k.op === op)],
  };
  const folded = fold(check(graph, limits, engine));
  const missing = new Map<string, number>();
  const kept = expandOps(folded, ({ op }, node) => {
    const taken = !without.has(op.name) && choose(source, node) !== null;
    if (!taken) missing.set(op.name, (missing.get(op.name) ?? 0) + 1);
    return taken;
  });
  const hoisted = hoistRandom(splitConcats(fold(kept), maxReads - 1));
  const lowered = check(hoisted.graph, limits, engine);
  checkWhole(lowered, engine);
  const fused = fuseCells(lowered, { maxReads });
  const made = emit(fused, source, maxReads, engine);
  const hidden = new Set([...hoisted.hidden.map(h => h.name), ...Object.keys(fused.hidden)]);
  const open = Object.entries(lowered.inputs).filter(([name]) => !(name in constants) && !hidden.has(name));
  const launches = made.passes.filter(({ kind }) => kind === 'cells').length;
  const counts = { nodes: lowered.nodes.filter(isWork).length, launches, products: made.passes.length - launches };
  return {
    inputs: Object.fromEntries(open.map(([name, v]) => [name, v.type])),
    outputs: Object.fromEntries(Object.entries(lowered.outputs).map(([name, v]) => [name, v.type])),
    ...made,
    random: hoisted.hidden,
    scatters: fused.scatters,
    indices: indicesOf(lowered),
    counts,
    notes: [
      `${graph.nodes.length} nodes traced, ${counts.nodes} of work after fold, expandOps and hoistRandom`,
      `${counts.launches} cell kernels and ${counts.products} products after fuseCells`,
      `${made.memory.slots.length} buffers hold ${made.memory.values} arrays: ${mebi(made.memory.bytes)} instead of ${mebi(made.memory.unshared)}`,
      ...[...made.chosen].map(([op, n]) => `kernel ${op}: gpujs, ${n} times`),
      ...[...missing].map(
        ([op, n]) =>
          `kernel ${op}: ${without.has(op) ? `none could be compiled (${without.get(op)}),` : 'none accepted,'} decomposed ${n} times`,
      ),
      ...hoisted.hidden.map(({ shape }) => `random [${shape.join(', ')}] filled on the host`),
      ...fused.scatters.map(({ index, size }) => `scatterAdd by '${index}' into ${size} rows planned on the host`),
      ...fused.notes,
    ],
  };
}

const mebi = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const isWork = ({ op }: Node): boolean => !['input', 'constant', 'iota'].includes(op);

function choose(source: KernelSource, node: Node): Kernel<GpujsKernel> | null {
  const { op, attrs } = callOf(node)!;
  const types = node.inputs.map(v => v.type);
  return (source.find(format, op.name).find(k => k.accepts(types, attrs)) as Kernel<GpujsKernel> | undefined) ?? null;
}

/** A constant as callers get it. */
function hostData({ type, node }: Value): HostData {
  const data = node.attrs['data'] as ArrayLike<number>;
  return type.dtype === 'f32'
    ? Float32Array.from(data)
    : type.dtype === 'i32'
      ? Int32Array.from(data)
      : Uint8Array.from(data);
}

/** Whole numbers that floats do not hold must not be computed with. */
function checkWhole(graph: Graph, engine: string): void {
  for (const node of graph.nodes) {
    for (const { type, node: from } of node.inputs) {
      if (from.op !== 'constant' || type.dtype !== 'i32') continue;
      const far = Array.from(from.attrs['data'] as ArrayLike<number>).find(n => Math.abs(n) > kernelLimits.cells);
      if (far !== undefined) {
        fail(
          'E_LIMIT',
          `${node.path || node.op}: ${engine} holds whole numbers exactly up to 2^24, received the constant ${far}. Use another engine, or smaller numbers.`,
          { value: far },
        );
      }
    }
  }
}

/** A concatenation of more parts than a kernel reads is done in groups. */
function splitConcats(graph: Graph, most: number): Graph {
  return rebuild(graph, (node, inputs) => {
    if (node.op !== 'concat' || inputs.length <= most) return null;
    const axis = node.attrs['axis'] as number;
    let parts: readonly Value[] = inputs;
    while (parts.length > 1) {
      const groups: Value[] = [];
      for (let i = 0; i < parts.length; i += most) groups.push(ir.concat(parts.slice(i, i + most), axis));
      parts = groups;
    }
    return [parts[0]!];
  });
}

function indicesOf(graph: Graph): Lowered['indices'] {
  const found = new Map<string, Lowered['indices'][number]>();
  for (const node of graph.nodes) {
    if (node.op !== 'gather' && node.op !== 'scatterAdd') continue;
    const home = homeOf(node.inputs[1]!).node;
    if (home.op !== 'input') continue;
    const input = home.attrs['name'] as string;
    const below =
      node.op === 'gather' ? node.inputs[0]!.type.shape[node.attrs['axis'] as number]! : (node.attrs['size'] as number);
    if (below < (found.get(input)?.below ?? Infinity)) found.set(input, { input, below, op: node.op });
  }
  return [...found.values()];
}

type Emitted = Pick<Lowered, 'passes' | 'memory' | 'fed' | 'fixed' | 'results' | 'chosen'>;

function emit(fused: Fused, source: KernelSource, maxReads: number, engine: string): Emitted {
  const places = new Map<Value, Place>();
  let count = 0;
  const fresh = (length: number): Place => ({ id: count++, length });
  const placeOf = (v: Value): Place => {
    const known = places.get(v);
    if (known) return known;
    const made = fresh(sizeOf(v.type.shape));
    places.set(v, made);
    return made;
  };
  const chosen = new Map<string, number>();
  const passes: Pass[] = [];
  const read = new Set<Value>([...Object.values(fused.outputs), ...fused.steps.flatMap(step => readsOf(step))]);
  for (const step of fused.steps) {
    if (step.kind === 'cells') {
      const { text, reads } = printCells(step.kernel);
      passes.push({
        kind: 'cells',
        op: null,
        name: `${step.path === '' ? '' : `${step.path}: `}${step.output.node.op}`,
        text,
        constants: {},
        reads: reads.map(placeOf),
        output: placeOf(step.output),
      });
    } else if (step.kind === 'matmul') {
      const { batch, m, n, k } = step;
      const operand = ({ from, ...rest }: Operand): ProductOperand => ({ from: placeOf(from), ...rest });
      passes.push({
        kind: 'matmul',
        batch,
        m,
        n,
        k,
        output: placeOf(step.output),
        left: operand(step.left),
        right: operand(step.right),
      });
    } else {
      const { op } = callOf(step.node)!;
      chosen.set(op.name, (chosen.get(op.name) ?? 0) + 1);
      passes.push(...launchesOf(step, source, { read, placeOf, fresh, maxReads, engine }));
    }
  }
  const fed: Record<string, Place> = {};
  const fixed: { place: Place; data: ArrayLike<number> }[] = [];
  for (const [v, place] of places) {
    if (v.node.op === 'input' && !String(v.node.attrs['name']).startsWith('$partial.'))
      fed[v.node.attrs['name'] as string] = place;
    if (v.node.op === 'constant') fixed.push({ place, data: v.node.attrs['data'] as ArrayLike<number> });
  }
  const results = Object.fromEntries(
    Object.entries(fused.outputs).map(([name, v]) => [
      name,
      v.node.op === 'input'
        ? { input: v.node.attrs['name'] as string }
        : v.node.op === 'constant'
          ? { data: hostData(v) }
          : placeOf(v),
    ]),
  );
  const pinned = [...Object.values(fed), ...fixed.map(({ place }) => place)];
  const kept = Object.values(results).filter(r => 'id' in r);
  return { passes, fed, fixed, results, chosen, memory: planMemory(passes, pinned, kept) };
}

const readsOf = (step: Step): readonly Value[] =>
  step.kind === 'call'
    ? step.inputs
    : step.kind === 'matmul'
      ? [step.left.from, step.right.from]
      : printCells(step.kernel).reads;

interface CallContext {
  readonly read: ReadonlySet<Value>;
  readonly placeOf: (v: Value) => Place;
  readonly fresh: (length: number) => Place;
  readonly maxReads: number;
  readonly engine: string;
}

/** The launches of one call, those first that others read. */
function launchesOf(
  { node, inputs, path }: Extract<Step, { readonly kind: 'call' }>,
  source: KernelSource,
  { read, placeOf, fresh, maxReads, engine }: CallContext,
): Launch[] {
  const { op, attrs } = callOf(node)!;
  const types = node.inputs.map(v => v.type);
  const built = choose(source, node)!.build(types, attrs);
  const launches: readonly Cells[] = Array.isArray(built) ? (built as readonly Cells[]) : [built as Cells];
  const where = `${path === '' ? '' : `${path}: `}kernel of ${op.name}`;
  if (launches.length !== node.outputs.length) {
    fail(
      'E_KERNEL',
      `${where}: expected ${node.outputs.length} launches, one for each output, received ${launches.length}. Limit: outputs.`,
      {
        kernel: op.name,
        limit: 'outputs',
      },
    );
  }
  const done = new Map<Cells, Place>();
  const list: Launch[] = [];
  const run = (cells: Cells, output: Place): Place => {
    const reads = (cells.reads ?? inputs.map((_, i) => i)).map(from => {
      if (typeof from !== 'number') return done.get(from) ?? run(from, fresh(from.output));
      return placeOf(inputs[from] ?? wrongRead(where, from, inputs.length));
    });
    const wanted = /^function\s*[\w$]*\s*\(([^)]*)\)/.exec(cells.text)?.[1]!.match(/[\w$]+/g)?.length ?? 0;
    if (reads.length !== wanted || reads.length > maxReads) {
      fail(
        'E_KERNEL',
        `${where}: ${cells.name}: expected as many arguments as arrays are read, at most ${Math.min(maxReads, kernelLimits.reads)} on ${engine}, received ${wanted} for ${reads.length}. Limit: reads.`,
        { kernel: cells.name, limit: 'reads' },
      );
    }
    if (reads.includes(output)) {
      fail(
        'E_KERNEL',
        `${where}: ${cells.name}: expected launches that read earlier ones, received a circle. Limit: reads.`,
        { kernel: cells.name, limit: 'reads' },
      );
    }
    list.push({
      kind: 'cells',
      op: op.name,
      name: `${path === '' ? '' : `${path}: `}${cells.name}`,
      text: cells.text,
      constants: cells.constants,
      reads,
      output,
    });
    done.set(cells, output);
    return output;
  };
  launches.forEach((cells, i) => {
    const out: Value = node.outputs[i]!;
    const size = sizeOf(out.type.shape);
    if (cells.output !== size) {
      fail(
        'E_KERNEL',
        `${where}: ${cells.name}: expected ${size} cells for output ${i}, received ${cells.output}. Limit: cells.`,
        { kernel: cells.name, limit: 'cells' },
      );
    }
    if (!read.has(out)) return;
    const earlier = done.get(cells);
    if (!earlier) run(cells, placeOf(out));
    else if (earlier !== placeOf(out)) run({ ...cells }, placeOf(out));
  });
  return list;
}

const wrongRead = (where: string, from: number, inputs: number): never =>
  fail('E_KERNEL', `${where}: expected reads of inputs 0 to ${inputs - 1}, received ${from}. Limit: reads.`, {
    kernel: where,
    limit: 'reads',
  });
