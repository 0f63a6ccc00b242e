/** How a module of a strategy changes the base: by an adapter beside it, or as all of it tuned further. */

import {
  countParameters,
  fail,
  initialise,
  parameterTypes,
  streamOf,
  uniforms,
  type HostTensor,
  type Model,
  type Types,
} from '@heddle/core';
import { mergeArrays, withDefaults } from '../apply/tensors.js';
import {
  countLora,
  foldLora,
  isLoraPath,
  loraConfig,
  loraOf,
  loraTypes,
  withLora,
  type LoraOptions,
  type Parameters,
} from '../lora/lora.js';
import { mergeLora, retainedShare, type LoraMergeOptions } from '../lora/merge.js';
import { compareDifferences, taskVectors, type TaskVectors } from '../lora/task-vectors.js';

/** What a module learnt. */
export interface Tuned {
  /** Of the adapter; of the whole model where `lora` is null. */
  readonly weights: Parameters;
  readonly lora: LoraOptions | null;
}

export interface TunedMerge extends Tuned {
  /** What the rank left out, as a share; null where nothing has a rank. */
  readonly truncation: number | null;
  readonly retained: Readonly<Record<string, number>>;
}

export interface Tuning {
  /** What is trained. */
  readonly model: Model;
  /** Of what is kept of it. */
  readonly types: Types;
  /** Which parameters move. */
  readonly trains: (path: string) => boolean;
  initial(base: Parameters, seed: number): Parameters;
  kept(parameters: Parameters): Parameters;
  /** The base with what a module learnt. */
  whole(base: Parameters, tuned: Tuned): Parameters;
  /** Numbers of a module. */
  count(tuned: Tuned): number;
  /** Numbers of the base, where it is needed beside modules. */
  readonly baseCount: number;
  /** @throws E_CONFIG for what this tuning has not */
  checkMerge(name: string, options: Omit<LoraMergeOptions, 'method' | 'seed'>): void;
  merge(all: readonly Tuned[], base: Parameters, options: LoraMergeOptions): TunedMerge;
  vectors(all: readonly Tuned[], base: Parameters): TaskVectors;
}

/** @param lora null: the whole model is tuned @throws E_CONFIG */
export const tuningOf = (model: Model, lora: LoraOptions | null): Tuning =>
  lora === null ? wholeModel(model) : adapters(model, lora);

function adapters(model: Model, lora: LoraOptions): Tuning {
  loraConfig(lora);
  const adapted = withLora(model, lora);
  const mergeable = ({ weights, lora: own }: Tuned) => ({ adapter: weights, options: own! });
  return {
    model: adapted,
    types: loraTypes(model, lora),
    trains: isLoraPath,
    baseCount: countParameters(model),
    initial: (base, seed) => ({ ...initialise(adapted, seed), ...base }),
    kept: loraOf,
    whole: (base, { weights, lora: own }) => foldLora(base, weights, own!),
    count: ({ lora: own }) => countLora(model, own!),
    checkMerge: () => {},
    merge(all, _, options) {
      const { adapter, options: own, truncation, retained } = mergeLora(all.map(mergeable), options);
      return { weights: adapter, lora: own, truncation: truncation.mean, retained };
    },
    vectors: all => taskVectors(all.map(mergeable)),
  };
}

function wholeModel(model: Model): Tuning {
  const types = parameterTypes(model);
  const paths = Object.keys(types);
  const differences = (all: readonly Tuned[], base: Parameters, path: string): readonly Float32Array[] =>
    all.map(({ weights }) => Float32Array.from(weights[path]!.data, (x, i) => x - base[path]!.data[i]!));
  return {
    model,
    types,
    trains: () => true,
    baseCount: 0,
    initial: base => base,
    kept: parameters => parameters,
    whole: (_, { weights }) => weights,
    count: () => countParameters(model),
    checkMerge(name, { mode, rank }) {
      if (mode === 'factors' || rank !== undefined)
        fail('E_CONFIG', `merge '${name}': expected no factors and no rank where whole models are merged, received ${mode === 'factors' ? 'mode factors' : `rank ${rank}`}. Leave it out, or train adapters.`, { name }); // prettier-ignore
    },
    merge(all, base, { method, each = {}, merge = {}, seed = 0 }) {
      const own = all.map((_, i) => withDefaults(method, 'model', (Array.isArray(each) ? each[i] : each) as Readonly<Record<string, number>>, `${method.name}, model ${i}`)); // prettier-ignore
      const options = withDefaults(method, 'merge', merge);
      const weights: Record<string, HostTensor> = {};
      const retained: Record<string, number> = {};
      for (const path of paths) {
        const draw = uniforms(seed, streamOf(path));
        const deltas = differences(all, base, path);
        const merged = mergeArrays(method, {
          shape: types[path]!.shape,
          models: all.map(one => one.weights[path]!.data as Float32Array),
          base: method.laws.needsBase === true ? (base[path]!.data as Float32Array) : null,
          options,
          each: own,
          ...(method.random === true ? { uniforms: deltas.map(delta => Float32Array.from(delta, () => draw())) } : {}),
        }) as Float32Array;
        weights[path] = { dtype: 'f32', shape: types[path]!.shape, data: merged };
        retained[path] = retainedShare(merged.map((x, i) => x - base[path]!.data[i]!), deltas, own); // prettier-ignore
      }
      return { weights, lora: null, truncation: null, retained };
    },
    vectors(all, base) {
      const deltas = (path: string) => differences(all, base, path);
      const products = (path: string) => {
        const own = deltas(path);
        return own.map(x => own.map(y => x.reduce((sum, value, i) => sum + value * y[i]!, 0)));
      };
      return compareDifferences(paths, all.length, products, deltas);
    },
  };
}
