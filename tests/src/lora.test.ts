/** Adapters of mmt-merge on the models of others: over a cache they decode what the folded model decodes, whatever the parts. */

import { createHost, initialise, openReference, uniforms, type HostTensor } from '@heddle/core';
import emha from '@heddle/attention-emha';
import partial from '@heddle/ffn-partial';
import { adaptedLayers, foldLora, isLoraPath, loraConfig, loraOf, withLora } from '@heddle/mmt-merge';
import transformer, { createDecoder, createProgram, openSession, partsOf } from '@heddle/transformer';
import { expect, it } from 'vitest';

const shape = { vocabulary: 17, length: 24, width: 16, depth: 2, heads: 2 };
const parts = {
  plain: {},
  emha: { attention: 'emha' },
  partial: { attention: 'partial', ffn: 'none' },
} as const;

it.each(Object.entries(parts))('of a decoder with %s parts', async (_, own) => {
  const host = createHost({ plugins: [transformer, emha, partial] });
  const base = createDecoder({ ...shape, ...own }, partsOf(host));
  const lora = { rank: 2 };
  expect(adaptedLayers(base, loraConfig(lora)).size).toBeGreaterThan(0);
  const model = withLora(base, lora);
  const draw = uniforms(3, 1);
  const parameters = Object.fromEntries(
    Object.entries(initialise(model, 1)).map(([path, t]) => [path, { ...t, data: Float32Array.from(t.data, x => x + 0.4 * (draw() - 0.5)) }]),
  ) as Record<string, HostTensor>; // prettier-ignore
  const weights = Object.fromEntries(Object.entries(parameters).filter(([path]) => !isLoraPath(path)));
  const backend = openReference();
  const decoded = async (of: typeof base, params: Readonly<Record<string, HostTensor>>): Promise<readonly number[]> => {
    const program = createProgram({ model: of, params, backend }, 1, 12);
    const session = await openSession(program, [4]);
    const path = session.open(0);
    const logits: number[] = [];
    for (const ids of [[1, 2, 3, 4], [5], [6]]) logits.push(...(await session.feed([{ path, ids }]))[0]!.logits);
    await session.close();
    await program.close();
    return logits;
  };
  const beside = await decoded(model, parameters);
  const within = await decoded(base, foldLora(weights, loraOf(parameters), lora));
  const without = await decoded(base, weights);
  for (const [i, x] of beside.entries()) expect(Math.abs(x - within[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(x)));
  expect(beside.some((x, i) => Math.abs(x - without[i]!) > 1e-2)).toBe(true);
  await backend.close();
  await host.close();
});
