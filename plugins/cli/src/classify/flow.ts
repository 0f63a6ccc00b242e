/** Classification of brain networks as a pipeline: every model on every split of the subjects, each a stage that is found again. */

import {
  adamW,
  bind,
  classification,
  countParameters,
  fail,
  initialise,
  MODELS,
  parameterTypes,
  pipeline,
  schedule,
  stageWith,
  trace,
  trainWithin,
  type Backend,
  type ClassifierModel,
  type Flow,
  type Host,
  type HostTensor,
  type TensorType,
  type Types,
} from '@heddle/core';
import { splitSubjects, subjectBatches, type Subject } from '@heddle/connectome';
import { auroc, classificationScores, confusion } from '@heddle/eval-text';
import { partsOf } from '@heddle/transformer';
import { expectKind } from '../model.js';
import { ofEqualSize } from '../tasks/equal-size.js';
import { taskModels, type TaskModel } from '../tasks/settings.js';
import { unfinishedStage } from '../unfinished.js';
import type { ClassifySettings } from './settings.js';

/** Of the subjects that nobody learnt from. */
export interface SplitResult {
  readonly model: TaskModel;
  readonly split: number;
  readonly parameters: number;
  readonly subjects: number;
  readonly accuracy: number;
  readonly auroc: number;
  readonly macroF1: number;
  readonly mcc: number;
}

/** Steps between two checkpoints. */
const saveEvery = 50;

export const stageName = (model: TaskModel, split: number): string => `${model}, split ${split}`;

export function classifyFlow(
  host: Host,
  backend: Backend,
  settings: ClassifySettings,
  subjects: readonly Subject[],
  { data, folder }: { /** Names the subjects. */ readonly data: string; readonly folder: string },
): Flow<null, readonly SplitResult[]> {
  const { models, splits, steps, batch, width, depth, rate, seed } = settings;
  const regions = Math.round(Math.sqrt(subjects[0]!.matrix.length));
  const built = Object.fromEntries(models.map(name => [name, modelOf(host, settings, name, regions)]));
  const one = (name: TaskModel, split: number) =>
    stageWith<null, SplitResult>(
      stageName(name, split),
      () => ({ name, split, steps, batch, width, depth, rate, seed, data, model: built[name]!.config as never }),
      async (_, context) => {
        const model = built[name]!;
        const parts = splitSubjects(subjects, { seed: seed + split });
        const { parameters, whole, step } = await trainWithin(
          {
            name: stageName(name, split),
            model,
            objective: classification(),
            optimizer: adamW({ weightDecay: 0.01 }),
            schedule: schedule.cosine(rate, { warmUp: Math.ceil(steps / 10), total: steps }),
            data: subjectBatches(parts.train, { batch, seed: seed + split }),
            backend,
            kernels: host.kernels,
            steps,
            seed: seed + split,
            clip: 1,
            initial: initialise(model, seed + split),
          },
          context,
          { at: { store: unfinishedStage(folder, context.key), every: saveEvery } },
        );
        if (!whole)
          fail('E_DATA', `${stageName(name, split)}: expected ${steps} steps, ended after ${step}.`, { step });
        const found = await scoresOf(host, backend, model, parameters, parts.test, batch);
        return { model: name, split, parameters: countParameters(model), subjects: parts.test.length, ...found };
      },
    );
  const stages = models.flatMap(name => Array.from({ length: splits }, (_, split) => [stageName(name, split), one(name, split)] as const)); // prettier-ignore
  return pipeline('classify')
    .thenAll(Object.fromEntries(stages))
    .then(
      stageWith<Readonly<Record<string, SplitResult>>, readonly SplitResult[]>(
        'table',
        () => null,
        async found => Object.values(found),
      ),
    ) as Flow<null, readonly SplitResult[]>;
}

/** Each class by its probability, batch by batch. */
async function scoresOf(
  host: Host,
  backend: Backend,
  model: ClassifierModel,
  parameters: Readonly<Record<string, HostTensor>>,
  subjects: readonly Subject[],
  batch: number,
): Promise<Pick<SplitResult, 'accuracy' | 'auroc' | 'macroF1' | 'mcc'>> {
  const batches = subjectBatches(subjects, { batch, shuffle: false, epochs: 1 });
  const types = parameterTypes(model);
  const names = Object.keys(types);
  const { features } = batches.types;
  const tokens: TensorType = { dtype: 'f32', shape: features.shape.slice(0, 2) };
  const inputs: Types = { ...Object.fromEntries(names.map(name => [`params.${name}`, types[name]!])), features, tokenMask: tokens }; // prettier-ignore
  const graph = trace(inputs, given => {
    const params = Object.fromEntries(names.map(name => [name, given[`params.${name}`]!]));
    const logits = bind(model, params, { training: false })(given['features']!, given['tokenMask']!);
    return {
      lead: logits
        .slice(1, 1, 2)
        .sub(logits.slice(1, 0, 1))
        .reshape(batch),
    };
  });
  const constants = Object.fromEntries(names.map(name => [`params.${name}`, parameters[name]!]));
  const executable = await backend.compile(graph, { name: 'classify', constants, kernels: host.kernels });
  const tokenMask: HostTensor = { ...tokens, dtype: 'f32', data: new Float32Array(batch * features.shape[1]!).fill(1) };
  const [lead, labels]: [number[], number[]] = [[], []];
  try {
    for (let found = await batches.next(); found !== null; found = await batches.next()) {
      const { outputs } = await executable.run({ features: found.batch.features, tokenMask });
      for (const [row, id] of found.ids.entries()) {
        if (id === null) continue;
        lead.push(outputs['lead']!.data[row]!);
        labels.push(found.batch.labels.data[row]!);
      }
    }
  } finally {
    await executable.close();
    await batches.close();
  }
  const { accuracy, macroF1, mcc } = classificationScores(confusion(lead.map(x => String(x > 0 ? 1 : 0)), labels.map(String))); // prettier-ignore
  return { accuracy, macroF1, mcc, auroc: auroc(lead, labels.map(label => label === 1)) }; // prettier-ignore
}

function modelOf(
  host: Host,
  { width, depth, models }: ClassifySettings,
  name: TaskModel,
  regions: number,
): ClassifierModel {
  const make = (of: TaskModel, more: Readonly<Record<string, number>> = {}): ClassifierModel => {
    const config = { features: regions, length: regions, classes: 2, width, depth, heads: 4, dropout: 0.1 };
    const made = host.find(MODELS, 'classifier').create({ ...config, ...taskModels[of], ...more }, partsOf(host));
    return expectKind(made, 'classifier');
  };
  return ofEqualSize(name, models, make);
}
