/** The merge set: methods, sparsification, parameters over depth, recipes as text and parsed. */

import type { MergeMethod } from '@heddle/core';
import {
  caseOf,
  goldenNumber,
  parseGolden,
  relativeError,
  type GoldenCase,
  type GoldenKind,
} from '@heddle/core/testing/golden';
import { mergeArrays, mergeByGraph, withDefaults, type TensorMerge } from '../apply/tensors.js';
import { methods } from '../methods/index.js';
import { checkRecipes } from './recipes.js';
import { checkSetting } from './settings.js';
import { checkSparsify } from './sparsify.js';

export interface Stored {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly unknown[];
}

export interface Drawn {
  readonly probs: readonly unknown[];
  readonly mask: readonly number[];
}

interface MethodRow {
  readonly id: string;
  readonly method: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly perModel?: readonly Readonly<Record<string, number>>[] | null;
  readonly base?: Stored | null;
  readonly models: readonly Stored[];
  readonly expected: Stored;
  readonly bernoulliMasks?: readonly Drawn[];
}

export const arrayOf = ({ data }: Stored): Float32Array => Float32Array.from(data, goldenNumber);

/** Where mergekit computes in bfloat16 we accumulate in float32: four roundings of 2^-8 apart, at most, were seen. */
const bf16 = 4 / 256;

export const merge: GoldenKind = {
  name: 'merge',
  recognises: name =>
    /^(mergekit-golden|ram-golden|sparsify-golden|evaluate-setting)\..*jsonl$|^mergekit-configs/.test(name),
  ignores: name => name.startsWith('architectures/') || name === 'README.md',
  async *check(file) {
    const text = await file.text();
    if (file.name.startsWith('mergekit-configs')) {
      yield* checkRecipes(parseGolden(text));
      return;
    }
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue;
      const row = parseGolden(line) as { readonly id: string };
      try {
        if (file.name.startsWith('sparsify')) yield checkSparsify(row as never);
        else if (file.name.startsWith('evaluate')) yield checkSetting(row as never);
        else yield checkMethod(row as never);
      } catch (error) {
        yield { id: row.id, passed: false, detail: error instanceof Error ? error.message : String(error) };
      }
    }
  },
};

function checkMethod(row: MethodRow): GoldenCase {
  const method = methods.find(({ name }) => name === row.method);
  if (method === undefined) return { id: row.id, passed: false, detail: `no method '${row.method}'` };
  const call = callOf(method, row);
  const expected = arrayOf(row.expected);
  const tolerance = row.expected.dtype === 'float32' ? 1e-5 : bf16;
  const pieces = relativeError(expected, mergeArrays(method, call));
  const graph = relativeError(expected, mergeByGraph(method, call));
  return caseOf(row.id, [
    { name: 'in pieces', error: pieces, tolerance },
    { name: 'as a graph', error: graph, tolerance },
    ...probabilities(row),
  ]);
}

/** What a row says, as a call. Interpolations of the set go from the base to the one model, whatever the method calls it. */
function callOf(
  method: MergeMethod,
  { method: name, parameters, perModel, base, models, bernoulliMasks }: MethodRow,
): TensorMerge {
  const said = Object.fromEntries(
    Object.entries(parameters).flatMap(([key, value]) =>
      typeof value === 'number' || typeof value === 'boolean' ? [[key, Number(value)]] : [],
    ),
  );
  const each = (perModel ?? models.map(() => ({}))).map(values =>
    withDefaults(method, 'model', { weight: 1, ...values }),
  );
  const shape = models[0]!.shape;
  const call = { shape, models: models.map(arrayOf), base: base ? arrayOf(base) : null, each };
  const options = { ...withDefaults(method, 'merge', { ...said, compat: 1 }) };
  if (name === 'nuslerp') {
    const t = said['t']!;
    const dimension = said['dim'] === 0 ? 1 : 0;
    return {
      ...call,
      models: [call.base!, ...call.models],
      base: null,
      each: [{ weight: 1 - t }, { weight: t }],
      options: { nuslerp_flatten: said['flatten'] ?? 1, nuslerp_row_wise: dimension },
    };
  }
  if (name === 'karcher') {
    const alphas = parameters['alphas'] as readonly number[];
    return { ...call, each: models.map((_, i) => ({ weight: alphas[i]! })), options };
  }
  return { ...call, options, uniforms: uniformsOf(each, call.models, bernoulliMasks ?? []) };
}

/** Masks were drawn for the models that are trimmed at all, in their order; 0 keeps and 1 drops at any probability. */
function uniformsOf(
  each: readonly Readonly<Record<string, number>>[],
  models: readonly Float32Array[],
  masks: readonly Drawn[],
): readonly Float32Array[] {
  let next = 0;
  return models.map((model, at) => {
    const drawn = (each[at]!['density'] ?? 1) < 1 ? masks[next++] : undefined;
    return Float32Array.from(model, (_, i) => (drawn?.mask[i] === 0 ? 1 : 0));
  });
}

/**
 * The probabilities behind the masks: a number just below each must keep its element, one just above must drop it.
 */
function probabilities({
  method: name,
  perModel,
  models,
  base,
  bernoulliMasks,
}: MethodRow): { name: string; error: number; tolerance: number }[] {
  const method = methods.find(one => one.name === name)!;
  if (method.random !== true || bernoulliMasks === undefined || !base) return [];
  if (models[0]!.dtype !== 'float32') return []; // ranks of differences that were rounded to bfloat16 are others
  let wrong = 0;
  let next = 0;
  for (const [at, values] of (perModel ?? []).entries()) {
    if ((values['density'] ?? 1) >= 1) continue;
    const { probs } = bernoulliMasks[next++]!;
    for (const side of [-1, 1]) {
      const call: TensorMerge = {
        shape: models[at]!.shape,
        models: [arrayOf(models[at]!)],
        base: arrayOf(base),
        each: [withDefaults(method, 'model', { ...values, weight: 1 })],
        options: withDefaults(method, 'merge', { rescale: 0, normalize: 0 }),
        uniforms: [Float32Array.from(probs, p => goldenNumber(p) + side * 1e-5)],
      };
      mergeArrays(method, call).forEach((x, i) => {
        const kept = Math.abs(x - call.base![i]!) > 1e-6;
        const differs = Math.abs(call.models[0]![i]! - call.base![i]!) > 1e-5;
        if (differs && kept !== side < 0) wrong++;
      });
    }
  }
  return [{ name: 'probabilities', error: wrong, tolerance: 0 }];
}
