/** A trained model in a folder: `model.safetensors`, `config.json`, `tokenizer.json`. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, parameterTypes, parametersIn, type Host, type HostTensor, type Json, type Model } from '@heddle/core';
import { openSafetensors, widen, writeParameters } from '@heddle/core/files';
import { atomicFolder, checkpointFolder, fileSink, fileSource } from '@heddle/core/node';
import { readTokenizer, saveTokenizer, type Tokenizer } from '@heddle/text';
import { readJsonObject, writeJson } from './json-file.js';
import { createModel } from './model.js';
import { exists, lookAtRun, places } from './run-folder.js';

export interface TrainedModel {
  readonly model: Model;
  readonly parameters: Readonly<Record<string, HostTensor>>;
  readonly tokenizer: Tokenizer;
  /** Where exactly it was found. */
  readonly from: string;
}

const modelFormat = 'heddle-model-1';

/** Writes the folder whole, in place of an older one. @param training what is worth knowing about how it came to be */
export async function saveModel(
  folder: string,
  { model, parameters, tokenizer }: Omit<TrainedModel, 'from'>,
  training: Json,
): Promise<void> {
  await atomicFolder(
    folder,
    async place => {
      const sink = await fileSink(join(place, 'model.safetensors'));
      await writeParameters(sink, parameters, { format: modelFormat });
      await writeJson(join(place, 'config.json'), {
        format: modelFormat,
        architecture: model.architecture,
        config: model.config,
        training,
      });
      await saveTokenizer(join(place, 'tokenizer.json'), tokenizer);
    },
    { replace: true },
  );
}

/**
 * Finds a model in a model folder, in a finished run, or in the newest checkpoint of an unfinished one.
 *
 * @throws E_MODEL when there is none; E_UNKNOWN for an architecture that no plugin has; E_SAFETENSORS
 */
export async function loadModel(host: Host, path: string): Promise<TrainedModel> {
  if (await isFile(join(path, 'model.safetensors'))) return readModel(host, path);
  const { model: inner, checkpoints, tokenizer } = places(path);
  if (await isFile(join(inner, 'model.safetensors'))) return readModel(host, inner);
  const state = (await isFile(join(path, 'config.json'))) ? await lookAtRun(path) : null;
  if (state?.kind === 'run' && state.step !== null) {
    const read = await readTokenizer(tokenizer);
    const model = createModel(host, state.settings, read.vocabularySize);
    const { tensors } = await checkpointFolder(checkpoints).load(state.step);
    return {
      model,
      parameters: matching(model, parametersIn(tensors), path),
      tokenizer: read,
      from: `${checkpoints}, step ${state.step}`,
    };
  }
  const what =
    state === null
      ? (await exists(path))
        ? 'a place without one'
        : 'nothing by this name'
      : 'a run that has no checkpoint yet';
  return fail(
    'E_MODEL',
    `${path}: expected a model (model.safetensors, config.json, tokenizer.json) or the folder of a run, received ${what}. Train one: heddle train --text FILE --out ${path}`,
    { path },
  );
}

async function readModel(host: Host, folder: string): Promise<TrainedModel> {
  const { format, architecture, config } = await readJsonObject(
    join(folder, 'config.json'),
    'the description of a model',
  );
  if (format !== modelFormat || typeof architecture !== 'string') {
    fail(
      'E_MODEL',
      `${join(folder, 'config.json')}: expected format '${modelFormat}' and an architecture, received ${JSON.stringify(format) ?? 'none'}. It was written by another program or version.`,
      { folder, format },
    );
  }
  const tokenizer = await readTokenizer(join(folder, 'tokenizer.json'));
  const model = createModel(
    host,
    { architecture, model: config as Readonly<Record<string, Json>> },
    tokenizer.vocabularySize,
  );
  const file = await openSafetensors(await fileSource(join(folder, 'model.safetensors')));
  try {
    const parameters: Record<string, HostTensor> = {};
    for (const { name } of file.entries) parameters[name] = widen(await file.read(name));
    return { model, parameters: matching(model, parameters, folder), tokenizer, from: folder };
  } finally {
    await file.close();
  }
}

/** Exactly the parameters that the model declares. */
function matching(
  model: Model,
  tensors: Readonly<Record<string, HostTensor>>,
  where: string,
): Readonly<Record<string, HostTensor>> {
  return Object.fromEntries(
    Object.entries(parameterTypes(model)).map(([name, { shape }]) => {
      const tensor = tensors[name];
      if (tensor === undefined || tensor.shape.join() !== shape.join()) {
        const received = tensor === undefined ? 'none' : `[${tensor.shape.join(', ')}]`;
        fail(
          'E_MODEL',
          `${where}: expected tensor ${name} of [${shape.join(', ')}], received ${received}. config.json and the weights are of different models.`,
          { name, shape },
        );
      }
      return [name, tensor];
    }),
  );
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isFile() === true;
