/** The commands of `heddle merge`, from a recipe in a file to what they print. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost, type CommandCall } from '@heddle/core';
import { openTensors } from '@heddle/core/node';
import gpujs from '@heddle/backend-gpujs';
import { afterAll, expect, it } from 'vitest';
import { decoder, temporary, writeModel } from '../fixtures/models.js';
import { commands } from './commands.js';
import merge from './index.js';

const folder = temporary();
for (const [name, seed] of [
  ['base', 1],
  ['first', 2],
  ['second', 3],
] as const)
  writeModel(join(folder, name), decoder(seed, { dtype: 'F16' }), {
    config: { num_hidden_layers: 3, vocab_size: 8, torch_dtype: 'float16' },
  });
const recipe = join(folder, 'soup.yml');
writeFileSync(
  recipe,
  'merge_method: linear\nmodels:\n  - {model: first, parameters: {weight: 0.25}}\n  - {model: second, parameters: {weight: 0.75}}\n',
);
const host = createHost({ plugins: [gpujs, merge] });
afterAll(() => host.close());

async function heddle(name: string, args: readonly string[], options: CommandCall['options'] = {}) {
  const lines: string[] = [];
  const command = commands.find(one => one.name === name)!;
  const call: CommandCall = {
    args,
    options,
    signal: new AbortController().signal,
    print: text => void lines.push(text),
    note: () => {},
  };
  expect(await command.run(call, host)).toBe(0);
  return lines;
}
const json = async (name: string, args: readonly string[], options: CommandCall['options'] = {}) =>
  (await heddle(name, args, { ...options, json: true })).map(line => JSON.parse(line) as Record<string, unknown>);

it('plan, run, verify, diff and explain a merge of half-precision models', async () => {
  const out = join(folder, 'soup');
  const [plan] = await json('merge plan', [recipe], { out });
  expect(plan).toMatchObject({ type: 'plan', method: 'linear', tensors: 12, disk: { enough: true } });
  expect(existsSync(out)).toBe(false);

  const [merged] = await json('merge run', [recipe], { out, threads: '0' });
  expect(merged).toMatchObject({ type: 'merged', out, method: 'linear', tensors: 12, verified: true });
  expect((merged!['bytes'] as { written: number }).written).toBe((plan!['bytes'] as { written: number }).written);

  // The sum in single precision, rounded once to half precision: at most half a unit of its last place away.
  const models = await Promise.all(['first', 'second', 'soup'].map(name => openTensors(join(folder, name))));
  for (const { name, dtype } of models[2]!.entries) {
    expect(dtype).toBe('F16');
    const [a, b, soup] = await Promise.all(models.map(async model => (await model.load(name)).data));
    soup!.forEach((x, i) => {
      const exact = 0.25 * a![i]! + 0.75 * b![i]!;
      expect(Math.abs(x - exact)).toBeLessThanOrEqual(2 ** (Math.floor(Math.log2(Math.abs(exact) || 1e-9)) - 11) * 1.001 + 2 ** -25); // prettier-ignore
    });
  }
  await Promise.all(models.map(model => model.close()));

  expect(await json('merge verify', [out])).toMatchObject([{ type: 'verified', changed: [] }]);
  expect((await heddle('merge diff', [out, join(folder, 'first')])).at(-1)).toBe('0 of 12 tensors are equal');
  expect((await heddle('merge diff', [out, out])).at(-1)).toBe('12 of 12 tensors are equal');
  const html = join(folder, 'soup.html');
  expect(await json('merge explain', [out], { html })).toHaveLength(12);
  expect(readFileSync(html, 'utf8')).toMatch(/<svg|<table/);
});

it('run on an engine, to the same bytes as on the processor', async () => {
  const out = join(folder, 'on-engine');
  const [merged] = await json('merge run', [recipe], { out, backend: 'gpujs:cpu' });
  expect(merged).toMatchObject({ verified: true, notices: [] });
  expect((await heddle('merge diff', [out, join(folder, 'soup')])).at(-1)).toBe('12 of 12 tensors are equal');
});

it('extract an adapter that leads from one model to the other', async () => {
  const out = join(folder, 'adapter');
  const [extracted] = await json('merge extract-lora', [join(folder, 'base'), join(folder, 'first')], {
    out,
    rank: '6',
  });
  expect(extracted).toMatchObject({ type: 'extracted' });
  expect(JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8'))).toMatchObject({ peft_type: 'LORA', r: 6 });
});

it('list the methods that recipes can name', async () => {
  const names = (await json('merge methods', [])).map(({ name }) => name);
  expect(names).toHaveLength(20);
  expect(names).toEqual(expect.arrayContaining(['linear', 'ties', 'dare_ties', 'model_stock']));
});

it('refuse an option that is no size', async () => {
  await expect(heddle('merge run', [recipe], { out: join(folder, 'x'), memory: 'much' })).rejects.toMatchObject({
    code: 'E_OPTION',
    message: expect.stringContaining('memory: expected a size'),
  });
});
