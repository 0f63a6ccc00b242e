/** Weights and traces as artifacts. */

import { fail, parameterTypes, type Artifacts, type DecoderModel } from '@heddle/core';
import { bytesOf, openSafetensors, widen, writeSafetensors } from '@heddle/core/files';
import type { Trace } from './gather.js';
import type { Weights } from './workbench.js';

export const writeWeights = (artifacts: Artifacts, name: string, weights: Weights): Promise<string> =>
  artifacts.write(`${name}.safetensors`, sink =>
    writeSafetensors(
      sink,
      Object.entries(weights).map(([path, { shape, data }]) => ({ name: path, dtype: 'F32' as const, shape, bytes: bytesOf(data) })), // prettier-ignore
    ),
  );

/** @throws E_MODEL when they are of another model */
export async function readWeights(artifacts: Artifacts, uri: string, model: DecoderModel): Promise<Weights> {
  const file = await openSafetensors(await artifacts.open(uri));
  try {
    const found: Record<string, Weights[string]> = {};
    for (const [path, { shape }] of Object.entries(parameterTypes(model))) {
      const entry = file.entries.find(({ name }) => name === path);
      if (entry?.shape.join() !== shape.join())
        fail('E_MODEL', `${uri}: expected ${path} of [${shape.join(', ')}], received ${entry ? `[${entry.shape.join(', ')}]` : 'none'}. The weights are of another model.`, { path }); // prettier-ignore
      found[path] = widen(await file.read(path));
    }
    return found;
  } finally {
    await file.close();
  }
}

export const writeTraces = (artifacts: Artifacts, name: string, traces: readonly Trace[]): Promise<string> =>
  artifacts.put(`${name}.jsonl`, new TextEncoder().encode(traces.map(trace => `${JSON.stringify(trace)}\n`).join('')));

/** Written by `writeTraces`, and named by its content. */
export async function readTraces(artifacts: Artifacts, uri: string): Promise<readonly Trace[]> {
  const text = new TextDecoder().decode(await (await artifacts.open(uri)).bytes());
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Trace); // prettier-ignore
}
