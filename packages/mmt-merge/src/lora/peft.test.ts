/** Adapters in folders: as they were, as PEFT and the merge engine read them, refused where they do not fit. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { affine, countParameters, defineLayer, linear, param, uniforms, zeros, type HostTensor } from '@heddle/core';
import { openTensors } from '@heddle/core/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countLora, linearShapes, type LoraOptions } from './lora.js';
import { loadLora, saveLora } from './peft.node.js';

const model = defineLayer({
  name: 'pair',
  params: { up: linear(3, 5), down: affine(5, 2) },
  apply: () => null,
});
const drawn = (rank: number, seed: number): Record<string, HostTensor> => {
  const draw = uniforms(seed, 2);
  const tensor = (...shape: number[]): HostTensor => ({ dtype: 'f32', shape, data: Float32Array.from({ length: shape[0]! * shape[1]! }, () => draw() - 0.5) }); // prettier-ignore
  return {
    'up.loraA': tensor(3, rank),
    'up.loraB': tensor(rank, 5),
    'down.loraA': tensor(5, rank),
    'down.loraB': tensor(rank, 2),
  };
};
const options: LoraOptions = { rank: 2, alpha: 6, dropout: 0.05 };

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'lora-'))));
afterAll(() => rm(folder, { recursive: true }));

describe('an adapter in a folder', () => {
  it('comes back as it was, with what it is an adapter of', async () => {
    const place = join(folder, 'own');
    await saveLora(place, drawn(2, 1), options, 'base/abc');
    expect((await readdir(place)).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    const { adapter, config, base } = await loadLora(place, linearShapes(model));
    expect(adapter).toEqual(drawn(2, 1));
    expect({ ...config, layers: config.layers!.toSorted() }).toEqual({
      rank: 2,
      alpha: 6,
      dropout: 0.05,
      layers: ['down', 'up'],
    });
    expect(base).toBe('base/abc');
    await expect(saveLora(place, drawn(2, 2), options, 'other')).rejects.toMatchObject({ code: 'E_EXISTS' });
  });

  it("has PEFT's names, shapes and settings", async () => {
    const place = join(folder, 'peft');
    await saveLora(place, drawn(2, 1), options, 'b');
    const file = await openTensors(join(place, 'adapter_model.safetensors'));
    expect(Object.fromEntries(file.entries.map(({ name, shape }) => [name, shape]))).toEqual({
      'base_model.model.up.lora_A.weight': [2, 3],
      'base_model.model.up.lora_B.weight': [5, 2],
      'base_model.model.down.lora_A.weight': [2, 5],
      'base_model.model.down.lora_B.weight': [2, 2],
    });
    await file.close();
    const config = JSON.parse(await readFile(join(place, 'adapter_config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ peft_type: 'LORA', r: 2, lora_alpha: 6, lora_dropout: 0.05, bias: 'none', fan_in_fan_out: true, target_modules: ['up', 'down'] }); // prettier-ignore
  });

  it('of another model, rank or kind is refused by name', async () => {
    const place = join(folder, 'wrong');
    await saveLora(place, drawn(2, 1), options, 'b');
    const codes = async (layers: Parameters<typeof loadLora>[1]) => loadLora(place, layers).catch((error: Error & { code: string }) => `${error.code} ${error.message}`); // prettier-ignore
    expect(await codes({ up: { from: 3, to: 5 } })).toMatch(
      /^E_ADAPTER.*down: expected one of the model's linear layers/,
    );
    expect(await codes({ up: { from: 3, to: 4 }, down: { from: 5, to: 2 } })).toMatch(
      /^E_ADAPTER.*up: .*lora_B \[4, rank\]/,
    );
    const config = join(place, 'adapter_config.json');
    const json = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>;
    await writeFile(config, JSON.stringify({ ...json, alpha_pattern: { down: 1 } }));
    expect(await codes(linearShapes(model))).toMatch(/^E_ADAPTER.*down: expected rank 2 and alpha 6 in all layers/);
    await writeFile(config, JSON.stringify({ ...json, peft_type: 'IA3' }));
    expect(await codes(linearShapes(model))).toMatch(/^E_ADAPTER.*peft_type/);
    await rm(config);
    expect(await codes(linearShapes(model))).toMatch(/^E_ADAPTER.*adapter_config.json/);
  });
});

/** LLaMA-2-13B by its shapes; nothing is made of that size. */
function llama(width: number, hidden: number, depth: number, vocabulary: number) {
  const matrix = (from: number, to: number) => linear(from, to);
  const block = () =>
    defineLayer({
      name: 'block',
      params: {
        query: matrix(width, width), key: matrix(width, width), value: matrix(width, width), output: matrix(width, width),
        gate: matrix(width, hidden), up: matrix(width, hidden), down: matrix(hidden, width),
        first: param([width], zeros), second: param([width], zeros),
      },
      apply: () => null,
    }); // prettier-ignore
  return defineLayer({
    name: 'llama',
    params: { embed: param([vocabulary, width], zeros), blocks: Array.from({ length: depth }, block), norm: param([width], zeros), head: linear(width, vocabulary) },
    apply: () => null,
  }); // prettier-ignore
}

describe('numbers of the paper', () => {
  const thirteen = llama(5120, 13_824, 40, 32_000);

  it('are those of LLaMA-2-13B and of an adapter on its seven matrices', () => {
    expect(countParameters(thirteen)).toBe(13_015_864_320);
    expect(countLora(thirteen, { rank: 1 })).toBe(3_911_680);
    expect(countLora(thirteen, { rank: 512 })).toBe(2_002_780_160);
  });

  it('come to 29 and 17 billion: eight modules of rank 512, sixteen of rank 64', () => {
    expect(countParameters(thirteen) + 8 * countLora(thirteen, { rank: 512 })).toBe(29_038_105_600);
    expect(countParameters(thirteen) + 16 * countLora(thirteen, { rank: 64 })).toBe(17_021_424_640);
    expect(countParameters(thirteen) + 8 * countLora(thirteen, { rank: 128 })).toBe(17_021_424_640);
  });
});
