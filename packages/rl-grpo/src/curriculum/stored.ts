/** Weights and traces as artifacts. */

import { parameterTypes, type Artifacts, type DecoderModel } from '@heddle/core';
import { readParameters, writeParameters } from '@heddle/core/files';
import type { Trace } from './gather.js';
import type { Weights } from './workbench.js';

export const writeWeights = (artifacts: Artifacts, name: string, weights: Weights): Promise<string> =>
  artifacts.write(`${name}.safetensors`, sink => writeParameters(sink, weights));

/** @throws E_MODEL when they are of another model */
export const readWeights = async (artifacts: Artifacts, uri: string, model: DecoderModel): Promise<Weights> =>
  readParameters(await artifacts.open(uri), parameterTypes(model));

export const writeTraces = (artifacts: Artifacts, name: string, traces: readonly Trace[]): Promise<string> =>
  artifacts.put(`${name}.jsonl`, new TextEncoder().encode(traces.map(trace => `${JSON.stringify(trace)}\n`).join('')));

/** Written by `writeTraces`, and named by its content. */
export async function readTraces(artifacts: Artifacts, uri: string): Promise<readonly Trace[]> {
  const text = new TextDecoder().decode(await (await artifacts.open(uri)).bytes());
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Trace); // prettier-ignore
}
