/** Running one golden file: tensors in the authors' layouts go in, gradients with respect to the same come out. */

import {
  bind,
  grad,
  openReference,
  parametersOf,
  trace,
  type AnyLayer,
  type HostTensor,
  type Shape,
  type Tensor,
  type Types,
} from '@heddle/core';
import { caseOf, goldenNumber, relativeError, type GoldenCase } from '@heddle/core/testing/golden';
import type { Origin } from '../fairseq.js';

export interface Stored {
  readonly shape: Shape;
  readonly data: readonly unknown[];
}

export interface GoldenRow {
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly weights: Readonly<Record<string, Stored>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly gradients: {
    readonly inputs?: Readonly<Record<string, Stored | null>>;
    readonly weights?: Readonly<Record<string, Stored | null>>;
  };
}

export type Family = (id: string, row: GoldenRow) => Promise<GoldenCase>;

export const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' && value !== null && 'shape' in value && 'data' in value;

/** A number of the configuration. */
export function numberOf(row: GoldenRow, name: string, fallback?: number): number {
  const value = row.config[name] ?? fallback;
  if (typeof value !== 'number')
    throw new Error(`config.${name}: expected a number, received ${JSON.stringify(value)}`);
  return value;
}

/** 0 where a key may be seen, and what hides it elsewhere. @shape [B, S] of 0 and 1 -> the same */
export const hiddenCells = (padding: Stored): Float64Array =>
  Float64Array.from(padding.data, x => (goldenNumber(x) === 0 ? 0 : -1e9));

const hostOf = ({ shape, data }: Stored): HostTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(data, goldenNumber),
});

/**
 * Puts the authors' weights where a layer declares its own.
 *
 * @throws for a parameter that the file has no weight for, and for a weight that no parameter takes
 */
export function bindWeights<L extends AnyLayer>(
  layer: L,
  originOf: (ours: string) => Origin | null,
  weights: Readonly<Record<string, Tensor>>,
) {
  const taken = new Set<string>();
  const tensors = Object.fromEntries(
    Object.keys(parametersOf(layer)).map(path => {
      const found = originOf(path);
      const tensor = found && weights[found.name];
      if (!found || !tensor) throw new Error(`${path}: expected a weight '${found?.name}' in the file, received none`);
      taken.add(found.name);
      return [path, found.transposed ? tensor.transpose() : tensor];
    }),
  );
  const left = Object.keys(weights).filter(name => !taken.has(name));
  if (left.length > 0) throw new Error(`weights: expected a parameter for each, received none for ${left.join(', ')}`);
  return bind(layer, tensors, { training: false });
}

export interface Traced {
  /** By the file's names, in the file's layouts. A name with `~` is compared with zero, not with the file. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** What gradients are of. */
  readonly loss: Tensor;
}

const forward = 1e-5;
const backward = 1e-4;

/** Masked scores are -inf there and about -1e9 here. */
const unmasked = (data: ArrayLike<number>): Float64Array => Float64Array.from(data, x => (x < -5e8 ? -Infinity : x));

/**
 * Runs what `build` traces from inputs and weights, and compares outputs and gradients with the file's.
 *
 * Every output of the file must be made, under its name.
 */
export async function compare(
  id: string,
  row: GoldenRow,
  build: (inputs: Readonly<Record<string, Tensor>>, weights: Readonly<Record<string, Tensor>>) => Traced,
): Promise<GoldenCase> {
  const named = (prefix: string, given: Readonly<Record<string, unknown>>): Record<string, HostTensor> =>
    Object.fromEntries(
      Object.entries(given).flatMap(([name, value]) => (isStored(value) ? [[`${prefix}${name}`, hostOf(value)]] : [])),
    );
  const feeds = { ...named('in.', row.inputs), ...named('w.', row.weights) };
  const types: Types = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
  );
  const slopes = [
    ...Object.entries(row.gradients.inputs ?? {}).map(([name, stored]) => ({ key: `in.${name}`, stored })),
    ...Object.entries(row.gradients.weights ?? {}).map(([name, stored]) => ({ key: `w.${name}`, stored })),
  ].filter(({ key }) => key in feeds);
  const graph = trace(types, x => {
    const all = x as Readonly<Record<string, Tensor>>;
    const under = (prefix: string): Record<string, Tensor> =>
      Object.fromEntries(
        Object.entries(all).flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])),
      );
    const { outputs, loss } = build(under('in.'), under('w.'));
    const gradients = grad(
      loss,
      slopes.map(({ key }) => all[key]!),
    );
    return {
      ...Object.fromEntries(Object.entries(outputs).map(([name, t]) => [`out.${name}`, t])),
      ...Object.fromEntries(slopes.map(({ key }, i) => [`grad.${key}`, gradients[i]!])),
    };
  });
  const backend = openReference();
  try {
    const executable = await backend.compile(graph);
    const { outputs: found } = await executable.run(feeds);
    const parts = [...outputParts(row, found), ...slopeParts(slopes, found)];
    return caseOf(id, parts);
  } finally {
    await backend.close();
  }
}

interface Part {
  readonly name: string;
  readonly error: number;
  readonly tolerance: number;
}

function outputParts(row: GoldenRow, found: Readonly<Record<string, HostTensor>>): readonly Part[] {
  const wanted = Object.entries(row.outputs).flatMap(([name, value]) => flat(name, value));
  const expected = wanted.map(({ name, shape, data }): Part => {
    const ours = found[`out.${name}`];
    if (!ours) throw new Error(`outputs.${name}: expected one that this family makes`);
    const same = ours.shape.join() === shape.join();
    return { name, error: same ? relativeError(data, unmasked(ours.data)) : Infinity, tolerance: forward };
  });
  const own = Object.entries(found).flatMap(([key, { data }]): Part[] =>
    key.startsWith('out.~')
      ? [{ name: key.slice(5), error: Math.max(...Array.from(data, Math.abs)), tolerance: forward }]
      : [],
  );
  return [...expected, ...own];
}

/**
 * Where softmax makes a gradient exactly 0 (the keys' bias, the bias that ends the network over heads), both sides hold
 * what float32 leaves of a sum that cancels: below 1e-6 of the largest gradient of the file, on both sides, they agree.
 */
const noise = 1e-6;

function slopeParts(
  slopes: readonly { readonly key: string; readonly stored: Stored | null }[],
  found: Readonly<Record<string, HostTensor>>,
): readonly Part[] {
  const largest = (data: ArrayLike<number>): number => Array.from(data, Math.abs).reduce((a, b) => Math.max(a, b), 0);
  const expected = slopes.map(({ stored }) => (stored ? Float64Array.from(stored.data, goldenNumber) : null));
  const floor = noise * Math.max(0, ...expected.map(data => (data ? largest(data) : 0)));
  return slopes.map(({ key, stored }, i) => {
    const ours = found[`grad.${key}`]!;
    // null: not in the authors' graph, so nothing may flow in ours.
    const theirs = expected[i] ?? new Float64Array(ours.data.length);
    const sameShape = !stored || stored.shape.join() === ours.shape.join();
    const silent = stored !== null && largest(theirs) <= floor && largest(ours.data) <= floor;
    const error = !sameShape ? Infinity : silent ? 0 : relativeError(theirs, ours.data);
    return { name: `d${key.slice(key.indexOf('.') + 1)}`, error, tolerance: backward };
  });
}

interface Flat {
  readonly name: string;
  readonly shape: Shape;
  readonly data: readonly number[];
}

/** Lists of tensors are `name.0`, `name.1`…; a number is a tensor without axes. How far the authors' own steps are from
 * their own whole pass is a fact about them: our own steps are compared instead. */
function flat(name: string, value: unknown): readonly Flat[] {
  if (value === null || name === 'incremental_max_abs_diff') return [];
  if (isStored(value)) return [{ name, shape: value.shape, data: value.data.map(goldenNumber) }];
  if (Array.isArray(value)) return value.flatMap((one, i) => flat(`${name}.${i}`, one));
  if (typeof value === 'number' || typeof value === 'string') return [{ name, shape: [], data: [goldenNumber(value)] }];
  throw new Error(`outputs.${name}: expected a tensor or a number, received ${JSON.stringify(value)}`);
}
