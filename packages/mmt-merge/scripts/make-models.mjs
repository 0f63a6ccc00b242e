/**
 * Models of random weights in Hugging Face's layout, for measurements: `node scripts/make-models.mjs DIR COUNT LAYERS WIDTH
 * VOCABULARY [F32|BF16|F16] [BYTES A SHARD]`.
 */

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { narrow, planShards, safetensorsLayout, shardIndexText } from '@heddle/core/files';

/** A million numbers, written again and again from another place: what matters here is their amount. */
export function randomFiles(dtype, seed) {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  const draw = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const numbers = Float32Array.from({ length: 1 << 20 }, () => (draw() + draw() + draw() - 1.5) * 0.04);
  const bytes = narrow(numbers, dtype, 'numbers').slice();
  const size = bytes.length / numbers.length;
  return (path, specs) => {
    const layout = safetensorsLayout(specs, { format: 'pt' }, path);
    const handle = openSync(path, 'w');
    let at = writeSync(handle, layout.header);
    for (let turn = 0; at < layout.size; turn++) {
      const from = (((turn * 7919 + seed * 104_729) % numbers.length) & ~3) * size;
      at += writeSync(handle, bytes.subarray(from, Math.min(bytes.length, from + layout.size - at)));
    }
    closeSync(handle);
  };
}

const names = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' };

export function makeModel(folder, { layers, width, vocabulary, dtype = 'F32', shardBytes = 2_000_000_000, seed = 1 }) {
  mkdirSync(folder, { recursive: true });
  const inner = Math.round((width * 2.6875) / 16) * 16;
  const spec = (name, ...shape) => ({ name, dtype, shape });
  const specs = [
    spec('model.embed_tokens.weight', vocabulary, width),
    ...Array.from({ length: layers }, (_, i) => [
      ...['q', 'k', 'v', 'o'].map(part => spec(`model.layers.${i}.self_attn.${part}_proj.weight`, width, width)),
      spec(`model.layers.${i}.mlp.gate_proj.weight`, inner, width),
      spec(`model.layers.${i}.mlp.up_proj.weight`, inner, width),
      spec(`model.layers.${i}.mlp.down_proj.weight`, width, inner),
      spec(`model.layers.${i}.input_layernorm.weight`, width),
      spec(`model.layers.${i}.post_attention_layernorm.weight`, width),
    ]).flat(),
    spec('model.norm.weight', width),
    spec('lm_head.weight', vocabulary, width),
  ];
  const write = randomFiles(dtype, seed);
  const shards = planShards(specs, shardBytes, 'model');
  for (const { file, specs: own } of shards) write(join(folder, shards.length === 1 ? 'model.safetensors' : file), own);
  if (shards.length > 1) writeFileSync(join(folder, 'model.safetensors.index.json'), shardIndexText(shards));
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    vocab_size: vocabulary,
    torch_dtype: names[dtype],
  };
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder, count, layers, width, vocabulary, dtype = 'F32', shardBytes = '2000000000'] = process.argv.slice(2);
  if (vocabulary === undefined)
    throw new Error('usage: make-models.mjs DIR COUNT LAYERS WIDTH VOCABULARY [DTYPE] [SHARD BYTES]');
  for (let i = 0; i < Number(count); i++)
    makeModel(join(folder, `m${i}`), { layers: Number(layers), width: Number(width), vocabulary: Number(vocabulary), dtype, shardBytes: Number(shardBytes), seed: i + 1 }); // prettier-ignore
}
