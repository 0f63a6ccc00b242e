/**
 * Adapters in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors` with `lora_A` [rank, from] and `lora_B`
 * [to, rank]. Our weights are [from, to], which PEFT calls `fan_in_fan_out`.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, type HostTensor } from '@heddle/core';
import { widen, writeParameters } from '@heddle/core/files';
import { atomicFolder, fileSink, openTensors } from '@heddle/core/node';
import { adapterModules, readAdapterConfig, scaleOf } from '../checkpoint/adapter.js';
import { jsonAt } from '../checkpoint/open.node.js';
import { turned } from '../linear-algebra/svd.js';
import { layersIn, loraConfig, type LoraConfig, type LoraOptions, type Parameters } from './lora.js';

export interface SavedLora {
  /** A and B by path, as `withLora` names them. */
  readonly adapter: Record<string, HostTensor>;
  readonly config: LoraConfig;
  /** What the adapter was trained on, as it was saved; null where nobody said. */
  readonly base: string | null;
}

const prefix = 'base_model.model.';

/**
 * Writes a folder, whole or not at all.
 *
 * @param base name of the model under it, such as its hash: `loadLora` gives it back
 * @throws E_ADAPTER for an adapter without layers
 */
export async function saveLora(folder: string, adapter: Parameters, options: LoraOptions, base: string): Promise<void> {
  const config = loraConfig(options);
  const layers = layersIn(adapter);
  if (layers.length === 0)
    fail('E_ADAPTER', `${folder}: expected an adapter with at least one layer, received none. Give what \`loraOf\` gives.`, { folder }); // prettier-ignore
  await atomicFolder(folder, async place => {
    const tensors = layers.flatMap(path => [
      [`${prefix}${path}.lora_A.weight`, turnedTensor(adapter[`${path}.loraA`]!)] as const,
      [`${prefix}${path}.lora_B.weight`, turnedTensor(adapter[`${path}.loraB`]!)] as const,
    ]);
    const sink = await fileSink(join(place, 'adapter_model.safetensors'));
    await writeParameters(sink, Object.fromEntries(tensors), { format: 'pt' });
    const json = {
      peft_type: 'LORA',
      task_type: null,
      base_model_name_or_path: base,
      r: config.rank,
      lora_alpha: config.alpha,
      lora_dropout: config.dropout,
      target_modules: layers,
      bias: 'none',
      fan_in_fan_out: true,
      inference_mode: true,
    };
    await writeFile(join(place, 'adapter_config.json'), `${JSON.stringify(json, null, 2)}\n`);
  });
}

/**
 * Reads an adapter that was saved here or by PEFT.
 *
 * @param layers the linear layers of the model it is for, as `linearShapes` gives them
 * @throws E_ADAPTER for what is no LoRA, for layers that the model lacks or of other shapes, and for more than one rank or scale
 */
export async function loadLora(
  folder: string,
  layers: Readonly<Record<string, { readonly from: number; readonly to: number }>>,
): Promise<SavedLora> {
  const place = join(folder, 'adapter_config.json');
  const json = await jsonAt(place);
  if (json === null)
    return fail('E_ADAPTER', `${folder}: expected adapter_config.json and adapter_model.safetensors, received no such file. Name the folder of an adapter.`, { folder }); // prettier-ignore
  const config = readAdapterConfig(json, place);
  const file = await openTensors(join(folder, 'adapter_model.safetensors'));
  try {
    const adapter: Record<string, HostTensor> = {};
    const refuse = (path: string, expected: string, received: unknown): never =>
      fail('E_ADAPTER', `${folder}: ${path}: expected ${expected}, received ${JSON.stringify(received)}. It is an adapter of another model.`, { folder, path }); // prettier-ignore
    for (const module of adapterModules(folder, file, config)) {
      const { path } = module;
      if (module.kind === 'saved') return refuse(path, 'factors alone', 'a whole weight');
      const shape = layers[path] ?? refuse(path, `one of the model's linear layers, such as ${Object.keys(layers)[0]}`, 'another'); // prettier-ignore
      const [a, b] = [file.entry(module.a), file.entry(module.b)];
      const [rank] = a.shape;
      if (a.shape.join() !== `${rank},${shape.from}` || b.shape.join() !== `${shape.to},${rank}`)
        refuse(path, `lora_A [rank, ${shape.from}] and lora_B [${shape.to}, rank]`, [a.shape, b.shape]);
      if (
        rank !== config.rank ||
        scaleOf(config, path, rank) !== config.alpha / (config.rootScale ? Math.sqrt(config.rank) : config.rank)
      )
        // prettier-ignore
        refuse(path, `rank ${config.rank} and alpha ${config.alpha} in all layers`, rank);
      const read = async (name: string): Promise<HostTensor> => turnedTensor(widen(await file.read(name)));
      adapter[`${path}.loraA`] = await read(module.a);
      adapter[`${path}.loraB`] = await read(module.b);
    }
    const { base_model_name_or_path: base, lora_dropout: rate } = config.json;
    return {
      adapter,
      config: loraConfig({
        rank: config.rank,
        // The root of the rank is a scale like another.
        alpha: config.rootScale ? config.alpha * Math.sqrt(config.rank) : config.alpha,
        dropout: typeof rate === 'number' ? rate : 0,
        layers: layersIn(adapter),
      }),
      base: typeof base === 'string' ? base : null,
    };
  } finally {
    await file.close();
  }
}

/** @shape [m, n] -> [n, m] */
const turnedTensor = ({ shape: [m, n], data }: HostTensor): HostTensor => ({
  dtype: 'f32',
  shape: [n!, m!],
  data: turned(data, m!, n!),
});
