/** A run of `heddle multilingual` as a translator: the adapter of a direction, folded into the base. */

import { join } from 'node:path';
import { fail, parameterTypes, type Host } from '@heddle/core';
import { readParameters } from '@heddle/core/files';
import { fileSource } from '@heddle/core/node';
import { foldLora, linearShapes, moduleFor, type Routing } from '@heddle/mmt-merge';
import { loadLora } from '@heddle/mmt-merge/node';
import { readJsonObject } from '../json-file.js';
import { loadModel, type TrainedModel } from '../model-folder.js';
import { exists, places } from '../run-folder.js';

const routingOf = (folder: string): string => join(folder, 'routing.json');

export const isRouted = (folder: string): Promise<boolean> => exists(routingOf(folder));

/**
 * @param from what is read, `to` what is written: English on one side
 * @throws E_DIRECTION, E_ROUTE for a direction that no adapter translates; E_ADAPTER for one of another base
 */
export async function loadRouted(host: Host, folder: string, from: string, to: string): Promise<TrainedModel> {
  const { format, base, routing, tuning = 'lora' } = await readJsonObject(routingOf(folder), 'a routing table');
  if (format !== 'heddle-routing-1' || typeof routing !== 'object' || routing === null || Array.isArray(routing))
    fail('E_ROUTE', `${routingOf(folder)}: expected format heddle-routing-1 with directions and their adapters, received ${JSON.stringify(format) ?? 'none'}.`, { folder }); // prettier-ignore
  const module = moduleFor(routing as unknown as Routing, `${from}-${to}`);
  if (typeof module !== 'string' || !/^[\w.-]+$/.test(module))
    fail('E_ROUTE', `${routingOf(folder)}: expected the name of an adapter, received ${JSON.stringify(module)}.`, {
      module,
    });
  const trained = await loadModel(host, places(folder).model);
  if (tuning === 'full') {
    const source = await fileSource(join(folder, 'adapters', `${module}.safetensors`));
    return { ...trained, parameters: await readParameters(source, parameterTypes(trained.model)), from: `${trained.from}, model ${module}` }; // prettier-ignore
  }
  const adapter = await loadLora(join(folder, 'adapters', module), linearShapes(trained.model));
  if (adapter.base !== base)
    fail('E_ADAPTER', `${module}: expected an adapter of the base ${String(base)}, received one of ${String(adapter.base)}. Run heddle multilingual again.`, { module }); // prettier-ignore
  const { rank, alpha } = adapter.config;
  return {
    ...trained,
    parameters: foldLora(trained.parameters, adapter.adapter, { rank, alpha }),
    from: `${trained.from}, adapter ${module}`,
  };
}
