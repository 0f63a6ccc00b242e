/** What stands beside the weights of a result: configuration, tokenizer, model card, the recipe. */

import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, type Json } from '@heddle/core';
import type { StorageDtype } from '@heddle/core/files';
import type { Checkpoint } from '../checkpoint/open.node.js';
import { jsonAt } from '../checkpoint/open.node.js';
import type { MergePlan } from '../plan/plan.js';
import { chatTemplate } from './chat-template.node.js';
import type { Step } from './prepare.node.js';

/** Files of a model's folder that belong to its tokenizer or to how it is used. Weights and code are not copied. */
const copied =
  /^(tokenizer.*|vocab\.(json|txt)|merges\.txt|special_tokens_map\.json|added_tokens\.json|spiece\.model|sentencepiece.*\.model|chat_template\.(jinja|json)|generation_config\.json|preprocessor_config\.json|processor_config\.json)$/;
/** These say which id a token has. */
const byIds =
  /^(tokenizer\.model|vocab\.(json|txt)|merges\.txt|added_tokens\.json|spiece\.model|sentencepiece.*\.model)$/;

const torchNames: Readonly<Partial<Record<StorageDtype, string>>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
};

/** Fills in everything but the weights. */
export async function writeBeside(
  folder: string,
  step: Step,
  plan: MergePlan,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): Promise<void> {
  const donor = checkpoints.get(plan.donor);
  const written = plan.tensors.find(({ copy }) => !copy)?.dtype ?? plan.tensors[0]!.dtype;
  if (donor?.config) await writeJson(join(folder, 'config.json'), patched(donor.config, plan, written));
  const tokens = plan.tokens;
  const from = (tokens ? checkpoints.get(tokens.donor) : donor)?.folder ?? null;
  if (from !== null) {
    for (const name of await fs.readdir(from)) {
      if (!copied.test(name)) continue;
      if (tokens !== null && (name === 'tokenizer.json' || (tokens.added.length > 0 && byIds.test(name)))) continue;
      await fs.writeFile(join(folder, name), await fs.readFile(join(from, name)));
    }
  }
  if (tokens !== null) await writeJson(join(folder, 'tokenizer.json'), tokens.json);
  const template = await chatTemplate(step, checkpoints);
  if (template !== null) {
    await fs.writeFile(join(folder, 'chat_template.jinja'), template);
    const path = join(folder, 'tokenizer_config.json');
    const config = await jsonAt(path);
    if (typeof config === 'object' && config !== null && !Array.isArray(config))
      await writeJson(path, { ...config, chat_template: template });
  }
  await fs.writeFile(join(folder, 'recipe.yml'), step.text);
}

/** The donor's configuration with what the merge changed. */
function patched(
  config: Readonly<Record<string, Json>>,
  plan: MergePlan,
  dtype: StorageDtype,
): Readonly<Record<string, Json>> {
  const out: Record<string, Json> = { ...config };
  const name = torchNames[dtype];
  if (name !== undefined) out['dtype' in config && !('torch_dtype' in config) ? 'dtype' : 'torch_dtype'] = name;
  if (plan.layers !== null)
    for (const key of ['num_hidden_layers', 'n_layer', 'num_layers']) if (key in config) out[key] = plan.layers;
  if (plan.vocabularyRows !== null) out['vocab_size'] = plan.vocabularyRows;
  return out;
}

export const writeJson = (path: string, value: unknown): Promise<void> =>
  fs.writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

export interface FileDigest {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 over the SHA-256 of its ranges in order, as listed in merge.json. */
  readonly digest: string;
}

export const digestOf = (hashes: readonly string[]): string =>
  createHash('sha256').update(hashes.join('\n')).digest('hex');

/** What a person sees first. */
export function modelCard(
  step: Step,
  plan: MergePlan,
  files: readonly FileDigest[],
  inputs: readonly { readonly title: string; readonly digest: string }[],
): string {
  const title = step.recipe.name ?? `${plan.method} of ${plan.sources.length} models`;
  return [
    '---',
    'tags:',
    '- merge',
    '- heddle',
    '---',
    `# ${title.replaceAll(/[\r\n]/g, ' ')}`,
    '',
    `A merge by \`${plan.method}\`, computed in ${plan.accumulate} with [Heddle](https://www.npmjs.com/package/@heddle/mmt-merge).`,
    `It is made of ${plan.tensors.length} tensors; \`merge.json\` lists how each came to be.`,
    '',
    '| Model | Header (SHA-256) |',
    '|---|---|',
    ...inputs.map(
      input =>
        `| ${input.title.replaceAll('|', '\\|')}${input.title === plan.base ? ' (base)' : ''} | \`${input.digest}\` |`,
    ),
    '',
    '| File | Bytes | Digest |',
    '|---|---|---|',
    ...files.map(file => `| ${file.name} | ${file.bytes} | \`${file.digest}\` |`),
    '',
    'A digest is the SHA-256 over the hashes of the ranges of a file, which `merge.json` lists and `heddle merge verify` checks.',
    '',
    '```yaml',
    step.text.trimEnd(),
    '```',
    '',
  ].join('\n');
}

/** A short name for what a model's files say about their tensors: names, dtypes, shapes, places. */
export const headerDigest = (checkpoint: Checkpoint): string =>
  createHash('sha256')
    .update(
      canonicalJson(
        checkpoint.files.flatMap(({ entries }) =>
          entries.map(({ name, dtype, shape, byteRange }) => [name, dtype, [...shape], [...byteRange]]),
        ),
      ),
    ) // prettier-ignore
    .digest('hex');
