/**
 * Cell kernels: one thread computes one cell from flat arrays, with at most one reduction. All that gpu.js can express,
 * in a form that passes can work on.
 */

import type { Value } from '@heddle/core';
import { valueOf, type Counter, type Index } from './index-of.js';

/** A number that a thread computes. Every expression is a float; bools are 0 and 1. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly key: string }
  | { readonly kind: 'load'; readonly from: Value; readonly at: Index; readonly key: string }
  /** A whole number made of counters. */
  | { readonly kind: 'place'; readonly at: Index; readonly key: string }
  | { readonly kind: 'apply'; readonly fn: Fn; readonly args: readonly Expression[]; readonly key: string }
  /** `yes` where `low <= at < high`, which alone makes the places in it lawful. */
  | {
      readonly kind: 'within';
      readonly at: Index;
      readonly low: number;
      readonly high: number;
      readonly yes: Expression;
      readonly no: Expression;
      readonly key: string;
    }
  /** What the reduction came to. */
  | { readonly kind: 'total'; readonly key: 'total' };

/** Primitives by name, and what a whole number or a bool needs beside them. */
export type Fn =
  | 'exp' | 'log' | 'sqrt' | 'tanh' | 'erf' | 'sin' | 'cos' | 'floor'
  | 'add' | 'sub' | 'mul' | 'div' | 'less' | 'equal' | 'where'
  | 'truncate' | 'isNotZero' | 'wholeDiv'; // prettier-ignore

export interface Reduction {
  readonly kind: 'sum' | 'max';
  /** Counts the steps; a sum over a planned segment has fewer, see `segment`. */
  readonly step: Counter;
  /** Loop bounds read from an array of starts: steps run from `starts[at]` up to `starts[at + 1]`. */
  readonly segment: { readonly starts: Value; readonly at: Index } | null;
  readonly body: Expression;
}

export interface CellKernel {
  readonly cells: number;
  readonly reduction: Reduction | null;
  readonly result: Expression;
}

/** The counter of cells, by the name that gpu.js has for it. */
export const cellCounter = (below: number): Counter => ({ name: 'x', below });
export const stepCounter = (below: number): Counter => ({ name: 'k', below });

export const num = (value: number): Expression => ({
  kind: 'number',
  value,
  key: Object.is(value, -0) ? '-0' : String(value),
});
export const load = (from: Value, at: Index, name: string): Expression => ({
  kind: 'load',
  from,
  at,
  key: `${name}[${at.key}]`,
});
export const place = (at: Index): Expression =>
  at.terms.length === 0 ? num(at.offset) : { kind: 'place', at, key: `<${at.key}>` };
export const apply = (fn: Fn, ...args: readonly Expression[]): Expression => ({
  kind: 'apply',
  fn,
  args,
  key: `${fn}(${args.map(a => a.key).join()})`,
});
export const total: Expression = { kind: 'total', key: 'total' };

export const within = (at: Index, low: number, high: number, yes: Expression, no: Expression): Expression => ({
  kind: 'within',
  at,
  low,
  high,
  yes,
  no,
  key: `(${low}<=${at.key}<${high}?${yes.key}:${no.key})`,
});

/** Parts that are computed before the whole. */
export function partsOf(e: Expression): readonly Expression[] {
  if (e.kind === 'apply') return e.args;
  if (e.kind === 'within') return [e.yes, e.no, ...readsOf(e.at)];
  return e.kind === 'load' || e.kind === 'place' ? readsOf(e.at) : [];
}

/** Expressions inside of a place: rows that a gather reads. */
const readsOf = (at: Index): readonly Expression[] =>
  at.terms.flatMap(({ atom }) =>
    atom.kind === 'loaded' ? [atom.expression as Expression] : 'name' in atom.of ? [] : readsOf(atom.of),
  );

/** Every array that a kernel reads, in order of first use. */
export function arraysOf({ reduction, result }: CellKernel): readonly Value[] {
  const found = new Set<Value>();
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    partsOf(e).forEach(visit);
    if (e.kind === 'load') found.add(e.from);
  };
  if (reduction?.segment) {
    found.add(reduction.segment.starts);
    readsOf(reduction.segment.at).forEach(visit);
  }
  if (reduction) visit(reduction.body);
  visit(result);
  return [...found];
}

const meanings: Readonly<Record<Exclude<Fn, 'erf' | 'where'>, (a: number, b: number) => number>> = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  less: (a, b) => Number(a < b),
  equal: (a, b) => Number(a === b),
  truncate: Math.trunc,
  isNotZero: a => Number(a !== 0),
  wholeDiv: (a, b) => Math.trunc(a / b),
};

/**
 * Runs a kernel in double precision: the meaning of cell kernels, against which passes are proven.
 *
 * @param erf the error function, which JavaScript lacks
 */
export function evaluateCells(
  kernel: CellKernel,
  read: (from: Value) => ArrayLike<number>,
  erf: (x: number) => number,
): Float64Array {
  const out = new Float64Array(kernel.cells);
  const counters: Record<string, number> = {};
  let sum = 0;
  const at = (index: Index): number => valueOf(index, counters, e => value(e as Expression));
  const value = (e: Expression): number => {
    switch (e.kind) {
      case 'number':
        return e.value;
      case 'load': {
        const i = at(e.at);
        const cells = read(e.from);
        if (!(i >= 0 && i < cells.length)) throw new RangeError(`cell ${i} of ${cells.length}: ${e.key}`);
        return cells[i]!;
      }
      case 'place':
        return at(e.at);
      case 'total':
        return sum;
      case 'within': {
        const i = at(e.at);
        return value(i >= e.low && i < e.high ? e.yes : e.no);
      }
      case 'apply': {
        if (e.fn === 'where') return value(e.args[0]!) !== 0 ? value(e.args[1]!) : value(e.args[2]!);
        const [a = 0, b = 0] = e.args.map(value);
        return e.fn === 'erf' ? erf(a) : meanings[e.fn](a, b);
      }
    }
  };
  for (let x = 0; x < kernel.cells; x++) {
    counters['x'] = x;
    if (kernel.reduction) {
      const { kind, step, segment, body } = kernel.reduction;
      const starts = segment && read(segment.starts);
      const [from, to] = starts ? [starts[at(segment!.at)]!, starts[at(segment!.at) + 1]!] : [0, step.below];
      sum = kind === 'sum' ? 0 : -Infinity;
      for (let k = from; k < to; k++) {
        counters[step.name] = k;
        const next = value(body);
        sum = kind === 'sum' ? sum + next : Math.max(sum, next);
      }
    }
    out[x] = value(kernel.result);
  }
  return out;
}
