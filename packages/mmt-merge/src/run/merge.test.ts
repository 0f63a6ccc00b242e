import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recipe } from '../recipe/recipe.js';
import type { MergeMethod } from '@heddle/core';
import { openTensors } from '@heddle/core/node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfModel, decoder, numbers, temporary, writeModel, type Tensors } from '../../fixtures/models.js';
import { mergeModels, type MergeOptions } from './merge.node.js';
import { prepare } from './prepare.node.js';
import { workPath } from './work-folder.node.js';

const folder = temporary();
const models = [1, 2, 3].map(seed => decoder(seed));
for (const [i, tensors] of models.entries())
  writeModel(join(folder, `m${i}`), tensors, { config: { num_hidden_layers: 3, vocab_size: 8 } });

let count = 0;
const merge = async (recipe: Recipe, options: Partial<MergeOptions> = {}): Promise<string> => {
  const out = join(folder, `out-${count++}`);
  await mergeModels(recipe, { out, from: folder, threads: 0, ...options });
  return out;
};
const tensorsOf = async (path: string): Promise<Record<string, number[]>> => {
  const file = await openTensors(path);
  const all = await Promise.all(
    file.entries.map(async ({ name }): Promise<[string, number[]]> => [name, [...(await file.load(name)).data]]),
  );
  await file.close();
  return Object.fromEntries(all);
};
const plain = (tensors: Tensors): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { data }]): [string, number[]] => [
      name,
      Array.from(data, x => Math.fround(x)),
    ]),
  );
const near = (found: Record<string, number[]>, expected: Record<string, number[]>, tolerance = 1e-6): void => {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, data] of Object.entries(expected)) data.forEach((x, i) => expect(Math.abs(found[name]![i]! - x), `${name}[${i}]`).toBeLessThanOrEqual(tolerance)); // prettier-ignore
};
const mixed = (weights: readonly number[]): Record<string, number[]> =>
  Object.fromEntries(
    Object.keys(models[0]!).map((name): [string, number[]] => [
      name,
      Array.from(models[0]![name]!.data, (_, i) =>
        weights.reduce((sum, w, k) => sum + w * models[k]![name]!.data[i]!, 0),
      ),
    ]),
  );
const weighted = (...weights: number[]) => weights.map((weight, i) => ({ model: `m${i}`, parameters: { weight } }));
const code = async (act: () => Promise<unknown>): Promise<string> => act().then(() => 'no error', (error: { code?: string; message: string }) => `${error.code} ${error.message}`); // prettier-ignore

describe('laws, from file to file', () => {
  it('one model in gives it back, byte for byte', async () => {
    const out = await merge({ merge_method: 'passthrough', models: [{ model: 'm0' }] });
    expect(
      readFileSync(join(out, 'model.safetensors')).equals(readFileSync(join(folder, 'm0', 'model.safetensors'))),
    ).toBe(true);
  });

  it('linear is linear, in any order, and weights (1, 0) give the first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 3, maxLength: 3 }), async eighths => {
        fc.pre(eighths.some(n => n !== 0));
        const weights = eighths.map(n => n / 8);
        const parameters = { normalize: false };
        near(
          await tensorsOf(await merge({ merge_method: 'linear', models: weighted(...weights), parameters })),
          mixed(weights),
          1e-5,
        );
        const turned = weighted(...weights).toReversed();
        near(
          await tensorsOf(await merge({ merge_method: 'linear', models: turned, parameters })),
          mixed(weights),
          1e-5,
        );
      }),
      { numRuns: 5 },
    );
    near(await tensorsOf(await merge({ merge_method: 'linear', models: weighted(1, 0) })), plain(models[0]!), 0);
  });

  it('task vectors add and negate', async () => {
    const add = (weight: number): Recipe => ({
      merge_method: 'task_arithmetic',
      base_model: 'm0',
      models: [{ model: 'm1', parameters: { weight } }],
    });
    near(await tensorsOf(await merge(add(1))), plain(models[1]!));
    near(await tensorsOf(await merge(add(-1))), mixed([2, -1]), 2e-6);
    near(await tensorsOf(await merge(add(0))), plain(models[0]!), 0);
    const both: Recipe = { merge_method: 'task_arithmetic', base_model: 'm0', models: weighted(0, 0.5, 0.25).slice(1) };
    near(await tensorsOf(await merge(both)), mixed([0.25, 0.5, 0.25]), 2e-6);
  });

  it('is the same over threads, shards and small memory, and in double precision to rounding', async () => {
    const recipe: Recipe = { merge_method: 'dare_ties', base_model: 'm0', models: [1, 2].map(i => ({ model: `m${i}`, parameters: { weight: 0.5, density: 0.6 } })), seed: 3 }; // prettier-ignore
    const one = await tensorsOf(await merge(recipe));
    near(await tensorsOf(await merge(recipe, { threads: 2, memory: 1 })), one, 0);
    const sharded = await merge(recipe, { shardBytes: 400 });
    expect(readdirSync(sharded).filter(name => name.endsWith('.safetensors')).length).toBeGreaterThan(3);
    near(await tensorsOf(sharded), one, 0);
    near(await tensorsOf(await merge({ ...recipe, dtypes: { accumulate: 'float64' } })), one, 1e-5);
    expect(await tensorsOf(await merge({ ...recipe, seed: 4 }))).not.toEqual(one);
  });
});

describe('a method of a third party', () => {
  /** Only its meaning is given, no way in pieces. */
  const middle: MergeMethod = {
    name: 'middle',
    describe: 'half of the first and half of the second',
    laws: { orderIndependent: true, needsBase: false, models: { least: 2, most: 2 } },
    merge: ({ models: [a, b] }) => a!.add(b!).mul(0.5),
  };
  /** One tensor of several pieces, one shorter than a vector. */
  const wide = (seed: number): Tensors => ({
    'model.wide.weight': { shape: [40, 500], data: numbers(20_000, seed) },
    'model.bias': { shape: [3], data: numbers(3, seed + 9) },
  });

  it('that says only what it means runs through its graph, tensors of any length', async () => {
    const [one, other] = [wide(1), wide(2)];
    writeModel(join(folder, 'wide1'), one);
    writeModel(join(folder, 'wide2'), other);
    const recipe = { merge_method: 'middle', models: [{ model: 'wide1' }, { model: 'wide2' }] } as unknown as Recipe;
    const found = await tensorsOf(join(await merge(recipe, { methods: [middle] }), 'model.safetensors'));
    expect(Object.keys(found).sort()).toEqual(Object.keys(one).sort());
    for (const [name, { data }] of Object.entries(one))
      expect(found[name]).toEqual(
        Array.from(data, (x, i) => Math.fround(0.5 * Math.fround(x + other[name]!.data[i]!))),
      );
  });
});

describe('recipes', () => {
  it('stack layers by slices, and number them anew', async () => {
    const out = await merge({
      merge_method: 'passthrough',
      slices: [
        { sources: [{ model: 'm0', layer_range: [0, 2] }] },
        { sources: [{ model: 'm1', layer_range: [1, 3] }] },
      ],
    });
    const found = await tensorsOf(out);
    const [a, b] = [plain(models[0]!), plain(models[1]!)];
    const layer = (from: Record<string, number[]>, own: number, to: number) =>
      Object.fromEntries(
        Object.entries(from).flatMap(([name, data]) =>
          name.includes(`.layers.${own}.`) ? [[name.replace(`.${own}.`, `.${to}.`), data]] : [],
        ),
      );
    near(found, {
      'model.embed_tokens.weight': a['model.embed_tokens.weight']!,
      ...layer(a, 0, 0), ...layer(a, 1, 1), ...layer(b, 1, 2), ...layer(b, 2, 3),
      'model.norm.weight': b['model.norm.weight']!,
      'lm_head.weight': b['lm_head.weight']!,
    }, 0); // prettier-ignore
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ num_hidden_layers: 4 });
  });

  it('follow gradients over depth and filters by name', async () => {
    const out = await merge({
      merge_method: 'linear',
      models: [
        { model: 'm0', parameters: { weight: [0, 1] } },
        { model: 'm1', parameters: { weight: [{ filter: 'mlp', value: 1 }, { value: [1, 0] }] } },
      ],
      parameters: { normalize: false },
    });
    const found = await tensorsOf(out);
    for (const [i, t] of [0, 0.5, 1].entries()) {
      for (const [part, w] of [
        ['self_attn.q_proj', 1 - t],
        ['mlp.up_proj', 1],
      ] as const) {
        const name = `model.layers.${i}.${part}.weight`;
        const expected = Array.from(models[0]![name]!.data, (x, k) => t * x + w * models[1]![name]!.data[k]!);
        expected.forEach((x, k) => expect(found[name]![k]).toBeCloseTo(x, 5));
      }
    }
  });

  it('of several documents use the results of earlier ones', async () => {
    const path = join(folder, 'chain.yml');
    writeFileSync(path, 'merge_method: linear\nmodels:\n  - {model: half, parameters: {weight: 1}}\n  - {model: m2, parameters: {weight: 1}}\n---\nname: half\nmerge_method: linear\nmodels:\n  - {model: m0, parameters: {weight: 1}}\n  - {model: m1, parameters: {weight: 1}}\n'); // prettier-ignore
    const out = join(folder, 'chain');
    expect(await mergeModels(path, { out, threads: 0 })).toHaveLength(1);
    near(await tensorsOf(out), mixed([0.25, 0.25, 0.5]));
    expect(readdirSync(folder).filter(name => name.includes('.chain'))).toEqual([]);
  });

  it('of groups give a module each and a routing table; nothing is read for weight 0', async () => {
    const recipe: Recipe = {
      merge_method: 'task_arithmetic',
      base_model: 'm0',
      parameters: { weight: 1 },
      groups: {
        north: { models: [{ model: 'm1', label: 'is' }, { model: 'm2', label: 'da', parameters: { weight: [{ filter: 'mlp', value: 0.5 }, { value: 0 }] } }] },
        south: { models: [{ model: 'm2', label: 'it' }], parameters: { weight: 0.5 } },
      },
    }; // prettier-ignore
    const prepared = await prepare(recipe, { from: folder });
    const north = prepared.steps[0]!.plan!;
    await prepared.close();
    for (const { name, models: inputs } of north.tensors)
      expect(
        inputs.some(({ model }) => north.sources[model] === 'm2'),
        name,
      ).toBe(name.includes('mlp'));
    const out = await merge(recipe);
    expect(JSON.parse(readFileSync(join(out, 'routing.json'), 'utf8'))).toEqual({
      format: 'heddle-routing-1',
      modules: { north: { path: 'north', labels: ['is', 'da'] }, south: { path: 'south', labels: ['it'] } },
      routes: { is: 'north', da: 'north', it: 'south' },
    });
    near(await tensorsOf(join(out, 'south')), mixed([0.5, 0, 0.5]), 2e-6);
  });
});

describe('tokens', () => {
  const table = (rows: readonly number[]): Tensors => ({
    'model.embed_tokens.weight': { shape: [rows.length, 2], data: rows.flatMap(x => [x, -x]) },
  });
  writeModel(join(folder, 't0'), table([1, 2, 3, 9]), {
    tokens: { a: 0, b: 1, '<s>': 2 },
    added: ['<s>'],
    config: { vocab_size: 3 },
  }); // a row of padding
  writeModel(join(folder, 't1'), table([10, 20, 30]), { tokens: { b: 0, a: 1, c: 2 }, config: { vocab_size: 3 } });
  const both: Recipe = {
    merge_method: 'linear',
    models: [
      { model: 't0', parameters: { weight: 1 } },
      { model: 't1', parameters: { weight: 1 } },
    ],
  };
  const firsts = async (recipe: Recipe): Promise<number[]> =>
    (await tensorsOf(await merge(recipe)))['model.embed_tokens.weight']!.filter((_, i) => i % 2 === 0);

  it('that differ are refused where the recipe says nothing', async () => {
    expect(await code(() => merge(both))).toMatch(
      /^E_TOKENIZER .*only t0 has 1 \("<s>"\); only t1 has 1 \("c"\); 2 \("a", "b"\) have other ids.*tokenizer_source: union/,
    );
  });

  it('of a union stand in the rows of the base, new ones after; a missing row is the row of who has it', async () => {
    const out = await merge({ ...both, tokenizer_source: 'union' });
    // a, b, <s>, c
    expect((await tensorsOf(out))['model.embed_tokens.weight']!.filter((_, i) => i % 2 === 0)).toEqual([
      (1 + 20) / 2,
      (2 + 10) / 2,
      3,
      30,
    ]);
    const tokenizer = JSON.parse(readFileSync(join(out, 'tokenizer.json'), 'utf8')) as {
      added_tokens: { content: string; id: number }[];
    };
    expect(tokenizer.added_tokens.map(({ content, id }) => [content, id])).toEqual([
      ['<s>', 2],
      ['c', 3],
    ]);
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ vocab_size: 4 });
  });

  it('of the base, of a model, by rules of their own, and padded', async () => {
    expect(await firsts({ ...both, tokenizer_source: 'base' })).toEqual([10.5, 6, 3]);
    expect(await firsts({ ...both, tokenizer: { source: 't1' } })).toEqual([6, 10.5, 30]);
    const tokens = {
      '<s>': { source: { kind: 'zero' } as const, force: true },
      new: { source: { kind: 'model_token', model: 't1', token: 'c' } as const },
    };
    expect(await firsts({ ...both, tokenizer: { source: 'base', tokens, pad_to_multiple_of: 3 } })).toEqual([
      10.5,
      6,
      0,
      30,
      expect.closeTo((2 + 20) / 2),
      expect.closeTo(11),
    ]);
    expect(await code(() => merge({ ...both, tokenizer: { tokens: { x: { source: 't9' } } } }))).toMatch(
      /^E_TOKENIZER .*t0, t1.*'t9'/,
    );
  });
});

describe('bad input', () => {
  it.each<[string, Tensors, RegExp]>([
    [
      'another shape',
      { ...models[1], 'model.norm.weight': { shape: [7], data: numbers(7, 1) } },
      /^E_MERGE_SHAPE tensor 'model.norm.weight': expected \[6\] as in m0, received bad \[7\]/,
    ],
    [
      'NaN',
      { ...models[1], 'model.norm.weight': { shape: [6], data: [0, 1, NaN, 3, 4, 5] } },
      /^E_NOT_FINITE tensor 'model.norm.weight': .*received 1 others, made from m0, bad/,
    ],
  ])('%s', async (_, tensors, message) => {
    writeModel(join(folder, 'bad'), tensors);
    const recipe: Recipe = {
      merge_method: 'linear',
      models: [
        { model: 'm0', parameters: { weight: 1 } },
        { model: 'bad', parameters: { weight: 1 } },
      ],
    };
    const out = join(folder, `bad-${count++}`);
    expect(await code(() => mergeModels(recipe, { out, from: folder, threads: 0 }))).toMatch(message);
    expect(readdirSync(folder)).not.toContain(out.split('/').at(-1));
  });

  it('NaN is written where that is asked, and told', async () => {
    writeModel(join(folder, 'nan'), { x: { shape: [2], data: [NaN, 1] } });
    const [report] = await mergeModels(
      { merge_method: 'passthrough', models: [{ model: 'nan' }] },
      { out: join(folder, 'nan-out'), from: folder, threads: 0, allowNotFinite: true },
    );
    expect(report!.notFinite).toBe(1);
    expect((await tensorsOf(join(folder, 'nan-out')))['x']).toEqual([NaN, 1]);
  });

  it('a number too large for float16 is refused', async () => {
    writeModel(join(folder, 'large'), { x: { shape: [2], data: [70_000, 1] } });
    expect(
      await code(() => merge({ merge_method: 'passthrough', models: [{ model: 'large' }], dtype: 'float16' })),
    ).toMatch(/^E_NOT_FINITE/);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['a truncated file', bytes => bytes.subarray(0, bytes.length - 10), 'E_SAFETENSORS'],
    ['a header that lies about its length', bytes => { const out = bytes.slice(); out[3] = 0xff; return out; }, 'E_SAFETENSORS'],
    ['offsets beyond the end', bytes => { const text = new TextDecoder('latin1').decode(bytes).replace('"data_offsets":[0,', '"data_offsets":[4,'); return Uint8Array.from(text, c => c.charCodeAt(0)); }, 'E_SAFETENSORS'],
  ])('%s', async (_, spoil, expected) => {
    mkdirSync(join(folder, 'spoilt'), { recursive: true });
    writeFileSync(join(folder, 'spoilt', 'model.safetensors'), spoil(bytesOfModel(models[0]!)));
    expect(await code(() => merge({ merge_method: 'passthrough', models: [{ model: 'spoilt' }] }))).toMatch(new RegExp(`^${expected} `));
  }); // prettier-ignore

  it('shards that are not there, and an index that leads out of its folder', async () => {
    const names = Object.keys(models[0]!);
    writeModel(join(folder, 'cut'), models[0]!, { shards: [names.slice(0, 3), names.slice(3)] });
    near(
      await tensorsOf(await merge({ merge_method: 'passthrough', models: [{ model: 'cut' }] })),
      plain(models[0]!),
      0,
    );
    rmSync(join(folder, 'cut', 'model-00002-of-00002.safetensors'));
    expect(await code(() => merge({ merge_method: 'passthrough', models: [{ model: 'cut' }] }))).toMatch(/^E_IO /);
    const index = join(folder, 'cut', 'model.safetensors.index.json');
    writeFileSync(index, readFileSync(index, 'utf8').replaceAll('model-00001', '../m0/model-00001'));
    expect(await code(() => merge({ merge_method: 'passthrough', models: [{ model: 'cut' }] }))).toMatch(
      /^E_SHARD_INDEX .*separator/,
    );
  });

  it('outputs that are inputs, that are there, or that another merge began', async () => {
    const recipe: Recipe = { merge_method: 'passthrough', models: [{ model: 'm0' }] };
    expect(
      await code(() => mergeModels(recipe, { out: join(folder, 'm0'), from: folder, threads: 0, replace: true })),
    ).toMatch(/^E_EXISTS .*apart from the inputs/);
    const out = await merge(recipe);
    expect(await code(() => mergeModels(recipe, { out, from: folder, threads: 0 }))).toMatch(/^E_EXISTS .*--force/);
    await mergeModels({ ...recipe, models: [{ model: 'm1' }] }, { out, from: folder, threads: 0, replace: true });
    near(await tensorsOf(out), plain(models[1]!), 0);
    const name = out.split('/').at(-1)!;
    expect(readdirSync(folder).filter(other => other.startsWith(`.${name}.`))).toEqual([]);
  });

  it('empty and scalar tensors, whole numbers, and tensors that only some have', async () => {
    const odd = (extra: Tensors): Tensors => ({
      empty: { shape: [0, 4], data: [] },
      scalar: { shape: [], data: [2] },
      ids: { shape: [2], data: [5, 6], dtype: 'I64' },
      ...extra,
    });
    writeModel(join(folder, 'o0'), odd({}));
    writeModel(join(folder, 'o1'), odd({ scalar: { shape: [], data: [4] }, rest: { shape: [1], data: [7] } }));
    const recipe: Recipe = {
      merge_method: 'linear',
      models: [
        { model: 'o0', parameters: { weight: 1 } },
        { model: 'o1', parameters: { weight: 1 } },
      ],
    };
    const prepared = await prepare(recipe, { from: folder });
    expect(prepared.steps[0]!.plan!.notices.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(
      expect.arrayContaining(['integer ids', 'missing rest', 'unknown scalar']),
    );
    await prepared.close();
    expect(await tensorsOf(await merge(recipe))).toEqual({ empty: [], scalar: [3], ids: [5, 6], rest: [7] });
    near(
      await tensorsOf(
        await merge({
          merge_method: 'ties',
          base_model: 'o0',
          models: [{ model: 'o1', parameters: { weight: 1, density: 0.1 } }],
        }),
      ),
      { empty: [], scalar: [4], ids: [5, 6], rest: [7] },
    );
  });

  it('tied heads: a model without one lends its embedding', async () => {
    const { 'lm_head.weight': _, ...tied } = models[1]!;
    writeModel(join(folder, 'tied'), tied);
    const found = await tensorsOf(
      await merge({
        merge_method: 'linear',
        models: [
          { model: 'm0', parameters: { weight: 1 } },
          { model: 'tied', parameters: { weight: 1 } },
        ],
      }),
    );
    Array.from(models[0]!['lm_head.weight']!.data, (x, i) =>
      expect(found['lm_head.weight']![i]).toBeCloseTo((x + models[1]!['model.embed_tokens.weight']!.data[i]!) / 2, 5),
    );
  });
});

describe('interruptions', () => {
  const recipe: Recipe = { merge_method: 'linear', models: weighted(1, 2, 3) };

  it('a run that was stopped goes on, and nothing shows before it ends', async () => {
    const out = join(folder, 'stopped');
    const stop = new AbortController();
    let before = 0;
    const stopped = mergeModels(recipe, { out, from: folder, threads: 0, signal: stop.signal, onProgress: ({ done, total }) => { before = done; if (done > total / 2) stop.abort(); } }); // prettier-ignore
    expect(await code(() => stopped)).toMatch(/^E_CANCELLED .*goes on where it stopped/);
    expect(statSync(out, { throwIfNoEntry: false })).toBeUndefined();
    const work = workPath(out);
    const manifest = join(work, 'manifest.jsonl');
    writeFileSync(manifest, `${readFileSync(manifest, 'utf8')}{"file":"model.safe`); // a line that a kill cut
    const lines = readFileSync(manifest, 'utf8').split('\n').length - 2;
    expect(lines).toBeGreaterThan(2);
    // One of the ranges that are said to be finished is not what it was: a crash lost it.
    const range = JSON.parse(readFileSync(manifest, 'utf8').split('\n')[1]!) as { file: string; at: number };
    const bytes = readFileSync(join(work, range.file));
    bytes.writeUInt8(bytes.readUInt8(range.at) ^ 1, range.at);
    writeFileSync(join(work, range.file), bytes);

    expect(await code(() => mergeModels({ ...recipe, seed: 1 }, { out, from: folder, threads: 0 }))).toMatch(
      /^E_RESUME .*--restart/,
    );
    const [report] = await mergeModels(recipe, { out, from: folder, threads: 0 });
    expect(report!.bytes.resumed).toBeGreaterThan(0);
    expect(report!.bytes.resumed).toBeLessThan(before);
    near(await tensorsOf(out), mixed([1 / 6, 2 / 6, 3 / 6]));
    const whole = await merge(recipe);
    for (const name of readdirSync(whole))
      expect(readFileSync(join(out, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  });

  it('a folder that a living process works on is left alone', async () => {
    const out = join(folder, 'busy');
    mkdirSync(workPath(out));
    writeFileSync(join(workPath(out), 'lock'), String(process.ppid));
    expect(await code(() => mergeModels(recipe, { out, from: folder, threads: 0 }))).toMatch(/^E_BUSY /);
  });
});
