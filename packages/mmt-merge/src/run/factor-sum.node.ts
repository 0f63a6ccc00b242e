/** Weighted sums of adapters' differences on an engine: the factors go there, and no difference is made on the way. */

import { f32, trace, type Executable, type HostTensor } from '@heddle/core';
import { mergeArrays } from '../apply/tensors.js';
import { sumOfFactors } from '../lora/ops.js';
import { rowsOf, type TensorPlan } from '../plan/plan.js';
import type { AdaptedSource, StoredSource } from '../plan/source.js';
import { converter } from './convert.js';
import type { MergeEngine } from './engine.node.js';
import { openFiles, readerOf, readInto, type Files } from './reader.node.js';
import type { MergeMethod } from '@heddle/core';

/** What these make of their models is a weighted sum. */
const sums: ReadonlySet<string> = new Set(['linear', 'task_arithmetic']);

/** A factor as it is stored. */
export function readFactor(source: StoredSource, files: Files): Float32Array {
  const { elements } = rowsOf(source.shape);
  const array = new Float32Array(elements);
  readInto(
    readerOf(source, { files, converter: converter(), hold: false, ahead: 0, to: Infinity }),
    0,
    elements,
    array,
  );
  return array;
}

export interface FactorSums {
  /** @returns [rows, columns]; null for what the engine does not take, which is then for the processor */
  sum(tensor: TensorPlan, method: MergeMethod): Promise<Float32Array | null>;
  /** How many it summed. */
  readonly done: number;
  close(): Promise<void>;
}

export function openFactorSums({ backend, kernels }: MergeEngine): FactorSums {
  const files = openFiles();
  const compiled = new Map<string, Promise<Executable>>();
  let done = 0;

  function fits(tensor: TensorPlan, own: readonly AdaptedSource[]): boolean {
    const shapes = new Set(own.map(({ left, right }) => `${left.shape.join()} ${right.shape.join()}`));
    const most = Math.max(rowsOf(tensor.shape).elements, ...own.map(({ left, right }) => own.length * Math.max(rowsOf(left.shape).elements, rowsOf(right.shape).elements))); // prettier-ignore
    const alike = own.length > 0 && own.length === tensor.models.length && shapes.size === 1;
    return sums.has(tensor.method) && alike && own.every(one => !one.transposed && one.base === null) && most <= backend.limits.maxElements; // prettier-ignore
  }

  return {
    get done() {
      return done;
    },
    async sum(tensor, method) {
      const own = tensor.models.flatMap(({ source }) => (source.kind === 'adapted' ? [source] : []));
      if (!fits(tensor, own)) return null;
      const K = own.length;
      const { left, right } = own[0]!;
      const types = { a: f32(K, ...left.shape), b: f32(K, ...right.shape), w: f32(K) };
      const key = JSON.stringify(types);
      const executable =
        compiled.get(key) ??
        backend.compile(
          trace(types, ({ a, b, w }) => ({ sum: sumOfFactors(a, b, w) })),
          { name: 'sum of factors', ...(kernels === undefined ? {} : { kernels }) },
        );
      compiled.set(key, executable);
      // What the method makes of a model alone is its weight.
      const each = own.map(
        (_, k) =>
          mergeArrays(method, {
            shape: [1],
            models: own.map((__, i) => Float32Array.of(i === k ? 1 : 0)),
            base: tensor.base === null ? null : new Float32Array(1),
            options: tensor.options,
            each: tensor.each,
          })[0]!,
      );
      const stacked = (side: 'left' | 'right'): HostTensor => {
        const all = own.map(source => readFactor(source[side], files));
        const data = new Float32Array(K * all[0]!.length);
        for (const [k, one] of all.entries()) data.set(one, k * one.length);
        return { dtype: 'f32', shape: [K, ...own[0]![side].shape], data };
      };
      const w: HostTensor = {
        dtype: 'f32',
        shape: [K],
        data: Float32Array.from(own, (one, k) => each[k]! * one.scale),
      };
      const { outputs } = await (await executable).run({ a: stacked('left'), b: stacked('right'), w });
      done++;
      return outputs['sum']!.data as Float32Array;
    },
    async close() {
      files.close();
      for (const executable of compiled.values()) await (await executable).close();
    },
  };
}
