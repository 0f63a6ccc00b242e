/**
 * Adapters of LLaMA-2-13B's shape merged by group with TIES, factor by factor: `node scripts/bench-adapters.mjs DIR [--layers N]
 * [--rank N] [--rounds N] [--threads N] [--cold]`.
 *
 * DIR gets the adapters, bfloat16, one for each of the paper's 49 languages into English (500 MB each with all 40 layers); those that
 * are there are taken. By turns: reading them and writing as much as the eight results, with fsync; the merge, with its hashes, fsync
 * and reading back.
 */

import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { languageGroups } from '@heddle/mmt-merge';
import { randomFiles } from './make-models.mjs';
import { compare, heddle, readAndWrite } from './measure.mjs';

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: bench-adapters.mjs DIR [--layers N] [--rank N] [--rounds N] [--threads N] [--cold]'); // prettier-ignore
const valueOf = (name, otherwise) => (rest.includes(name) ? Number(rest[rest.indexOf(name) + 1]) : otherwise);
const [layers, rank, rounds, threads] = [valueOf('--layers', 40), valueOf('--rank', 64), valueOf('--rounds', 1), valueOf('--threads', 2)]; // prettier-ignore
const [width, inner] = [5120, 13_824];

const modules = [
  ...['q', 'k', 'v', 'o'].map(part => [`self_attn.${part}_proj`, width, width]),
  ...['gate', 'up'].map(part => [`mlp.${part}_proj`, width, inner]),
  ['mlp.down_proj', inner, width],
];
const specs = Array.from({ length: layers }, (_, i) =>
  modules.flatMap(([path, from, to]) => {
    const name = `base_model.model.model.layers.${i}.${path}`;
    return [
      { name: `${name}.lora_A.weight`, dtype: 'BF16', shape: [rank, from] },
      { name: `${name}.lora_B.weight`, dtype: 'BF16', shape: [to, rank] },
    ];
  }),
).flat();
const config = { peft_type: 'LORA', r: rank, lora_alpha: 2 * rank, target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'], bias: 'none' }; // prettier-ignore
const languages = Object.values(languageGroups).flat();
for (const [i, language] of languages.entries()) {
  const place = join(folder, language);
  if (existsSync(join(place, 'adapter_config.json'))) continue;
  mkdirSync(place, { recursive: true });
  randomFiles('BF16', i + 1)(join(place, 'adapter_model.safetensors'), specs);
  writeFileSync(join(place, 'adapter_config.json'), JSON.stringify(config));
}

const recipe = [
  'merge_method: ties',
  'adapters: {mode: factors}',
  'groups:',
  ...Object.entries(languageGroups).flatMap(([group, own]) => [
    `  ${group}:`,
    '    models:',
    ...own.map(
      language =>
        `      - {model: ${language === 'no' ? '"no"' : language}, label: ${language}-en, parameters: {weight: 1, density: 0.5}}`,
    ),
  ]),
  '',
].join('\n');
const files = languages.map(language => join(folder, language, 'adapter_model.safetensors'));
const sizes = files.map(path => statSync(path).size);
const read = sizes.reduce((a, b) => a + b, 0);
const written = 8 * sizes[0];
console.log(`${(read / 1e9).toFixed(1)} GB read, ${(written / 1e9).toFixed(1)} GB written, ${rounds} rounds, ${threads} threads${rest.includes('--cold') ? ', cold cache' : ''}`); // prettier-ignore
compare(
  'ties',
  { 'read and write': () => readAndWrite(files, written, folder), heddle: () => heddle(recipe, folder, threads) },
  { rounds, cold: rest.includes('--cold'), bytes: read + written },
);
