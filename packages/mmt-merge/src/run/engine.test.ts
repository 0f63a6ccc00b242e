/** Merges whose arithmetic an engine does give what the processor's loops give. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost, openReference, type Backend } from '@heddle/core';
import { openTensors } from '@heddle/core/node';
import gpujs, { openGpujs } from '@heddle/backend-gpujs';
import { afterAll, describe, expect, it } from 'vitest';
import { decoder, temporary, writeModel } from '../../fixtures/models.js';
import kernels from '../gpujs.js';
import merge from '../index.js';
import type { Recipe } from '../recipe/recipe.js';
import { mergeModels, type MergeOptions } from './merge.node.js';

const folder = temporary();
for (const seed of [0, 1, 2, 3])
  writeModel(join(folder, `m${seed}`), decoder(seed + 1), { config: { num_hidden_layers: 3, vocab_size: 8 } });
const host = createHost({ plugins: [gpujs, merge, kernels] });
const chosen = new Set<string>();
const engines: readonly (readonly [string, Promise<Backend>])[] = [
  ['reference', Promise.resolve(openReference())],
  [
    'gpujs:webasm',
    openGpujs({ mode: 'webasm', onEvent: event => event.type === 'kernel.chosen' && chosen.add(event.op) }),
  ],
];
afterAll(async () => {
  for (const [, backend] of engines) await (await backend).close();
  await host.close();
});

let count = 0;
async function run(recipe: Recipe, options: Partial<MergeOptions> = {}) {
  const out = join(folder, `out-${count++}`);
  const [report] = await mergeModels(recipe, { out, from: folder, threads: 0, ...options });
  const file = await openTensors(out);
  const tensors = new Map<string, number[]>();
  for (const { name } of file.entries) tensors.set(name, [...(await file.load(name)).data]);
  await file.close();
  return { out, tensors, notices: report!.notices.filter(({ kind }) => kind === 'engine') };
}

const tuned = (parameters: Readonly<Record<string, number>>) =>
  [1, 2, 3].map(i => ({ model: `m${i}`, parameters: { weight: 0.25 * i, ...parameters } }));
const recipes: Readonly<Record<string, Recipe>> = {
  linear: { merge_method: 'linear', models: tuned({}) },
  ties: { merge_method: 'ties', base_model: 'm0', models: tuned({ density: 0.5 }) },
  dare_ties: { merge_method: 'dare_ties', base_model: 'm0', models: tuned({ density: 0.6 }), seed: 3 },
  slerp: { merge_method: 'slerp', base_model: 'm0', models: [{ model: 'm1' }], parameters: { t: 0.3 } },
  model_stock: { merge_method: 'model_stock', base_model: 'm0', models: tuned({}) },
};

describe.each(engines)('on %s', (_, opening) => {
  it.each(Object.entries(recipes))('%s', async (name, recipe) => {
    const backend = await opening;
    const own = await run(recipe);
    const { tensors, notices } = await run(recipe, { engine: { backend, kernels: host.kernels } });
    expect(notices).toEqual([]);
    expect([...tensors.keys()]).toEqual([...own.tensors.keys()]);
    for (const [tensor, data] of own.tensors)
      data.forEach((x, i) => expect(tensors.get(tensor)![i], `${name} ${tensor}[${i}]`).toBeCloseTo(x, 5));
  });

  it('what an engine cannot hold is merged by the processor, and told', async () => {
    const backend = await opening;
    const small: Backend = {
      name: backend.name,
      format: backend.format,
      limits: { ...backend.limits, maxElements: 40 },
      compile: (...args) => backend.compile(...args),
      upload: tensor => backend.upload(tensor),
      download: tensor => backend.download(tensor),
      live: () => backend.live(),
      close: () => backend.close(),
    };
    const own = await run(recipes['ties']!);
    const mixed = await run(recipes['ties']!, { engine: { backend: small, kernels: host.kernels } });
    expect(mixed.notices.map(({ message }) => message)).toEqual([
      "5 of 12 tensors are merged on the processor: an engine's tensor holds at most 40 elements",
    ]);
    for (const [tensor, data] of own.tensors)
      data.forEach((x, i) => expect(mixed.tensors.get(tensor)![i]).toBeCloseTo(x, 5));
    const double = { ...recipes['linear']!, dtypes: { accumulate: 'float64' as const } };
    const { notices } = await run(double, { engine: { backend, kernels: host.kernels } });
    expect(notices[0]!.message).toContain('12 of 12 tensors are merged on the processor: sums in float64');
  });
});

it('the kernels of this package ran', () => {
  expect([...chosen].sort()).toEqual([
    'merge.magnitudeMask',
    'merge.signConsensus',
    'merge.slerp',
    'merge.weightedSum',
  ]);
});

it('a merge that was stopped goes on with the engine that began it, to the same bytes', async () => {
  const backend = await engines[1]![1];
  const engine = { backend, kernels: host.kernels };
  const whole = await run(recipes['dare_ties']!, { engine });
  const stop = new AbortController();
  const out = join(folder, 'stopped');
  let done = 0;
  const stopped = mergeModels(recipes['dare_ties']!, {
    out,
    from: folder,
    engine,
    signal: stop.signal,
    onProgress: () => void (++done === 6 && stop.abort()),
  });
  await expect(stopped).rejects.toThrow();
  const [report] = await mergeModels(recipes['dare_ties']!, { out, from: folder, engine });
  expect(report!.bytes.resumed).toBeGreaterThan(0);
  for (const file of readdirSync(whole.out).filter(name => name.endsWith('.safetensors')))
    expect(readFileSync(join(out, file)).equals(readFileSync(join(whole.out, file)))).toBe(true);
});
