/** Whether directions pull shared parameters one way: cosines of their gradients, each over batches of its own. */

import {
  bind,
  grad,
  parameterTypes,
  sizeOf,
  trace,
  type AnyLayer,
  type Backend,
  type Batches,
  type Executable,
  type KernelSource,
  type Objective,
  type Types,
} from '@heddle/core';
import { cosinesOf } from '../linear-algebra/cosines.js';
import type { Parameters } from '../lora/lora.js';

export interface DirectionGradientsOptions {
  readonly model: AnyLayer;
  readonly objective: Objective;
  readonly backend: Backend;
  readonly kernels?: KernelSource;
  readonly parameters: Parameters;
  /** Which parameters gradients are of. */
  readonly trains: (path: string) => boolean;
  /** Of each direction; closed when done. */
  readonly batches: readonly Batches[];
  /** Batches of each. Default 4. */
  readonly count?: number;
  readonly signal?: AbortSignal;
}

/** @returns [n][n] cosines of mean gradients, without dropout, in the order of `batches`; 0 beside a gradient that is nothing */
export async function gradientCosines({
  model,
  objective,
  backend,
  kernels,
  parameters,
  trains,
  batches,
  count = 4,
  signal,
}: DirectionGradientsOptions): Promise<readonly (readonly number[])[]> {
  const types = parameterTypes(model);
  const names = Object.keys(types).filter(trains);
  const given = Object.fromEntries(Object.keys(types).map(name => [`params.${name}`, parameters[name]!]));
  const compiled = new Map<string, Promise<Executable>>();
  const compile = (batch: Types): Promise<Executable> => {
    const key = JSON.stringify(batch);
    const found =
      compiled.get(key) ??
      backend.compile(
        trace({ ...under('params', types), ...under('batch', batch) }, inputs => {
          const params = Object.fromEntries(Object.keys(types).map(name => [name, inputs[`params.${name}`]!]));
          const own = Object.fromEntries(Object.keys(batch).map(name => [name, inputs[`batch.${name}`]!]));
          const { sum } = objective.loss(bind(model, params, { training: false }), own);
          const gradients = grad(
            sum,
            names.map(name => params[name]!),
          );
          return Object.fromEntries(names.map((name, i) => [name, gradients[i]!]));
        }),
        { name: 'gradients', ...(kernels ? { kernels } : {}) },
      );
    compiled.set(key, found);
    return found;
  };
  try {
    const all: Float64Array[] = [];
    for (const source of batches) {
      const sum = new Float64Array(names.reduce((total, name) => total + sizeOf(types[name]!.shape), 0));
      for (let i = 0; i < count; i++) {
        signal?.throwIfAborted();
        const next = await source.next();
        if (next === null) break;
        const { batch } = next;
        const executable = await compile(Object.fromEntries(Object.entries(batch).map(([name, { dtype, shape }]) => [name, { dtype, shape }]))); // prettier-ignore
        const { outputs } = await executable.run({ ...given, ...under('batch', batch) });
        let at = 0;
        for (const name of names) for (const x of outputs[name]!.data) sum[at++]! += x;
      }
      all.push(sum);
    }
    return cosinesOf(all.map(x => all.map(y => dot(x, y))));
  } finally {
    for (const source of batches) await source.close();
    for (const executable of compiled.values()) await (await executable).close();
  }
}

const under = <T>(prefix: string, items: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(items).map(([name, item]) => [`${prefix}.${name}`, item]));

const dot = (x: Float64Array, y: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
};
