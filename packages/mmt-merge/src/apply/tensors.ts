/** One tensor merged from arrays that are all in memory: the streaming path in one piece, or the graph. */

import {
  expandOps,
  f32,
  fail,
  interpret,
  trace,
  type Graph,
  type HostTensor,
  type MergeArray,
  type MergeMethod,
  type MergePiece,
  type MergeTask,
  type Shape,
} from '@heddle/core';

/** Everything that goes into one tensor. */
export interface TensorMerge {
  readonly shape: Shape;
  /** Row-major. */
  readonly models: readonly MergeArray[];
  readonly base: MergeArray | null;
  readonly options: Readonly<Record<string, number>>;
  readonly each: readonly Readonly<Record<string, number>>[];
  /** For random methods, one for each model. */
  readonly uniforms?: readonly MergeArray[];
}

/** How many elements a row has: the last axis, or all of a vector. */
export const columnsOf = (shape: Shape): number =>
  shape.length < 2 ? shape.reduce((n, length) => n * length, 1) : shape.at(-1)!;

/**
 * Fills in what a recipe does not say.
 *
 * @throws E_MERGE for a parameter that it must say, or one out of bounds
 */
export function withDefaults(
  method: MergeMethod,
  per: 'model' | 'merge',
  values: Readonly<Record<string, number>>,
  where = method.name,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(method.parameters ?? {})
      .filter(([, parameter]) => parameter.per === per)
      .map(([name, { default: otherwise, least = -Infinity, most = Infinity, describe }]) => {
        const value = values[name] ?? otherwise;
        if (value === undefined)
          return fail('E_MERGE', `${where}: expected ${name} (${describe}), received none. Say it under parameters.`, {
            method: method.name,
            parameter: name,
            reason: 'missing',
          });
        if (!(value >= least && value <= most) || Number.isNaN(value))
          return fail(
            'E_MERGE',
            `${where}: expected ${name} ${most === Infinity ? `from ${least}` : `from ${least} to ${most}`}, received ${value}. Correct the recipe.`,
            { method: method.name, parameter: name, value, reason: 'bounds' },
          );
        return [name, value];
      }),
  );
}

/** Inputs of a merge's graph: `base`, `model 0`…, `uniforms 0`…; a scalar has one element. */
export function mergeFeeds({ shape, base, models, uniforms = [] }: TensorMerge): Readonly<Record<string, HostTensor>> {
  const tensor = (data: MergeArray): HostTensor => ({
    dtype: 'f32',
    shape: shape.length === 0 ? [1] : shape,
    data: Float32Array.from(data),
  });
  return {
    ...(base === null ? {} : { base: tensor(base) }),
    ...Object.fromEntries(models.map((model, i) => [`model ${i}`, tensor(model)])),
    ...Object.fromEntries(uniforms.map((draws, i) => [`uniforms ${i}`, tensor(draws)])),
  };
}

/** A tensor's merge as a graph; its output is `merged`. */
export function mergeGraph(
  method: MergeMethod,
  { shape, base, models, uniforms = [], options, each }: TensorMerge,
): Graph {
  const type = f32(...(shape.length === 0 ? [1] : shape));
  const names = [
    ...(base === null ? [] : ['base']),
    ...models.map((_, i) => `model ${i}`),
    ...uniforms.map((_, i) => `uniforms ${i}`),
  ];
  return trace(Object.fromEntries(names.map(name => [name, type])), inputs => ({
    merged: method.merge({
      models: models.map((_, i) => inputs[`model ${i}`]!),
      base: base === null ? null : inputs['base']!,
      options,
      each,
      uniforms: uniforms.map((_, i) => inputs[`uniforms ${i}`]!),
    }),
  }));
}

/** Through the graph, on the reference engine: the meaning. */
export const mergeByGraph = (method: MergeMethod, call: TensorMerge): Float32Array =>
  interpret(expandOps(mergeGraph(method, call)), mergeFeeds(call), 'f32')['merged']!.data as Float32Array; // f32 in, f32 out

/** In pieces of whole rows: what runs on processors. A method without a stream goes through its graph. */
export function mergeArrays(method: MergeMethod, call: TensorMerge): MergeArray {
  if (method.stream === undefined) return mergeByGraph(method, call);
  const { shape, models, base, options, each, uniforms = [] } = call;
  const elements = shape.reduce((n, length) => n * length, 1);
  const kind = (base ?? models[0]) instanceof Float64Array ? Float64Array : Float32Array;
  const scratches = new Map<string, MergeArray>();
  const task: MergeTask = {
    shape,
    elements,
    columns: columnsOf(shape),
    models: models.length,
    hasBase: base !== null,
    options,
    each,
    scratch(name) {
      let array = scratches.get(name);
      if (array === undefined) scratches.set(name, (array = new kind(elements)));
      return array;
    },
  };
  const piece: MergePiece = { start: 0, length: elements, models, base, uniforms: model => uniforms[model]! };
  const { looks, write } = method.stream(task);
  for (const look of looks) look(piece);
  const out = new kind(elements);
  write(piece, out);
  return out;
}
