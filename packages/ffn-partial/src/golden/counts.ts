/** Parameter and multiplication counts of the golden files: whole numbers, compared exactly. */

import type { GoldenCase } from '@heddle/core/testing/golden';
import { blockParameters, modelMacs, modelParameters } from '../count.js';
import { blockOf, partialFormerConfig, type PartialFormerOptions } from '../model-config.js';
import type { Family, GoldenRow } from './row.js';

/** Tokens of source and target in the authors' printed statistics. */
const tokens = 20;

/** `--use-hdp --global-heads 8` as { 'use-hdp': '', 'global-heads': '8' }. */
function flagsOf(row: GoldenRow): Readonly<Record<string, string>> {
  const words = String(row.config['flags'] ?? '')
    .split(/\s+/)
    .filter(word => word !== '');
  const flags: Record<string, string> = {};
  let last = '';
  for (const word of words) {
    if (word.startsWith('--')) flags[(last = word.slice(2))] = '';
    else flags[last] = word;
  }
  return flags;
}

/** The authors' arguments, with the defaults of their program and of their named architectures. */
function optionsOf(row: GoldenRow): PartialFormerOptions {
  const flags = flagsOf(row);
  const arch = String(row.config['arch'] ?? '');
  const count = (name: string, fallback: number): number => {
    const value = flags[name];
    return value === undefined || value === '' ? fallback : Number(value);
  };
  const given = (name: string): boolean => name in flags;
  const big = arch.endsWith('big');
  const block = { scaling: given('use-hdp') ? 'complex' : 'naive' } as const;
  return {
    vocabulary: Number(row.config['vocab']),
    width: count('encoder-embed-dim', big ? 1024 : 512),
    heads: count('encoder-attention-heads', big ? 16 : /iwslt/.test(arch) ? 4 : 8),
    preNorm: /t2t/.test(arch) || given('encoder-normalize-before'),
    block,
    encoder: {
      depth: count('encoder-layers', 6),
      expandHeads: count('expand-heads', 8),
      coreHeads: count('global-heads', 8),
      ratio: count('hidden-ratio', 4),
      globalMap: !given('non-global'),
    },
    decoder: {
      depth: count('decoder-layers', 6),
      expandHeads: count('decoder-expand-heads', 8),
      coreHeads: count('decoder-global-heads', 8),
      ratio: count('decoder-hidden-ratio', 2),
      globalMap: given('decoder-global'),
    },
  };
}

export const counts: Family = async (id, row): Promise<GoldenCase> => {
  const options = optionsOf(row);
  const config = partialFormerConfig(options);
  const count = modelParameters(options);
  const macs = modelMacs(options, tokens, tokens);
  const block = blockParameters(blockOf(config, config.encoder));
  const ours: Readonly<Record<string, number | Readonly<Record<string, number>>>> = {
    total: count.total,
    embeddings: count.embeddings,
    encoder_without_embeddings: count.encoder,
    decoder_without_embeddings: count.decoder,
    encoder_layer: count.encoderLayer,
    decoder_layer: count.decoderLayer,
    encoder_global_map: count.encoderMap,
    decoder_global_map: count.decoderMap,
    final_layer_norm: count.finalNorm,
    encoder_block_parts: {
      q_proj: block.query,
      k_proj: block.key,
      v_proj: block.value,
      u_proj: block.gate,
      hdp_net: block.mix,
      ff1: block.up,
      ff2: block.down,
      out_proj: block.output,
    },
    macs_encoder_src20: macs.encoder,
    macs_decoder_sum_tgt1_to_20: macs.decoderSteps,
    macs_decoder_tgt20: macs.decoder,
    macs_encoder_global_map: macs.encoderMap,
    macs_encoder_layer0: macs.encoderLayer,
    macs_decoder_layer0_tgt20: macs.decoderLayer,
  };
  const wrong: string[] = [];
  let compared = 0;
  const hold = (name: string, expected: unknown, found: unknown): void => {
    if (typeof expected === 'object' && expected !== null) {
      for (const [part, value] of Object.entries(expected))
        hold(`${name}.${part}`, value, (found as Readonly<Record<string, unknown>> | undefined)?.[part]);
      return;
    }
    // Where the authors' counter crashed there is no number to be equal to.
    if (typeof expected !== 'number') return;
    compared++;
    if (expected !== found) wrong.push(`${name}: expected ${expected}, received ${String(found)}`);
  };
  for (const [name, expected] of Object.entries(row.outputs)) hold(name, expected, ours[name]);
  return {
    id,
    passed: compared > 0 && wrong.length === 0,
    detail: wrong.length > 0 ? wrong.join('; ') : `${compared} whole numbers`,
  };
};
