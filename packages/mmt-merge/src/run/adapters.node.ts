/** Merging adapters into an adapter by the differences that they stand for; and how far merging factors would be from it. */

import { promises as fs } from 'node:fs';
import { basename, join } from 'node:path';
import { fail, hashJson, streamOf, type Json } from '@heddle/core';
import { narrow, writeSafetensors, type StorageDtype, type TensorBytes } from '@heddle/core/files';
import { atomicFolder, fileSink } from '@heddle/core/node';
import type { Checkpoint } from '../checkpoint/open.node.js';
import type { ViewTensor } from '../checkpoint/view.js';
import { factors, product, relativeDistance, turned } from '../linear-algebra/svd.js';
import { factorMethods } from '../methods/by-factor.js';
import { methods as ownMethods } from '../methods/index.js';
import { planMerge, rowsOf, storageOf, type MergePlan, type PlanModel, type TensorPlan } from '../plan/plan.js';
import type { AdaptedSource, RowsSource } from '../plan/source.js';
import { titleOf } from '../recipe/reference.js';
import { version } from '../version.js';
import type { MergeOptions, MergeReport } from './merge.node.js';
import type { Step } from './prepare.node.js';
import { openFiles } from './reader.node.js';
import { digestOf, headerDigest, writeJson } from './result.node.js';
import { factorName, planFactors } from './factor-plan.js';
import { openFactorSums, readFactor } from './factor-sum.node.js';
import { mergeFactors } from './factors.js';
import { openWorker } from './unit.node.js';

/** The base of differences: nothing. */
const nothing = '(no difference)';

export interface AdapterDistances {
  /** |factor-wise B A - merged difference| / |merged difference|, the mean over modules and the worst. */
  readonly factorWise: { readonly mean: number; readonly worst: number } | null;
  /** The same for what the rank left out. */
  readonly truncation: { readonly mean: number; readonly worst: number };
}

/** What will be merged, module by module, with the adapters' differences as models. */
export function planAdapters(
  step: Step,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  methods: MergeOptions['methods'] = ownMethods,
): MergePlan {
  const views = new Map<string, PlanModel>();
  const base = step.recipe.base_model ? titleOf(step.recipe.base_model) : null;
  const zeros = new Map<string, ViewTensor>();
  for (const title of step.titles) {
    const checkpoint = checkpoints.get(title)!;
    if (checkpoint.folder !== null) continue; // the model under the adapters: only what they change counts
    views.set(title, { title, view: checkpoint.view, vocabulary: null, vocabularySize: null });
    for (const [name, tensor] of checkpoint.view.tensors) {
      const source: RowsSource = {
        kind: 'rows',
        shape: tensor.shape,
        sources: [tensor.source],
        runs: [{ count: tensor.shape[0] ?? 1, zero: true }],
      };
      if (tensor.source.kind === 'adapted') zeros.set(name, { ...tensor, source });
    }
  }
  const under = base !== null && !views.has(base) ? checkpoints.get(base)! : null;
  for (const view of views.values())
    for (const [name, tensor] of view.view.tensors)
      if (tensor.source.kind !== 'adapted' && under?.view.tensors.has(name))
        zeros.set(name, under.view.tensors.get(name)!);
  views.set(nothing, {
    title: nothing,
    view: { title: nothing, tensors: zeros },
    vocabulary: null,
    vocabularySize: null,
  });
  const method = methods.find(({ name }) => name === step.recipe.merge_method);
  const needs = method?.laws.needsBase === true && (base === null || under !== null);
  const { base_model: _, adapters: __, ...rest } = step.recipe;
  const models = (rest.models ?? []).filter(({ model }) => views.has(titleOf(model)));
  const recipe = {
    ...rest,
    models,
    ...(needs ? { base_model: nothing } : base !== null && under === null ? { base_model: base } : {}),
  };
  return planMerge({ recipe, at: step.at, models: views, methods });
}

/** The plan of a step that gives an adapter, as it will be run: by differences, or by factors. */
export function planOfAdapters(
  step: Step,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  methods: MergeOptions['methods'] = ownMethods,
): MergePlan {
  const plan = planAdapters(step, checkpoints, methods);
  const { config } = checkpoints.get(plan.sources.find(title => title !== nothing)!)!.adapter!;
  return step.recipe.adapters?.mode === 'factors' ? planFactors(step, plan, config.fanInFanOut) : plan;
}

/** Differences of all adapters together, in elements, up to which a module is looked at twice. */
const mostCompared = 2 ** 24;

/**
 * How far a merge of factors is from the merge of differences, on modules that are small enough to know; null where none is.
 */
export function distanceOfFactors(
  step: Step,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  methods: MergeOptions['methods'] = ownMethods,
): AdapterDistances['factorWise'] {
  const plan = planAdapters(step, checkpoints, methods);
  const { seed, sources, read } = plan;
  const settings = { accumulate: 'float32', read, seed, sources, memory: 256_000_000, allowNotFinite: true } as const;
  const worker = openWorker(methods, settings);
  try {
    const apart = plan.tensors.flatMap(tensor => {
      const own = tensor.models.flatMap(({ source }) => (source.kind === 'adapted' ? [source] : []));
      const { elements } = rowsOf(tensor.shape);
      if (own.length === 0 || elements * own.length > mostCompared) return [];
      const wise = factorWise(tensor, own, plan);
      const [rows, columns] = tensor.shape as [number, number];
      return wise === null ? [] : [relativeDistance(worker.values({ ...tensor, dtype: 'F32' }), product(wise.b, wise.a, rows, columns))]; // prettier-ignore
    });
    return apart.length === 0 ? null : spread(apart);
  } finally {
    worker.close();
  }
}

/** `adapter_config.json` of a merge of factors: the adapters' rank, and no scale. */
export function configOfFactors(
  plan: MergePlan,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): Readonly<Record<string, Json>> {
  const ranks = new Map<string, number>();
  const saved: string[] = [];
  for (const { name, shape } of plan.tensors) {
    const [, path, side] = /^base_model\.model\.(.+?)(?:\.lora_(?:embedding_)?([AB])(?:\.weight)?|\.weight)$/.exec(
      name,
    )!;
    if (side === 'A') ranks.set(path!, shape[0]!);
    else if (side === undefined) saved.push(path!);
  }
  return configOf(checkpoints.get(plan.sources.find(title => title !== nothing)!)!, ranks, saved);
}

/** What a report says of merged factors. */
export const factorNotice = ({
  mean,
  worst,
}: NonNullable<AdapterDistances['factorWise']>): MergeReport['notices'][number] => ({
  kind: 'tokens',
  subject: 'factor-wise',
  message: `merging A and B apart gives differences that are ${percent(mean)} away from the merged differences, ${percent(worst)} at worst`,
});

const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;

export async function mergeAdapters(
  step: Step,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  out: string,
  options: MergeOptions,
  part: boolean,
): Promise<MergeReport> {
  const started = performance.now();
  const methods = options.methods ?? ownMethods;
  const plan = planAdapters(step, checkpoints, methods);
  const asked = step.recipe.adapters?.rank;
  const worker = openWorker(methods, {
    accumulate: 'float32',
    read: plan.read,
    seed: plan.seed,
    sources: plan.sources,
    memory: options.memory ?? 256_000_000,
    allowNotFinite: options.allowNotFinite ?? false,
  });
  const sums = options.engine ? openFactorSums(options.engine) : null;
  const first = checkpoints.get(plan.sources.find(title => title !== nothing)!)!;
  const said = step.recipe.dtypes?.write ?? step.recipe.out_dtype ?? step.recipe.dtype;
  const tensors: TensorBytes[] = [];
  const ranks = new Map<string, number>();
  const saved: string[] = [];
  const [apart, cut]: [number[], number[]] = [[], []];
  let done = 0;
  try {
    for (const tensor of plan.tensors) {
      if (options.signal?.aborted)
        fail('E_CANCELLED', `${out}: expected to be merged, received a request to stop. Run the same command again.`, {
          out,
        });
      await new Promise(resolve => setImmediate(resolve));
      const dtype: StorageDtype = said ? storageOf[said] : tensor.dtype;
      const path = tensor.name.replace(/\.weight$/, '');
      const adapted = [...tensor.models, ...(tensor.base ? [tensor.base] : [])].some(
        ({ source }) => source.kind === 'adapted',
      );
      const method = methods.find(({ name }) => name === tensor.method)!;
      const merged = (await sums?.sum(tensor, method)) ?? worker.values({ ...tensor, dtype: 'F32' });
      done += tensor.shape.reduce((n, length) => n * length, 1) * 4;
      options.onProgress?.({
        stage: 'merging',
        name: basename(out),
        done,
        total: plan.tensors.reduce((n, { shape }) => n + rowsOf(shape).elements * 4, 0),
        resumed: 0,
      });
      if (!adapted) {
        saved.push(path);
        tensors.push({
          name: `base_model.model.${tensor.name}`,
          dtype,
          shape: tensor.shape,
          bytes: narrow(merged as Float32Array, dtype, tensor.name),
        });
        continue;
      }
      const [rows, columns] = tensor.shape as [number, number];
      const own = tensor.models.flatMap(({ source }) => (source.kind === 'adapted' ? [source] : []));
      const sum = own.reduce(
        (n, { left, right, transposed }) =>
          n + Math.min(left.shape[transposed ? 0 : 1]!, right.shape[transposed ? 1 : 0]!),
        0,
      );
      const rank = Math.max(1, Math.min(asked ?? sum, rows, columns));
      const wise = factorWise(tensor, own, plan);
      if (wise !== null) apart.push(relativeDistance(merged, product(wise.b, wise.a, rows, columns)));
      const pair = factors({ rows, columns, data: merged as Float32Array }, rank);
      cut.push(relativeDistance(merged, product(pair.b, pair.a, rows, columns)));
      const width = pair.a.length / columns;
      ranks.set(path, width);
      const turnedFactors = own[0]?.transposed === true;
      const embedding = turnedFactors && !first.adapter!.config.fanInFanOut;
      const put = (side: 'A' | 'B', shape: readonly number[], data: Float32Array): void =>
        void tensors.push({
          name: factorName(path, side, embedding),
          dtype,
          shape,
          bytes: narrow(data, dtype, path).slice(),
        });
      // What is stored turned (embeddings, and layers that keep [in, out]) has turned factors, too.
      if (turnedFactors) {
        put('A', [width, rows], turned(pair.b, rows, width));
        put('B', [columns, width], turned(pair.a, width, columns));
      } else {
        put('A', [width, columns], pair.a);
        put('B', [rows, width], pair.b);
      }
    }
  } finally {
    worker.close();
    await sums?.close();
  }
  const distances: AdapterDistances = {
    factorWise: apart.length === 0 ? null : spread(apart),
    truncation: spread(cut),
  };
  const config = configOf(first, ranks, saved);
  const record = {
    format: 'heddle-merge-1',
    key: hashJson(JSON.parse(JSON.stringify({ version, text: step.text, tensors: plan.tensors }))),
    package: `@heddle/mmt-merge ${version}`,
    recipe: step.recipe,
    method: plan.method,
    mode: 'delta',
    distances,
    inputs: plan.sources.filter(title => title !== nothing).map(title => ({ title, path: checkpoints.get(title)!.path, digest: headerDigest(checkpoints.get(title)!) })), // prettier-ignore
    notices: plan.notices,
  };
  await atomicFolder(
    out,
    async folder => {
      await writeSafetensors(await fileSink(join(folder, 'adapter_model.safetensors')), tensors, { format: 'pt' });
      await writeJson(join(folder, 'adapter_config.json'), config);
      await writeJson(join(folder, 'merge.json'), record);
      await fs.writeFile(join(folder, 'recipe.yml'), step.text);
      await fs.writeFile(join(folder, 'README.md'), `# ${plan.method} of ${plan.sources.filter(title => title !== nothing).length} adapters\n\nMerged by [Heddle](https://www.npmjs.com/package/@heddle/mmt-merge), mode delta.\n\n\`\`\`yaml\n${step.text.trimEnd()}\n\`\`\`\n`); // prettier-ignore
    },
    { replace: (options.replace ?? false) || part },
  );
  const bytes = tensors.reduce((n, tensor) => n + tensor.bytes.length, 0);
  return {
    out,
    method: plan.method,
    tensors: tensors.length,
    bytes: { read: plan.bytes.read, written: bytes, resumed: 0 },
    seconds: (performance.now() - started) / 1000,
    notFinite: 0,
    verified: true,
    files: [{ name: 'adapter_model.safetensors', bytes, digest: digestOf(tensors.map(({ name }) => name)) }],
    notices: [
      ...plan.notices,
      ...(options.engine ? [{ kind: 'engine' as const, subject: options.engine.backend.name, message: `${sums!.done} of ${plan.tensors.length} differences are summed by it, the others on the processor: an engine takes weighted sums of adapters of one rank` }] : []), // prettier-ignore
      { kind: 'tokens', subject: 'rank', message: `what the rank leaves out: ${percent(distances.truncation.mean)} of the length of the differences on the average, ${percent(distances.truncation.worst)} at worst` }, // prettier-ignore
      ...(distances.factorWise === null ? [] : [factorNotice(distances.factorWise)]),
    ],
    distances,
  };
}

const spread = (all: readonly number[]): { readonly mean: number; readonly worst: number } => ({
  mean: all.reduce((sum, x) => sum + x / all.length, 0),
  worst: Math.max(0, ...all),
});

/** Null where PEFT would refuse, too: ranks differ, weights are negative, or the method is none of its own. */
function factorWise(
  tensor: TensorPlan,
  own: readonly AdaptedSource[],
  plan: MergePlan,
): { readonly a: Float32Array; readonly b: Float32Array } | null {
  if (!Object.hasOwn(factorMethods, tensor.method) || own.length !== tensor.models.length) return null;
  const weights = tensor.each.map(values => values['weight'] ?? 1);
  const shapes = new Set(own.map(({ left, right }) => `${left.shape.join()} ${right.shape.join()}`));
  if (shapes.size > 1 || weights.some((w, i) => w * own[i]!.scale < 0) || own.some(({ transposed }) => transposed))
    return null;
  const files = openFiles();
  try {
    const common = {
      method: tensor.method,
      factors: weights.map((w, i) => Math.sqrt(w * own[i]!.scale)),
      densities: tensor.each.map(values => values['density'] ?? 1),
      seed: plan.seed,
    };
    const side = (name: 'left' | 'right'): Float32Array =>
      mergeFactors({
        ...common,
        tensors: own.map(source => readFactor(source[name], files)),
        stream: streamOf(`${tensor.name} ${name}`),
      });
    return { b: side('left'), a: side('right') };
  } finally {
    files.close();
  }
}

/** Scale 1: alpha is the rank. Modules of another rank than most are listed. */
export function configOf(
  first: Checkpoint,
  ranks: ReadonlyMap<string, number>,
  saved: readonly string[],
): Readonly<Record<string, Json>> {
  const before = first.adapter?.config.json ?? {};
  const counts = new Map<number, number>();
  for (const rank of ranks.values()) counts.set(rank, (counts.get(rank) ?? 0) + 1);
  const rank = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 1;
  const others = Object.fromEntries([...ranks].filter(([, own]) => own !== rank));
  const targets = [...new Set([...ranks.keys()].map(path => path.split('.').at(-1)!))].sort();
  return {
    ...before,
    peft_type: 'LORA',
    task_type: before['task_type'] ?? 'CAUSAL_LM',
    inference_mode: true,
    r: rank,
    lora_alpha: rank,
    use_rslora: false,
    use_dora: false,
    fan_in_fan_out: before['fan_in_fan_out'] === true,
    lora_dropout: 0,
    bias: 'none',
    target_modules: targets,
    rank_pattern: others,
    alpha_pattern: others,
    modules_to_save: saved.length === 0 ? null : [...new Set(saved.map(path => path.split('.').at(-1)!))],
  };
}
