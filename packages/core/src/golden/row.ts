/** Rows of the torch set: reading tensors, running a function with its gradients, comparing. */

import { openReference } from '../backend/reference.js';
import { caseOf, goldenNumber, relativeError, type GoldenCase } from '../testing/golden.js';
import { grad, trace } from '../tensor/trace.js';
import type { HostTensor, Shape, Types } from '../ir/types.js';
import type { Tensor } from '../tensor/tensor.js';

export interface StoredArray {
  readonly shape: Shape;
  readonly dtype: string;
  readonly data: readonly unknown[];
}

/** What every row may hold; families read more from it. */
export interface Row {
  readonly id?: unknown;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly inputs?: Readonly<Record<string, StoredArray>>;
  readonly outputs?: Readonly<Record<string, StoredArray>>;
  readonly grads?: Readonly<Record<string, StoredArray | null>>;
  readonly tolerance?: unknown;
  readonly [key: string]: unknown;
}

/** @param file name of the file, for families whose files differ only in name */
export type Family = (row: Row, file: string) => Promise<GoldenCase>;

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A number of `params`, or the fallback where it is not there or null. */
export function numberAt(row: Row, name: string, fallback?: number): number {
  const x = row.params?.[name];
  if (x === undefined || x === null) {
    if (fallback === undefined) throw new Error(`params.${name}: expected a number, received none`);
    return fallback;
  }
  const n = goldenNumber(x);
  if (Number.isNaN(n)) throw new Error(`params.${name}: expected a number, received ${JSON.stringify(x)}`);
  return n;
}

export function hostOf({ shape, dtype, data }: StoredArray): HostTensor {
  const numbers = data.map(goldenNumber);
  if (/^(float|double|half|bfloat)/.test(dtype)) return { dtype: 'f32', shape, data: Float32Array.from(numbers) };
  if (dtype === 'bool') return { dtype: 'bool', shape, data: Uint8Array.from(numbers) };
  return { dtype: 'i32', shape, data: Int32Array.from(numbers) };
}

/** Forward 1e-5 and gradients 1e-4 of the largest element, unless the row says otherwise. */
export const tolerancesOf = ({ tolerance }: Row): { readonly forward: number; readonly gradient: number } => {
  if (typeof tolerance === 'number') return { forward: tolerance, gradient: Math.max(tolerance, 1e-4) };
  const {
    forward = 1e-5,
    gradient,
    grad: slope,
  } = (tolerance ?? {}) as { readonly forward?: number; readonly gradient?: number; readonly grad?: number };
  return { forward, gradient: gradient ?? slope ?? 1e-4 };
};

/** Runs a graph once on the reference backend. */
export async function runOnce(
  types: Types,
  body: (x: Readonly<Record<string, Tensor>>) => Record<string, Tensor>,
  feeds: Readonly<Record<string, HostTensor>>,
): Promise<Readonly<Record<string, HostTensor>>> {
  const backend = openReference();
  try {
    const executable = await backend.compile(trace(types, body));
    return (await executable.run(feeds)).outputs;
  } finally {
    await backend.close();
  }
}

const typesOf = (feeds: Readonly<Record<string, HostTensor>>): Types =>
  Object.fromEntries(Object.entries(feeds).map(([name, { dtype, shape }]) => [name, { dtype, shape }]));

/**
 * Compares outputs and gradients. `dy` is the upstream gradient of the first output; without it, the sum of the
 * output is differentiated.
 *
 * @param fn from the inputs to the outputs of the row, by name
 * @param prepare changes what is fed, such as targets that stand for nothing
 */
export async function compareRow(
  row: Row,
  fn: (x: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>,
  prepare: (feeds: Record<string, HostTensor>) => Record<string, HostTensor> = feeds => feeds,
): Promise<GoldenCase> {
  const stored = Object.fromEntries(Object.entries(row.inputs ?? {}).map(([name, array]) => [name, hostOf(array)]));
  const feeds = prepare(stored);
  const expected = Object.entries(row.outputs ?? {});
  const slopes = Object.entries(row.grads ?? {});
  const found = await runOnce(
    typesOf(feeds),
    x => {
      const outputs = fn(x);
      const first = outputs[expected[0]?.[0] ?? 'y'] ?? Object.values(outputs)[0]!;
      const loss = x['dy'] ? first.mul(x['dy']).sum() : first.sum();
      const gradients = grad(
        loss,
        slopes.map(([name]) => x[name] ?? missing(`inputs.${name}`)),
      );
      const named = expected.map(([name]) => [`out.${name}`, outputs[name] ?? missing(`outputs.${name}`)] as const);
      return {
        ...Object.fromEntries(named),
        ...Object.fromEntries(slopes.map(([name], i) => [`grad.${name}`, gradients[i]!])),
      };
    },
    feeds,
  );
  const { forward, gradient } = tolerancesOf(row);
  return caseOf('', [
    ...expected.map(([name, array]) => ({ name, error: distance(array, found[`out.${name}`]!), tolerance: forward })),
    ...slopes.map(([name, array]) => ({
      name: `d${name}`,
      error: array
        ? distance(array, found[`grad.${name}`]!)
        : relativeError(
            Array.from(found[`grad.${name}`]!.data, () => 0),
            found[`grad.${name}`]!.data,
          ),
      tolerance: gradient,
    })),
  ]);
}

const missing = (what: string): never => {
  throw new Error(`${what}: expected one that this family knows`);
};

/** A shape that differs is infinitely far; scalars may be written as [] or [1]. */
export function distance(expected: StoredArray, found: HostTensor): number {
  const squeeze = (shape: Shape): string => (shape.length === 1 && shape[0] === 1 ? '' : shape.join());
  return squeeze(expected.shape) === squeeze(found.shape)
    ? relativeError(expected.data.map(goldenNumber), found.data)
    : Infinity;
}
