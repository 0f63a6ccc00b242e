/**
 * Groups elementwise and movement nodes, with at most one reduction, into cell kernels. What is left between kernels is
 * stored; the rest is computed where it is read, at the place where it is read, so that movement costs arithmetic of
 * places and no memory.
 */

import { ir, sizeOf, type Graph, type Node, type Value } from '@heddle/core';
import {
  apply,
  arraysOf,
  cellCounter,
  load,
  num,
  place,
  stepCounter,
  total,
  within,
  type CellKernel,
  type Expression,
  type Fn,
  type Reduction,
} from './cell.js';
import {
  coordinatesOf,
  counter,
  dividedBy,
  loaded,
  number,
  placeOf,
  plus,
  remainder,
  times,
  type Index,
} from './index-of.js';
import { indexInput, type ScatterPlan } from './plan-scatter.js';

/** An operand of a product as it lies in memory: `offset + row * i + column * j + Σ factor * digit of the batch`. */
export interface Operand {
  readonly from: Value;
  readonly offset: number;
  readonly row: number;
  readonly column: number;
  readonly batch: readonly { readonly factor: number; readonly divisor: number; readonly modulus: number | null }[];
}

export type Step =
  | { readonly kind: 'cells'; readonly output: Value; readonly kernel: CellKernel; readonly path: string }
  | {
      readonly kind: 'matmul';
      readonly output: Value;
      readonly batch: number;
      readonly m: number;
      readonly n: number;
      readonly k: number;
      readonly left: Operand;
      readonly right: Operand;
      readonly path: string;
    }
  | { readonly kind: 'call'; readonly node: Node; readonly inputs: readonly Value[]; readonly path: string };

export interface Fused {
  /** In an order in which they can run. */
  readonly steps: readonly Step[];
  /** Where each output of the graph lies: an input, a constant, or what a step stores. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Constants that kernels read from memory. */
  readonly constants: readonly Value[];
  readonly scatters: readonly ScatterPlan[];
  /** Values of hidden inputs, by name. */
  readonly hidden: Readonly<Record<string, Value>>;
  /** What a reader should know: fallbacks of passes. */
  readonly notes: readonly string[];
}

export interface FuseOptions {
  /** Arrays that one kernel may read. */
  readonly maxReads: number;
  /** Arithmetic worth up to this is done again by each reader rather than stored. */
  readonly recompute?: number;
}

const elementwise = new Set(
  'exp log sqrt tanh erf sin cos floor add sub mul div less equal where cast stopGradient reshape'.split(' '),
);
const dear = new Set(['exp', 'log', 'tanh', 'erf', 'sin', 'cos', 'sqrt', 'div']);
const movement = new Set('reshape transpose broadcast slice stopGradient'.split(' '));

const only = (node: Node): Value => node.outputs[0]!;
const isReduction = ({ op }: Node): boolean => op === 'reduceSum' || op === 'reduceMax' || op === 'scatterAdd';
const isBarrier = ({ op }: Node): boolean => op === 'matmul' || op === 'call';
const scalarOf = ({ node, type }: Value): number | null => {
  if (node.op !== 'constant' || sizeOf(type.shape) > 1) return null;
  const n = (node.attrs['data'] as ArrayLike<number>)[0]!;
  return Number.isFinite(n) && Number.isFinite(Math.fround(n)) ? n : null;
};
const isSource = (v: Value): boolean => v.node.op === 'input' || (v.node.op === 'constant' && scalarOf(v) === null);
/** Casts that change nothing where every number is a float. */
const isSame = ({ op, inputs, attrs }: Node): boolean =>
  op === 'stopGradient' ||
  (op === 'cast' && (attrs['dtype'] === 'f32' || (attrs['dtype'] === 'i32' && inputs[0]!.type.dtype !== 'f32')));

/** The value in whose memory this one lies, unchanged. */
export function homeOf(v: Value): Value {
  let at = v;
  while (at.node.op === 'reshape' || isSame(at.node)) at = at.node.inputs[0]!;
  return at;
}

export function fuseCells(graph: Graph, { maxReads, recompute = 2 }: FuseOptions): Fused {
  const forced = new Set<Value>();
  for (;;) {
    const fusion = new Fusion(graph, maxReads, recompute, forced);
    const crowded = fusion.run();
    if (crowded === null) return fusion.result();
    if (forced.has(crowded)) throw new RangeError(`${crowded.node.op}: stored already, and still read in place`);
    forced.add(crowded);
  }
}

class Fusion {
  readonly #graph: Graph;
  readonly #maxReads: number;
  readonly #recompute: number;
  readonly #readers = new Map<Value, Node[]>();
  readonly #stored: Set<Value>;
  /** Of a stored value: the reduction computed in its kernel. */
  readonly #reductionOf = new Map<Value, Node>();
  readonly #names = new Map<Value, string>();
  readonly #steps: Step[] = [];
  readonly #constants = new Set<Value>();
  readonly #scatters: ScatterPlan[] = [];
  readonly #hidden: Record<string, Value> = {};
  readonly #notes: string[] = [];

  constructor(graph: Graph, maxReads: number, recompute: number, forced: ReadonlySet<Value>) {
    this.#graph = graph;
    this.#maxReads = maxReads;
    this.#recompute = recompute;
    this.#stored = new Set(forced);
    for (const node of graph.nodes) {
      for (const v of new Set(node.inputs)) this.#readers.set(v, [...(this.#readers.get(v) ?? []), node]);
    }
  }

  /** @returns a value that must be stored so that no kernel reads too many arrays; null when all is well */
  run(): Value | null {
    this.#mustStore();
    this.#choose();
    for (const node of this.#graph.nodes) {
      if (node.op === 'matmul') this.#steps.push(this.#matmul(node));
      else if (node.op === 'call') {
        const inputs = node.inputs.map(homeOf);
        inputs.forEach(v => this.#reads(v));
        this.#steps.push({ kind: 'call', node, inputs, path: node.path });
      } else if (this.#stored.has(only(node)) && !isSource(only(node))) {
        const crowded = this.#cells(only(node));
        if (crowded) return crowded;
      }
    }
    return null;
  }

  result(): Fused {
    const outputs = Object.fromEntries(Object.entries(this.#graph.outputs).map(([name, v]) => [name, homeOf(v)]));
    for (const v of Object.values(outputs)) this.#reads(v);
    return {
      steps: this.#steps,
      outputs,
      constants: [...this.#constants],
      scatters: this.#scatters,
      hidden: this.#hidden,
      notes: this.#notes,
    };
  }

  #reads(v: Value): void {
    if (v.node.op === 'constant') this.#constants.add(v);
  }

  /** What products, calls and the caller read lies in memory. */
  #mustStore(): void {
    for (const node of this.#graph.nodes) {
      if (isBarrier(node)) for (const v of node.outputs) this.#stored.add(v);
      if (node.op === 'call') for (const v of node.inputs) this.#store(homeOf(v));
      if (node.op === 'matmul') {
        for (const v of node.inputs) {
          const view = viewOf(v);
          this.#store(view ? view.from : homeOf(v));
        }
      }
      if (node.op === 'scatterAdd' && indexInput(node) === null) this.#store(homeOf(node.inputs[0]!));
    }
    for (const v of Object.values(this.#graph.outputs)) this.#store(homeOf(v));
  }

  #store(v: Value): void {
    if (!isSource(v)) this.#stored.add(v);
  }

  #choose(): void {
    const costs = this.#costs();
    const roots = new Map<Value, ReadonlySet<Value>>();
    for (let i = this.#graph.nodes.length - 1; i >= 0; i--) {
      const node = this.#graph.nodes[i]!;
      if (isBarrier(node)) continue;
      const v = only(node);
      const readers = this.#readers.get(v) ?? [];
      const seen = new Set<Value>();
      for (const reader of readers) {
        if (isBarrier(reader)) continue;
        const into = only(reader);
        if (this.#stored.has(into)) seen.add(into);
        else for (const root of roots.get(into) ?? []) seen.add(root);
      }
      roots.set(v, seen);
      if (this.#stored.has(v) || isSource(v) || scalarOf(v) !== null) continue;
      if (isReduction(node)) {
        const end = this.#epilogue(node);
        if (end === null) this.#stored.add(v);
        else this.#reductionOf.set(end, node);
        continue;
      }
      const cost = costs.get(v)!;
      const grows = readers.some(
        r =>
          (r.op === 'broadcast' || r.op === 'gather') &&
          r.inputs[0] === v &&
          sizeOf(only(r).type.shape) > sizeOf(v.type.shape),
      );
      if ((seen.size > 1 && cost > this.#recompute) || (grows && cost > 1)) {
        if (!movement.has(node.op) && !isSame(node)) this.#stored.add(v);
        else this.#store(homeOf(v));
      }
    }
    // Every reduction that is computed nowhere else has memory of its own.
    for (const node of this.#graph.nodes) {
      const v = node.outputs[0]!;
      if (isReduction(node) && this.#stored.has(v)) this.#reductionOf.set(v, node);
    }
  }

  /** The stored value at the end of a chain of elementwise nodes that reads this reduction once per cell; null if none. */
  #epilogue(node: Node): Value | null {
    let at = only(node);
    const size = sizeOf(at.type.shape);
    while (!this.#stored.has(at)) {
      const readers = this.#readers.get(at) ?? [];
      const [next] = readers;
      if (readers.length !== 1 || !next || !(elementwise.has(next.op) || next.op === 'transpose')) return null;
      if (sizeOf(only(next).type.shape) !== size) return null;
      at = only(next);
    }
    return isReduction(at.node) || this.#reductionOf.has(at) ? null : at;
  }

  /** Arithmetic in one cell of a value if all before it up to memory were computed in place. */
  #costs(): Map<Value, number> {
    const costs = new Map<Value, number>();
    for (const node of this.#graph.nodes) {
      for (const v of node.outputs) {
        if (isBarrier(node) || isReduction(node) || this.#stored.has(v) || isSource(v)) costs.set(v, 0);
        else {
          const own = movement.has(node.op) || isSame(node) || scalarOf(v) !== null ? 0 : dear.has(node.op) ? 8 : 1;
          costs.set(
            v,
            Math.min(
              1e6,
              node.inputs.reduce((n, x) => n + costs.get(x)!, own),
            ),
          );
        }
      }
    }
    return costs;
  }

  #cells(output: Value): Value | null {
    const cells = sizeOf(output.type.shape);
    const { path } = output.node;
    const reduced = this.#reductionOf.get(output) ?? null;
    const at = coordinatesOf(counter(cellCounter(cells)), output.type.shape);
    const build = new Build(this.#stored, output, reduced, v => this.#nameOf(v));
    const result = build.expression(output, at);
    if (reduced === null) {
      return this.#push({ kind: 'cells', output, kernel: { cells, reduction: null, result }, path }, build);
    }
    const outer = build.outer ?? coordinatesOf(counter(cellCounter(cells)), only(reduced).type.shape);
    const kind = reduced.op === 'reduceMax' ? 'max' : 'sum';
    const bodyAt = this.#bodyOf(reduced, build);
    const { length, segment } = bodyAt;
    const parts = segment ? 1 : partsFor(length, cells);
    if (parts === 1) {
      const step = stepCounter(length);
      const reduction: Reduction = {
        kind,
        step,
        segment: segment?.(outer) ?? null,
        body: bodyAt.body(outer, counter(step)),
      };
      return this.#push({ kind: 'cells', output, kernel: { cells, reduction, result }, path }, build);
    }
    // Two kernels: sums of parts, then the sum of the sums. Shorter chains of rounding, and threads enough.
    const each = Math.ceil(length / parts);
    const first = cellCounter(cells * parts);
    const [cell, part] = [dividedBy(counter(first), parts), remainder(counter(first), parts)];
    const partial: Value = ir.input(`$partial.${this.#steps.length}`, { dtype: 'f32', shape: [cells, parts] });
    const inner = new Build(this.#stored, output, reduced, v => this.#nameOf(v));
    const step = stepCounter(each);
    const body = this.#bodyOf(reduced, inner).body(
      this.#outerAt(output, reduced, cell),
      plus(times(part, each), counter(step)),
    );
    const safe =
      each * parts === length
        ? body
        : within(
            plus(times(part, each), counter(step)),
            0,
            length,
            body,
            num(kind === 'sum' ? 0 : -3.4028234663852886e38),
          );
    const crowded = this.#push(
      {
        kind: 'cells',
        output: partial,
        kernel: { cells: cells * parts, reduction: { kind, step, segment: null, body: safe }, result: total },
        path,
      },
      inner,
    );
    if (crowded) return crowded;
    const second = stepCounter(parts);
    const read = load(partial, plus(times(counter(cellCounter(cells)), parts), counter(second)), this.#nameOf(partial));
    return this.#push(
      {
        kind: 'cells',
        output,
        kernel: { cells, reduction: { kind, step: second, segment: null, body: read }, result },
        path,
      },
      build,
    );
  }

  /** Coordinates of the reduction for one cell of the kernel that ends in `output`. */
  #outerAt(output: Value, reduced: Node, cell: Index): readonly Index[] {
    const build = new Build(this.#stored, output, reduced, v => this.#nameOf(v));
    build.expression(output, coordinatesOf(cell, output.type.shape));
    return build.outer ?? coordinatesOf(cell, only(reduced).type.shape);
  }

  #bodyOf(
    node: Node,
    build: Build,
  ): {
    readonly length: number;
    readonly segment: ((outer: readonly Index[]) => NonNullable<Reduction['segment']>) | null;
    readonly body: (outer: readonly Index[], step: Index) => Expression;
  } {
    const [x, index] = node.inputs;
    const { shape } = x!.type;
    if (node.op !== 'scatterAdd') {
      const axes = node.attrs['axes'] as readonly number[];
      const sizes = axes.map(a => shape[a]!);
      return {
        length: sizes.reduce((a, b) => a * b, 1),
        segment: null,
        body: (outer, step) => {
          const folded = coordinatesOf(step, sizes);
          let kept = 0;
          return build.expression(
            x!,
            shape.map((_, a) => (axes.includes(a) ? folded[axes.indexOf(a)]! : outer[kept++]!)),
          );
        },
      };
    }
    const axis = node.attrs['axis'] as number;
    const rows = index!.type.shape;
    const n = sizeOf(rows);
    const full = (outer: readonly Index[], row: Index): readonly Index[] => [
      ...outer.slice(0, axis),
      ...coordinatesOf(row, rows),
      ...outer.slice(axis + 1),
    ];
    const input = indexInput(node);
    if (input === null) {
      const size = node.attrs['size'] as number;
      this.#note(
        `scatterAdd ${node.path}: the index is computed, so each of ${size} rows looks at each of ${n} indices`,
      );
      return {
        length: n,
        segment: null,
        body: (outer, step) =>
          apply(
            'where',
            apply('equal', build.expression(index!, coordinatesOf(step, rows)), place(outer[axis]!)),
            build.expression(x!, full(outer, step)),
            num(0),
          ),
      };
    }
    const { order, starts } = this.#plan(input, n, node.attrs['size'] as number);
    return {
      length: n,
      segment: outer => ({ starts, at: outer[axis]! }),
      body: (outer, step) => {
        const from = load(order, step, this.#nameOf(order));
        return build.expression(x!, full(outer, loaded(from, n, from.key)));
      },
    };
  }

  #note(words: string): void {
    if (!this.#notes.includes(words)) this.#notes.push(words);
  }

  #plan(index: string, n: number, size: number): { readonly order: Value; readonly starts: Value } {
    let plan = this.#scatters.find(p => p.index === index && p.size === size);
    if (!plan) {
      const name = `$scatter.${this.#scatters.length}`;
      plan = { index, size, order: `${name}.order`, starts: `${name}.starts` };
      this.#scatters.push(plan);
      this.#hidden[plan.order] = ir.input(plan.order, { dtype: 'i32', shape: [n] });
      this.#hidden[plan.starts] = ir.input(plan.starts, { dtype: 'i32', shape: [size + 1] });
    }
    return { order: this.#hidden[plan.order]!, starts: this.#hidden[plan.starts]! };
  }

  /** Adds a step, unless it reads too much: then says what to store. */
  #push(step: Extract<Step, { readonly kind: 'cells' }>, build: Build): Value | null {
    const arrays = arraysOf(step.kernel);
    if (arrays.length > this.#maxReads)
      return build.widest(this.#maxReads) ?? tooWide(step, arrays.length, this.#maxReads);
    arrays.forEach(v => this.#reads(v));
    this.#steps.push(step);
    return null;
  }

  #matmul(node: Node): Step {
    const out = only(node);
    const [m, n] = out.type.shape.slice(-2) as [number, number];
    const [left, right] = node.inputs as [Value, Value];
    const l = node.attrs['transposeLeft'] === true;
    const r = node.attrs['transposeRight'] === true;
    const k = left.type.shape.at(l ? -2 : -1)!;
    const operand = (v: Value, turned: boolean): Operand => {
      const view = viewOf(v) ?? plainView(v);
      this.#reads(view.from);
      return turned ? { ...view, row: view.column, column: view.row } : view;
    };
    return {
      kind: 'matmul',
      output: out,
      batch: sizeOf(out.type.shape.slice(0, -2)),
      m,
      n,
      k,
      left: operand(left, l),
      right: operand(right, r),
      path: node.path,
    };
  }

  /** A name that is the same for the same memory, for keys of expressions. */
  #nameOf(v: Value): string {
    const name = this.#names.get(v) ?? `v${this.#names.size}`;
    this.#names.set(v, name);
    return name;
  }
}

const tooWide = (step: Step, arrays: number, limit: number): never => {
  throw new RangeError(
    `${step.path}: a kernel reads ${arrays} arrays, at most ${limit}, and nothing in it can be stored`,
  );
};

/** In how many parts a reduction is done: short chains round less, and few cells leave threads without work. */
function partsFor(length: number, cells: number): number {
  if (length < 512 || cells > 16384) return 1;
  const wanted = 2 ** Math.round(Math.log2(Math.sqrt(length)));
  for (let d = 0; d < wanted / 2; d++) {
    for (const parts of [wanted + d, wanted - d]) if (parts > 1 && length % parts === 0) return parts;
  }
  return wanted;
}

/** Builds the expressions of one kernel. */
class Build {
  /** Where the reduction is read. */
  outer: readonly Index[] | null = null;
  readonly #stored: ReadonlySet<Value>;
  readonly #output: Value;
  readonly #reduced: Node | null;
  readonly #nameOf: (v: Value) => string;
  readonly #known = new Map<string, Expression>();
  readonly #inlined = new Map<Value, Expression>();

  constructor(stored: ReadonlySet<Value>, output: Value, reduced: Node | null, nameOf: (v: Value) => string) {
    this.#stored = stored;
    this.#output = output;
    this.#reduced = reduced;
    this.#nameOf = nameOf;
  }

  /** One of the values computed in place whose storing relieves the kernel most; null where there is none. */
  widest(limit: number): Value | null {
    let [best, most] = [null as Value | null, 1];
    for (const [v, e] of this.#inlined) {
      if (
        v === this.#output ||
        this.#stored.has(v) ||
        v.node === this.#reduced ||
        movement.has(v.node.op) ||
        isSame(v.node)
      )
        continue;
      const arrays = arraysOf({ cells: 1, reduction: null, result: e });
      if (arrays.length > most && arrays.length <= limit) [best, most] = [v, arrays.length];
    }
    // Else what follows the reduction becomes a kernel of its own.
    return best ?? (this.#reduced && only(this.#reduced) !== this.#output ? only(this.#reduced) : null);
  }

  expression(v: Value, at: readonly Index[]): Expression {
    const key = `${this.#nameOf(v)}@${at.map(i => i.key).join('|')}`;
    const known = this.#known.get(key);
    if (known) return known;
    const made = this.#make(v, at);
    this.#known.set(key, made);
    this.#inlined.set(v, made);
    return made;
  }

  #make(v: Value, at: readonly Index[]): Expression {
    const { node } = v;
    if (node === this.#reduced) {
      this.outer ??= at;
      return total;
    }
    if (isSource(v) || (this.#stored.has(v) && v !== this.#output)) {
      return load(v, placeOf(at, v.type.shape), this.#nameOf(v));
    }
    const scalar = scalarOf(v);
    if (scalar !== null) return num(scalar);
    const { op, inputs, attrs } = node;
    const [x] = inputs;
    const from = x?.type.shape ?? [];
    switch (op) {
      case 'iota':
        return place(at[attrs['axis'] as number]!);
      case 'reshape':
        return this.expression(x!, coordinatesOf(placeOf(at, v.type.shape), from));
      case 'transpose': {
        const order = attrs['permutation'] as readonly number[];
        return this.expression(
          x!,
          from.map((_, axis) => at[order.indexOf(axis)]!),
        );
      }
      case 'broadcast':
        return this.expression(
          x!,
          from.map((d, axis) => (d === 1 ? number(0) : at[axis]!)),
        );
      case 'slice': {
        const starts = attrs['starts'] as readonly number[];
        return this.expression(
          x!,
          at.map((i, axis) => plus(i, number(starts[axis]!))),
        );
      }
      case 'pad':
        return this.#pad(x!, at, attrs['low'] as readonly number[], v.type.shape);
      case 'concat':
        return this.#concat(inputs, at, attrs['axis'] as number);
      case 'gather':
        return this.#gather(node, at);
      case 'cast':
        if (isSame(node)) return this.expression(x!, at);
        if (attrs['dtype'] === 'bool' && x!.type.dtype === 'bool') return this.expression(x!, at);
        return apply(attrs['dtype'] === 'bool' ? 'isNotZero' : 'truncate', this.expression(x!, at));
      case 'stopGradient':
        return this.expression(x!, at);
      case 'div':
        return apply(v.type.dtype === 'i32' ? 'wholeDiv' : 'div', ...inputs.map(i => this.expression(i, at)));
      default:
        return apply(op as Fn, ...inputs.map(i => this.expression(i, at)));
    }
  }

  #pad(x: Value, at: readonly Index[], low: readonly number[], shape: readonly number[]): Expression {
    const from = x.type.shape;
    const inner = at.map((i, axis) => plus(i, number(-low[axis]!)));
    let e = this.expression(x, inner);
    for (let axis = from.length - 1; axis >= 0; axis--) {
      if (from[axis] !== shape[axis]) e = within(at[axis]!, low[axis]!, low[axis]! + from[axis]!, e, num(0));
    }
    return e;
  }

  #concat(parts: readonly Value[], at: readonly Index[], axis: number): Expression {
    let [end, e] = [parts.reduce((n, p) => n + p.type.shape[axis]!, 0), null as Expression | null];
    for (const part of parts.toReversed()) {
      const start = end - part.type.shape[axis]!;
      const here = this.expression(
        part,
        at.map((i, a) => (a === axis ? plus(i, number(-start)) : i)),
      );
      e = e === null ? here : within(at[axis]!, start, end, here, e);
      end = start;
    }
    return e!;
  }

  #gather({ inputs: [x, index], attrs }: Node, at: readonly Index[]): Expression {
    const axis = attrs['axis'] as number;
    const rank = index!.type.shape.length;
    const size = x!.type.shape[axis]!;
    const picked = this.expression(index!, at.slice(axis, axis + rank));
    // Indices that the host sees are checked there; others must not leave the array.
    const safe =
      homeOf(index!).node.op === 'input' || homeOf(index!).node.op === 'constant' ? picked : clamped(picked, size);
    const row = loaded(safe, size, safe.key);
    return this.expression(x!, [...at.slice(0, axis), row, ...at.slice(axis + rank)]);
  }
}

const clamped = (e: Expression, size: number): Expression =>
  apply('where', apply('less', e, num(0)), num(0), apply('where', apply('less', num(size - 1), e), num(size - 1), e));

/** How a value lies in memory if it is but movement of something stored, in steps that are even; null otherwise. */
function viewOf(v: Value): Operand | null {
  let root = v;
  while ((movement.has(root.node.op) || isSame(root.node)) && root.node.op !== 'constant') root = root.node.inputs[0]!;
  if (root.node.op === 'constant' && scalarOf(root) !== null) return null;
  const { shape } = v.type;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const batch = shape.slice(0, -2);
  const [b, i, j] = [
    { name: 'b', below: sizeOf(batch) },
    { name: 'i', below: rows },
    { name: 'j', below: columns },
  ];
  const build = new Build(new Set([root]), v, null, () => 'v');
  const e = root === v ? null : build.expression(v, [...coordinatesOf(counter(b), batch), counter(i), counter(j)]);
  const at =
    e === null
      ? placeOf([...coordinatesOf(counter(b), batch), counter(i), counter(j)], shape)
      : e.kind === 'load'
        ? e.at
        : null;
  if (at === null) return null;
  const view = { from: homeOf(root), offset: at.offset, row: 0, column: 0, batch: [] as Operand['batch'][number][] };
  for (const { factor, atom } of at.terms) {
    if (atom.kind !== 'digit' || !('name' in atom.of)) return null;
    if (atom.of.name === 'b') view.batch.push({ factor, divisor: atom.divisor, modulus: atom.modulus });
    else if (atom.divisor !== 1 || atom.modulus !== null) return null;
    else view[atom.of.name === 'i' ? 'row' : 'column'] += factor;
  }
  return view;
}

/** A value that is stored as it is. */
function plainView(v: Value): Operand {
  const [rows, columns] = v.type.shape.slice(-2) as [number, number];
  const batched = sizeOf(v.type.shape.slice(0, -2)) > 1;
  return {
    from: homeOf(v),
    offset: 0,
    row: columns,
    column: 1,
    batch: batched ? [{ factor: rows * columns, divisor: 1, modulus: null }] : [],
  };
}
