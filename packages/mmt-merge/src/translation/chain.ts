/**
 * Strategies of multilingual translation as a pipeline of the kernel: a base that knows all languages, adapters for directions and
 * groups, those into English merged, and every strategy scored in every direction.
 *
 * An adapter that two strategies share is trained once: a stage is found again by what it learns from, its settings and the base.
 */

import {
  adamW,
  countParameters,
  fail,
  initialise,
  parameterTypes,
  pipeline,
  schedule,
  stageWith,
  streamOf,
  trainWithin,
  type Artifacts,
  type Backend,
  type Batches,
  type CheckpointStore,
  type Flow,
  type HostTensor,
  type KernelSource,
  type MergeMethod,
  type Model,
  type Objective,
  type Stage,
  type StageContext,
  type Types,
} from '@heddle/core';
import { readParameters, writeParameters } from '@heddle/core/files';
import type { LoraOptions, Parameters } from '../lora/lora.js';
import type { LoraMergeOptions } from '../lora/merge.js';
import { searchValues, type SearchOptions, type SearchResult, type Values } from '../search/search.js';
import { gradientCosines } from './gradients.js';
import { groupCosines, type GroupCosines } from '../lora/task-vectors.js';
import {
  checkGroups,
  directionOf,
  fewName,
  groupIn,
  moduleFor,
  modulesOf,
  modulesOfFew,
  routingOf,
  type DirectionName,
  type Groups,
  type Routing,
  type StrategyName,
  type TranslationModule,
} from './strategies.js';
import { tuningOf, type Tuned } from './tuning.js';

/** How adapters into English become one for a group. Each is a row of its own. */
export interface ChainMerge extends Omit<LoraMergeOptions, 'method' | 'seed'> {
  readonly method: string;
  /**
   * Values that are searched for each group anew, by what its directions score on texts that are neither learnt from nor tested
   * with: names of the method's parameters with their bounds. They go before `each` and `merge`.
   */
  readonly search?: Pick<SearchOptions, 'space' | 'budget'>;
}

export interface ChainOptions {
  readonly name: string;
  /** All randomness comes from it. Default 0. */
  readonly seed?: number;
  readonly groups: Groups;
  /** Default all but `merged`, which `merges` stand for. */
  readonly strategies?: readonly Exclude<StrategyName, 'merged'>[];
  /**
   * For each number n of languages, one adapter each way for the first n, taken from all groups in turn: what training together
   * comes to as languages are added. Default none.
   */
  readonly counts?: readonly number[];
  /** By the name of their row. Default none. */
  readonly merges?: Readonly<Record<string, ChainMerge>>;
  /** null: every module is all of the model, tuned further. */
  readonly lora: LoraOptions | null;
  readonly base: { readonly steps: number; readonly rate: number };
  /** Steps for each direction that an adapter learns: one for five languages makes five times as many as one for one. */
  readonly adapters: { readonly steps: number; readonly rate: number };
  /** Largest joint norm of the gradients. Default 1. */
  readonly clip?: number;
}

export interface DirectionScore {
  /** By metric, such as `chrF`. */
  readonly scores: Readonly<Record<string, number>>;
  /** Of each test sentence by one metric, in one order for all strategies: what differences are tested with. */
  readonly sentences: readonly number[];
  /** Some of what was written. */
  readonly examples?: readonly { readonly source: string; readonly reference: string; readonly written: string }[];
}

/** What is no data. */
export interface ChainBench {
  readonly model: Model;
  readonly backend: Backend;
  readonly kernels?: KernelSource;
  readonly objective: Objective;
  readonly methods: readonly MergeMethod[];
  /** Names all that is learnt from: other texts, another name. */
  readonly data: string;
  /** Names all that is tested with, and how. */
  readonly tests: string;
  /** What the base learns from, without end. */
  pretraining(seed: number): Batches;
  /** Pairs of these directions, each as often as the others, without end. @throws for a direction without data */
  pairs(directions: readonly DirectionName[], seed: number): Batches;
  /** How well a direction is translated, more is better, on texts of neither other kind: what searches go by. */
  validate?(direction: DirectionName, parameters: Parameters, signal: AbortSignal): Promise<number>;
  /** Translates the direction's test texts. */
  score(direction: DirectionName, parameters: Parameters, signal: AbortSignal): Promise<DirectionScore>;
  /** Where a stage that is stopped goes on from, by the key of its result. None: it begins anew. */
  checkpoints?(key: string): { readonly store: CheckpointStore; readonly every: number };
}

interface Weights {
  /** Artifact. */
  readonly weights: string;
  readonly steps: number;
  /** Learnt from. */
  readonly tokens: number;
}

/** One row of the table. */
export interface StrategyResult {
  readonly modules: number;
  /** Of base and adapters. */
  readonly parameters: number;
  /** That its adapters learnt from; the base's are everybody's. */
  readonly tokens: number;
  readonly directions: Readonly<Record<DirectionName, DirectionScore>>;
  /** What the rank left out of a merge, as a share: the mean over adapters and layers. */
  readonly truncation: number | null;
  /** What is left of the adapters' differences in merges, by layer: the mean over them. Empty without merges. */
  readonly retained: Readonly<Record<string, number>>;
  /** What was tried for each merged module, and which of it was best. Empty without a search. */
  readonly searches: Readonly<Record<string, SearchResult>>;
  /** Artifacts: the base, and each module's adapter with its rank and scale, or the whole model without. */
  readonly base: string;
  readonly adapters: Readonly<Record<string, { readonly weights: string; readonly lora: LoraOptions | null }>>;
  readonly routing: Routing;
}

export interface VectorsResult extends GroupCosines {
  readonly modules: readonly DirectionName[];
  readonly cosines: readonly (readonly number[])[];
  readonly signConflict: number;
  readonly layers: Readonly<Record<string, GroupCosines & { readonly signConflict: number }>>;
}

/** Of the adapter for all languages, before it learns and after: cosines of the gradients of its directions. */
export interface GradientsResult {
  readonly directions: readonly DirectionName[];
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[];
}

type ByWay<T> = Readonly<Record<'into' | 'out-of', T>>;

/**
 * Rows by strategy and merge, `base` for the model alone; how adapters of single directions lie to each other, and how directions
 * pull on the adapter for all. Null where the strategies in question were not asked for.
 */
export interface ChainResult {
  readonly rows: Readonly<Record<string, StrategyResult>>;
  readonly vectors: ByWay<VectorsResult> | null;
  readonly gradients: ByWay<GradientsResult> | null;
}

type Trained = Readonly<Record<string, Weights>>;
type Part = { readonly row: StrategyResult } | Pick<ChainResult, 'vectors'> | Pick<ChainResult, 'gradients'>;

const usual = ['separate', 'multilingual', 'group', 'direction-aware'] as const;

/**
 * @throws E_CONFIG, E_GROUPS; while it runs, whatever the bench throws
 */
export function translationChain(options: ChainOptions, bench: ChainBench): Flow<null, ChainResult> {
  const { groups, seed = 0, strategies = usual, counts = [], merges = {}, lora, clip = 1 } = options;
  checkGroups(groups);
  const languages = Object.values(groups).flat();
  for (const n of counts)
    if (!(Number.isSafeInteger(n) && n >= 2 && n < languages.length))
      fail('E_CONFIG', `chain: counts: expected whole numbers from 2 up to, not including, ${languages.length}, received ${n}.`, { n }); // prettier-ignore
  const tuning = tuningOf(bench.model, lora);
  for (const [name, { method }] of Object.entries(merges))
    if (!bench.methods.some(one => one.name === method))
      fail('E_CONFIG', `chain: merge '${name}': expected one of ${bench.methods.map(one => one.name).join(', ')}, received '${method}'.`, { name, method }); // prettier-ignore
  if (Object.values(merges).some(({ search }) => search) && !bench.validate)
    fail('E_CONFIG', 'chain: search: expected a bench that validates, received one without. Give it `validate`, or no search.', {}); // prettier-ignore
  for (const [what, value] of [['base.steps', options.base.steps], ['adapters.steps', options.adapters.steps]] as const)
    if (!(Number.isSafeInteger(value) && value >= 1)) fail('E_CONFIG', `chain: ${what}: expected a whole number from 1 up, received ${value}.`, { what, value }); // prettier-ignore
  for (const [name, merge] of Object.entries(merges)) tuning.checkMerge(name, merge);
  const { architecture, config } = bench.model;
  const shared = { seed, clip, model: { architecture, config }, data: bench.data };
  const baseTypes = parameterTypes(bench.model);
  const ownSeed = (name: string): number => streamOf(`${seed}/${name}`) & 0x3fffffff;

  const learn = async (
    name: string,
    { model, initial, data, steps, rate, trains }: Learning,
    context: StageContext,
  ): Promise<Weights> => {
    const at = bench.checkpoints?.(context.key);
    const { step, tokens, parameters, whole } = await trainWithin(
      {
        name,
        model,
        objective: bench.objective,
        optimizer: adamW({ betas: [0.9, 0.98] }),
        schedule: schedule.cosine(rate, { warmUp: Math.ceil(steps / 10), total: steps }),
        data,
        backend: bench.backend,
        ...(bench.kernels ? { kernels: bench.kernels } : {}),
        steps,
        seed: ownSeed(name),
        clip,
        initial,
        ...(trains ? { trains } : {}),
      },
      context,
      at ? { at } : {},
    );
    if (!whole)
      fail('E_DATA', `${name}: expected ${steps} steps, ended after ${step}: its data ended.`, { name, steps });
    const kept = trains ? tuning.kept(parameters) : parameters;
    const weights = await context.artifacts.write(`${name}.safetensors`, sink => writeParameters(sink, kept));
    return { weights, steps: step, tokens };
  };

  const base = stageWith<null, Weights>(
    'base',
    () => ({ ...shared, base: options.base }),
    async (_, context) =>
      learn('base', { model: bench.model, initial: initialise(bench.model, seed), data: bench.pretraining(ownSeed('base')), ...options.base }, context), // prettier-ignore
  );

  const few = Object.fromEntries(counts.map(n => [fewName(n), modulesOfFew(groups, n)]));
  const all = [...strategies.flatMap(strategy => modulesOf(strategy, groups)), ...Object.values(few).flat()];
  const needed = Object.keys(merges).length > 0 ? [...all, ...modulesOf('direction-aware', groups)] : all;
  const modules = new Map<string, TranslationModule>();
  for (const module of needed) {
    const other = modules.get(module.name) ?? module;
    if (other.directions.join() !== module.directions.join())
      fail('E_GROUPS', `groups: expected names that tell adapters apart, received ${module.name} for ${other.directions.join(', ')} and for ${module.directions.join(', ')}. Rename the group.`, { name: module.name }); // prettier-ignore
    modules.set(module.name, module);
  }
  const adapterOf = ({ name, directions }: TranslationModule): Stage<Weights, Weights> =>
    stageWith<Weights, Weights>(
      `adapter ${name}`,
      () => ({ ...shared, lora, directions, adapters: options.adapters }),
      async ({ weights }, context) =>
        learn(
          name,
          {
            model: tuning.model,
            initial: tuning.initial(await readIn(context.artifacts, weights, baseTypes), ownSeed(name)),
            data: bench.pairs(directions, ownSeed(name)),
            steps: options.adapters.steps * directions.length,
            rate: options.adapters.rate,
            trains: tuning.trains,
          },
          context,
        ),
    );

  const wanted = languages.flatMap(language => [`${language}-en`, `en-${language}`]);
  const keep = stageWith<Weights, Weights>(
    'keep base',
    () => null,
    async input => input,
  );

  const scored = (name: string, own: readonly TranslationModule[], merge: ChainMerge | null): Stage<Trained, Part> => {
    const asked = own.length === 0 ? wanted : own.flatMap(module => module.directions);
    const routing = routingOf(own);
    const parts = own.flatMap(module => module.merged ?? [module.name]);
    return stageWith<Trained, Part, Trained>(
      `score ${name}`,
      () => ({ ...shared, tests: bench.tests, lora, merge, routing }),
      async (trained, { artifacts, signal }) => {
        const model = await readIn(artifacts, trained['base']!.weights, baseTypes);
        const adapters = new Map<string, Tuned>();
        const left: number[] = [];
        const retained: Record<string, number> = {};
        const searches: Record<string, SearchResult> = {};
        const saved: Record<string, { readonly weights: string; readonly lora: LoraOptions | null }> = {};
        const load = async (module: string): Promise<Tuned> => ({
          weights: await readIn(artifacts, trained[module]!.weights, tuning.types),
          lora,
        });
        for (const module of own) {
          signal.throwIfAborted();
          if (!module.merged || !merge) {
            adapters.set(module.name, await load(module.name));
            saved[module.name] = { weights: trained[module.name]!.weights, lora };
            continue;
          }
          const { method: name, search, ...how } = merge;
          const method = bench.methods.find(one => one.name === name)!;
          const loaded: Tuned[] = [];
          for (const part of module.merged) loaded.push(await load(part));
          const mergedBy = (values: Values) => tuning.merge(loaded, model, { ...withValues(how, method, values), method, seed }); // prettier-ignore
          if (search) {
            const evaluate = async (values: Values): Promise<number> => {
              const whole = tuning.whole(model, mergedBy(values));
              let sum = 0;
              for (const direction of module.directions) sum += await bench.validate!(direction, whole, signal);
              return sum / module.directions.length;
            };
            searches[module.name] = await searchValues({ ...search, evaluate, signal });
          }
          const merged = mergedBy(searches[module.name]?.best.values ?? {});
          if (merged.truncation !== null) left.push(merged.truncation);
          const merges = own.filter(one => one.merged).length;
          for (const [layer, x] of Object.entries(merged.retained)) retained[layer] = (retained[layer] ?? 0) + x / merges; // prettier-ignore
          adapters.set(module.name, merged);
          const weights = await artifacts.write(`${module.name}.safetensors`, sink => writeParameters(sink, merged.weights)); // prettier-ignore
          saved[module.name] = { weights, lora: merged.lora };
        }
        const directions: Record<DirectionName, DirectionScore> = {};
        for (const [module, those] of byModule(routing, asked)) {
          const found = module === null ? null : adapters.get(module)!;
          const parameters = found ? tuning.whole(model, found) : model;
          for (const direction of those) directions[direction] = await bench.score(direction, parameters, signal);
        }
        const row: StrategyResult = {
          modules: own.length,
          parameters: adapters.size === 0 ? countParameters(bench.model) : [...adapters.values()].reduce((sum, one) => sum + tuning.count(one), tuning.baseCount), // prettier-ignore
          tokens: [...new Set(parts)].reduce((sum, part) => sum + trained[part]!.tokens, 0),
          directions,
          truncation: left.length === 0 ? null : left.reduce((a, b) => a + b, 0) / left.length,
          retained,
          searches,
          base: trained['base']!.weights,
          adapters: saved,
          routing,
        };
        return { row };
      },
      trained => pick(trained, ['base', ...new Set(parts)]),
    );
  };

  const vectors = stageWith<Trained, Part, Trained>(
    'task vectors',
    () => ({ ...shared, lora, groups }),
    async (trained, { artifacts }) => {
      const base = await readIn(artifacts, trained['base']!.weights, baseTypes);
      const of = async (way: 'into' | 'out-of'): Promise<VectorsResult> => {
        const names = wanted.filter(direction => directionOf(direction).way === way);
        const loaded: Tuned[] = [];
        for (const name of names) loaded.push({ weights: await readIn(artifacts, trained[name]!.weights, tuning.types), lora }); // prettier-ignore
        const found = tuning.vectors(loaded, base);
        const own = names.map(name => groupIn(groups, directionOf(name).language));
        const layerOf = ([path, cosines]: readonly [string, readonly (readonly number[])[]]) =>
          [path, { ...groupCosines({ cosines }, own), signConflict: found.signConflicts[path]! }] as const;
        return {
          modules: names,
          cosines: found.cosines,
          signConflict: found.signConflict,
          ...groupCosines(found, own),
          layers: Object.fromEntries(Object.entries(found.byLayer).map(layerOf)),
        };
      };
      return { vectors: { into: await of('into'), 'out-of': await of('out-of') } };
    },
    trained => pick(trained, ['base', ...wanted]),
  );

  const joint = { into: 'all-en', 'out-of': 'en-all' } as const;
  const gradients = stageWith<Trained, Part, Trained>(
    'gradients',
    () => ({ ...shared, lora, groups }),
    async (trained, { artifacts, signal }) => {
      const model = await readIn(artifacts, trained['base']!.weights, baseTypes);
      const of = async (way: 'into' | 'out-of'): Promise<GradientsResult> => {
        const name = joint[way];
        const names = wanted.filter(direction => directionOf(direction).way === way);
        const cosines = (module: Parameters) =>
          gradientCosines({
            model: tuning.model,
            objective: bench.objective,
            backend: bench.backend,
            ...(bench.kernels ? { kernels: bench.kernels } : {}),
            parameters: { ...model, ...module },
            trains: tuning.trains,
            batches: names.map(direction => bench.pairs([direction], ownSeed(`gradients ${direction}`))),
            signal,
          });
        return {
          directions: names,
          before: await cosines(tuning.kept(tuning.initial(model, ownSeed(name)))),
          after: await cosines(await readIn(artifacts, trained[name]!.weights, tuning.types)),
        };
      };
      return { gradients: { into: await of('into'), 'out-of': await of('out-of') } };
    },
    trained => pick(trained, ['base', ...Object.values(joint)]),
  );

  const rows: Record<string, Stage<Trained, Part>> = { base: scored('base', [], null) };
  for (const strategy of strategies) rows[strategy] = scored(strategy, modulesOf(strategy, groups), null);
  for (const [name, own] of Object.entries(few)) rows[name] = scored(name, own, null);
  for (const [name, merge] of Object.entries(merges)) rows[name] = scored(name, modulesOf('merged', groups), merge);
  if (strategies.includes('separate') && languages.length > 1) rows['task vectors'] = vectors;
  if (strategies.includes('multilingual') && languages.length > 1) rows['gradients'] = gradients;

  return pipeline(options.name)
    .then(base)
    .thenAll<Trained>({
      base: keep,
      ...Object.fromEntries([...modules].map(([name, module]) => [name, adapterOf(module)])),
    })
    .thenAll<Readonly<Record<string, Part>>>(rows)
    .then(
      stageWith<Readonly<Record<string, Part>>, ChainResult>(
        'table',
        () => null,
        async found => ({
          rows: Object.fromEntries(
            Object.entries(found).flatMap(([name, one]) => ('row' in one ? [[name, one.row]] : [])),
          ),
          vectors: Object.values(found).map(one => ('vectors' in one ? one.vectors : null)).find(one => one !== null) ?? null, // prettier-ignore
          gradients: Object.values(found).map(one => ('gradients' in one ? one.gradients : null)).find(one => one !== null) ?? null, // prettier-ignore
        }),
      ),
    );
}

/** Values in their places: those of the merge, and those of each model. */
function withValues(how: Omit<ChainMerge, 'method' | 'search'>, method: MergeMethod, values: Values): typeof how {
  const of = (per: 'merge' | 'model'): Values =>
    Object.fromEntries(Object.entries(values).filter(([name]) => (method.parameters?.[name]?.per ?? 'model') === per));
  const { each = {} } = how;
  const own = of('model');
  return {
    ...how,
    each: Array.isArray(each) ? each.map((one: Values) => ({ ...one, ...own })) : { ...(each as Values), ...own },
    merge: { ...how.merge, ...of('merge') },
  };
}

interface Learning {
  readonly model: Model;
  readonly initial: Parameters;
  readonly data: Batches;
  readonly steps: number;
  readonly rate: number;
  readonly trains?: (path: string) => boolean;
}

const readIn = async (artifacts: Artifacts, uri: string, types: Types): Promise<Record<string, HostTensor>> =>
  readParameters(await artifacts.open(uri), types);

const pick = (trained: Trained, names: readonly string[]): Trained =>
  Object.fromEntries(names.map(name => [name, trained[name]!]));

/** Directions by their module, so that each is folded once; null for the base alone. */
function byModule(
  routing: Readonly<Record<DirectionName, string>>,
  wanted: readonly DirectionName[],
): ReadonlyMap<string | null, readonly DirectionName[]> {
  const found = new Map<string | null, DirectionName[]>();
  for (const direction of wanted) {
    const module = Object.keys(routing).length === 0 ? null : moduleFor(routing, direction);
    found.set(module, [...(found.get(module) ?? []), direction]);
  }
  return found;
}
