import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openReference, streamOf } from '@heddle/core';
import { openTensors } from '@heddle/core/node';
import { describe, expect, it } from 'vitest';
import { bytesOfModel, numbers, temporary, writeModel, type Tensors } from '../../fixtures/models.js';
import { product, relativeDistance } from '../linear-algebra/svd.js';
import type { Recipe } from '../recipe/recipe.js';
import { extractAdapter } from './extract.node.js';
import { mergeFactors } from './factors.js';
import { mergeModels, type MergeOptions } from './merge.node.js';

const folder = temporary();
const name = 'model.layers.0.self_attn.q_proj';
const [rows, columns] = [6, 5];
const weights = numbers(rows * columns, 1);
writeModel(join(folder, 'base'), {
  [`${name}.weight`]: { shape: [rows, columns], data: weights },
  'model.norm.weight': { shape: [2], data: [1, 2] },
});

interface Adapter {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly scale: number;
}

/** Cut to what bfloat16 holds. */
function bfloat16(data: Float32Array): Float32Array {
  const bits = new Uint32Array(data.slice().buffer);
  return new Float32Array(bits.map(word => word & 0xffff0000).buffer);
}

function adapter(
  title: string,
  rank: number,
  alpha: number,
  seed: number,
  config: Record<string, unknown> = {},
  dtype: 'F32' | 'BF16' = 'F32',
): Adapter {
  const stored = (data: Float32Array): Float32Array => (dtype === 'F32' ? data : bfloat16(data));
  const [a, b] = [stored(numbers(rank * columns, seed)), stored(numbers(rows * rank, seed + 50))];
  const tensors: Tensors = {
    [`base_model.model.${name}.lora_A.weight`]: { shape: [rank, columns], data: a, dtype },
    [`base_model.model.${name}.lora_B.weight`]: { shape: [rows, rank], data: b, dtype },
  };
  mkdirSync(join(folder, title), { recursive: true });
  writeFileSync(join(folder, title, 'adapter_model.safetensors'), bytesOfModel(tensors));
  writeFileSync(
    join(folder, title, 'adapter_config.json'),
    JSON.stringify({ peft_type: 'LORA', r: rank, lora_alpha: alpha, target_modules: ['q_proj'], ...config }),
  );
  return { a, b, scale: config['use_rslora'] === true ? alpha / Math.sqrt(rank) : alpha / rank };
}
const difference = ({ a, b, scale }: Adapter): Float32Array => product(b, a, rows, columns).map(x => x * scale);

const [one, two] = [adapter('one', 2, 4, 11), adapter('two', 2, 2, 22)];
const three = adapter('three', 3, 9, 33, { use_rslora: true });
const loaded = async (path: string, tensor: string): Promise<Float32Array> => {
  const file = await openTensors(path);
  try {
    return (await file.load(tensor)).data as Float32Array;
  } finally {
    await file.close();
  }
};
let count = 0;
const merged = async (recipe: Recipe, options: Partial<MergeOptions> = {}) => {
  const out = join(folder, `out-${count++}`);
  const [report] = await mergeModels(recipe, { out, from: folder, threads: 0, ...options });
  return { out, report: report! };
};
const deltaOf = async (out: string): Promise<Float32Array> => {
  const path = join(out, 'adapter_model.safetensors');
  const { r, lora_alpha: alpha } = JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8')) as {
    r: number;
    lora_alpha: number;
  };
  const [a, b] = [
    await loaded(path, `base_model.model.${name}.lora_A.weight`),
    await loaded(path, `base_model.model.${name}.lora_B.weight`),
  ];
  return product(b, a, rows, columns).map(x => (x * alpha) / r);
};

describe('an adapter on a model', () => {
  it.each([['one', one], ['three', three]] as const)('reads as the model with the difference added: %s', async (title, own) => {
    const { out } = await merged({ merge_method: 'passthrough', models: [{ model: `base+${title}` }] });
    const found = await loaded(join(out, 'model.safetensors'), `${name}.weight`);
    const expected = difference(own).map((x, i) => x + weights[i]!);
    expect(relativeDistance(expected, found)).toBeLessThan(1e-6);
    expect([...(await loaded(join(out, 'model.safetensors'), 'model.norm.weight'))]).toEqual([1, 2]);
  }); // prettier-ignore

  it('that does not belong to it is refused', async () => {
    writeModel(join(folder, 'other'), { 'x.weight': { shape: [2], data: [1, 2] } });
    await expect(merged({ merge_method: 'passthrough', models: [{ model: 'other+one' }] })).rejects.toMatchObject({
      code: 'E_ADAPTER',
    });
    await expect(
      merged({
        merge_method: 'linear',
        models: [
          { model: 'one', parameters: { weight: 1 } },
          { model: 'base', parameters: { weight: 1 } },
        ],
      }),
    ).rejects.toMatchObject({ code: 'E_RECIPE' });
  });
});

describe('adapters merged to an adapter', () => {
  const sum: Recipe = {
    merge_method: 'task_arithmetic',
    models: [
      { model: 'one', parameters: { weight: 0.5 } },
      { model: 'two', parameters: { weight: 2 } },
    ],
  };
  const expected = difference(one).map((x, i) => 0.5 * x + 2 * difference(two)[i]!);

  it('by differences, exact where the rank allows it', async () => {
    const { out, report } = await merged(sum);
    expect(relativeDistance(expected, await deltaOf(out))).toBeLessThan(1e-5);
    expect(report.distances!.truncation.worst).toBeLessThan(1e-5);
    expect(report.distances!.factorWise!.worst).toBeGreaterThan(0.1); // the other way is another result
  });

  it('by an engine where they are weighted sums, which the report says', async () => {
    const backend = openReference();
    const noticed = async (recipe: Recipe, message: RegExp): Promise<string> => {
      const { out, report } = await merged(recipe, { engine: { backend } });
      expect(report.notices).toContainEqual(expect.objectContaining({ kind: 'engine', subject: 'reference', message: expect.stringMatching(message) as string })); // prettier-ignore
      return out;
    };
    expect(relativeDistance(expected, await deltaOf(await noticed(sum, /^1 of 1/)))).toBeLessThan(1e-5);
    const models = sum.models!.map(({ model, parameters }) => ({ model, parameters: { weight: parameters!['weight'] as number } })); // prettier-ignore
    const mean = expected.map(x => x / 2.5);
    expect(relativeDistance(mean, await deltaOf(await noticed({ merge_method: 'linear', models }, /^1 of 1/)))).toBeLessThan(1e-5); // prettier-ignore
    // No sum, and no one rank.
    await noticed({ ...sum, merge_method: 'ties' }, /^0 of 1/);
    await noticed({ ...sum, models: [...models, { model: 'three', parameters: { weight: 1 } }] }, /^0 of 1/);
    await backend.close();
    expect((await merged(sum)).report.notices.some(({ kind }) => kind === 'engine')).toBe(false);
  });

  it('as differences that are added to the model: the same as merging the models', async () => {
    const models: Recipe = { merge_method: 'ties', base_model: 'base', models: [{ model: 'base+one', parameters: { weight: 1, density: 0.5 } }, { model: 'base+two', parameters: { weight: 0.5, density: 0.5 } }] };
    const adapters: Recipe = { merge_method: 'ties', base_model: 'base', models: [{ model: 'one', parameters: { weight: 1, density: 0.5 } }, { model: 'two', parameters: { weight: 0.5, density: 0.5 } }], adapters: { mode: 'delta', rank: 5 } };
    const whole = await loaded(join((await merged(models)).out, 'model.safetensors'), `${name}.weight`);
    const delta = await deltaOf((await merged(adapters)).out);
    expect(relativeDistance(whole, delta.map((x, i) => x + weights[i]!))).toBeLessThan(1e-4);
  }); // prettier-ignore

  it('of different ranks, cut to a rank, with the loss told', async () => {
    const models = [
      { model: 'one', parameters: { weight: 1 } },
      { model: 'three', parameters: { weight: 1 } },
    ];
    const { report } = await merged({ merge_method: 'task_arithmetic', models, adapters: { mode: 'delta', rank: 2 } });
    expect(report.distances!.truncation.worst).toBeGreaterThan(0.01);
    await expect(
      merged({ merge_method: 'task_arithmetic', models, adapters: { mode: 'factors' } }),
    ).rejects.toMatchObject({ code: 'E_ADAPTER' });
  });

  it('factor by factor, as PEFT does', async () => {
    const { out } = await merged({ ...sum, adapters: { mode: 'factors' } });
    const c = [Math.sqrt(0.5 * one.scale), Math.sqrt(2 * two.scale)];
    const mix = (x: Float32Array, y: Float32Array): Float32Array => x.map((value, i) => c[0]! * value + c[1]! * y[i]!);
    expect(
      relativeDistance(product(mix(one.b, two.b), mix(one.a, two.a), rows, columns), await deltaOf(out)),
    ).toBeLessThan(1e-5);
  });

  it.each(['linear', 'task_arithmetic', 'ties', 'dare_linear', 'dare_ties'])(
    'factor by factor by %s: in pieces, over threads and at once, adapters stored turned or not',
    async method => {
      const densities = [0.4, 0.7];
      for (const [turnedLayers, dtype] of [
        [false, 'F32'],
        [true, 'F32'],
        [false, 'BF16'],
      ] as const) {
        // prettier-ignore
        const config = { fan_in_fan_out: turnedLayers, use_rslora: false };
        const [x, y] = [
          adapter(`x ${method}`, 2, 4, 11, config, dtype),
          adapter(`y ${method}`, 2, 2, 22, config, dtype),
        ];
        const names = [`x ${method}`, `y ${method}`];
        const parameters = (i: number) => ({ weight: [0.5, 2][i]!, ...(/linear|arithmetic/.test(method) && !method.startsWith('dare') ? {} : { density: densities[i]! }) }); // prettier-ignore
        const recipe = { merge_method: method, models: names.map((model, i) => ({ model, parameters: parameters(i) })), adapters: { mode: 'factors' }, seed: 3, out_dtype: 'float32' } as Recipe; // prettier-ignore
        const here = await merged(recipe);
        const files = await Promise.all([here, await merged(recipe, { threads: 2 })].map(({ out }) => readFile(join(out, 'adapter_model.safetensors')))); // prettier-ignore
        expect(files[1]!.equals(files[0]!)).toBe(true);
        const side = (tensors: readonly Float32Array[], stream: string): Float32Array =>
          mergeFactors({
            method,
            tensors,
            factors: [Math.sqrt(0.5 * x.scale), Math.sqrt(2 * y.scale)],
            densities,
            seed: 3,
            stream: streamOf(`${name}.weight ${stream}`),
          });
        const path = join(here.out, 'adapter_model.safetensors');
        const near = (found: Float32Array, expected: Float32Array): void => expect(relativeDistance(expected, found)).toBeLessThan(1e-6); // prettier-ignore
        near(await loaded(path, `base_model.model.${name}.lora_A.weight`), side([x.a, y.a], turnedLayers ? 'left' : 'right')); // prettier-ignore
        near(await loaded(path, `base_model.model.${name}.lora_B.weight`), side([x.b, y.b], turnedLayers ? 'right' : 'left')); // prettier-ignore
        expect(JSON.parse(readFileSync(join(here.out, 'adapter_config.json'), 'utf8'))).toMatchObject({ r: 2, lora_alpha: 2, fan_in_fan_out: turnedLayers, target_modules: ['q_proj'] }); // prettier-ignore
      }
    },
  );

  it('factor by factor by what PEFT has not is refused', async () => {
    await expect(
      merged({ ...sum, merge_method: 'sce', base_model: 'base', adapters: { mode: 'factors' } }),
    ).rejects.toMatchObject({ code: 'E_ADAPTER', message: expect.stringContaining('received sce') as string });
  });

  it('factor by factor with ties: worked out by hand', () => {
    const tensors = [Float32Array.of(3, -1, 0.5, 0), Float32Array.of(-2, -4, 0.25, 1)];
    const common = { tensors, factors: [1, 2], densities: [0.5, 0.5], seed: 0, stream: 0 };
    // Kept: [3, -1, 0, 0] and [-2, -4, 0, 0]; signs +, -, +, +; means over those who agree.
    expect([...mergeFactors({ ...common, method: 'ties' })]).toEqual([3, (-1 - 8) / 2, 0, 0]);
    expect([...mergeFactors({ ...common, method: 'linear' })]).toEqual([-1, -9, 1, 2]);
  });
});

it('an adapter is extracted from two models and gives the second one back', async () => {
  const { out: tuned } = await merged({ merge_method: 'passthrough', models: [{ model: 'base+one' }] });
  const report = await extractAdapter({ base: 'base', model: tuned, out: join(folder, 'extracted'), from: folder });
  expect(report.modules).toEqual([{ path: name, rank: 2, lost: expect.closeTo(0, 5) as number }]);
  expect(relativeDistance(difference(one), await deltaOf(join(folder, 'extracted')))).toBeLessThan(1e-5);
  const { out } = await merged({ merge_method: 'passthrough', models: [{ model: 'base+extracted' }] });
  const again = await loaded(join(out, 'model.safetensors'), `${name}.weight`);
  expect(relativeDistance(await loaded(join(tuned, 'model.safetensors'), `${name}.weight`), again)).toBeLessThan(1e-5);
});
