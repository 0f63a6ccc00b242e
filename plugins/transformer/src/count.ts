/** How many numbers a configuration trains, without building the model. */

import { fail } from '@heddle/core';
import type { DecoderConfig, EncoderDecoderConfig, StackConfig } from './config.js';
import { reachOf } from './parts/relative.js';

type Count = (config: StackConfig) => number;

const dense = (from: number, to: number, bias: boolean): number => from * to + (bias ? to : 0);

const standard: Count = ({ width, heads, keyHeads, bias }) =>
  2 * dense(width, width, bias) + 2 * dense(width, (width / heads) * keyHeads, bias);

const attentions: Readonly<Record<string, Count>> = {
  standard,
  relative: config => standard(config) + (2 * reachOf(config.options.attention) + 1) * (config.width / config.heads),
};

/** Between a text and its source there are no distances. */
const crossAttentions: Readonly<Record<string, Count>> = { standard, relative: standard };

const twoMatrices: Count = ({ width, hidden, bias }) => dense(width, hidden, bias) + dense(hidden, width, bias);

const feedForwards: Readonly<Record<string, Count>> = {
  swiglu: config => twoMatrices(config) + dense(config.width, config.hidden, config.bias),
  gelu: twoMatrices,
  relu: twoMatrices,
  none: () => 0,
};

const norms: Readonly<Record<string, Count>> = { rms: ({ width }) => width, layer: ({ width }) => 2 * width };

const positions: Readonly<Record<string, Count>> = {
  rotary: () => 0,
  learned: ({ length, width }) => length * width,
  sinusoidal: () => 0,
  none: () => 0,
};

function of(
  kind: 'attention' | 'ffn' | 'norm' | 'positions',
  table: Readonly<Record<string, Count>>,
  config: StackConfig,
): number {
  const count = Object.hasOwn(table, config[kind]) ? table[config[kind]] : undefined;
  if (!count) {
    fail(
      'E_UNKNOWN',
      `parameters: ${kind} '${config[kind]}': expected a built-in one (${Object.keys(table).join(', ')}). Count the built model with countParameters.`,
      { kind, name: config[kind] },
    );
  }
  return count(config);
}

/**
 * The number of trainable numbers of a decoder of built-in parts: what `countParameters(createDecoder(config))` gives.
 *
 * @throws E_UNKNOWN for parts that this package does not bring
 */
export function decoderParameters(config: DecoderConfig): number {
  const { vocabulary, width, depth, tied } = config;
  return vocabulary * width * (tied ? 1 : 2) + stack(config, depth, [config.attention]);
}

/** The same for encoder and decoder. @throws E_UNKNOWN for parts that this package does not bring */
export function encoderDecoderParameters(config: EncoderDecoderConfig): number {
  const { vocabulary, width, depth, encoderDepth, length, sourceLength, attention, cross, tied, sharedEmbedding } =
    config;
  const tables = 1 + (sharedEmbedding ? 0 : 1) + (tied ? 0 : 1);
  return (
    tables * vocabulary * width +
    stack({ ...config, length: sourceLength }, encoderDepth, [attention]) +
    stack({ ...config, length }, depth, [attention, cross])
  );
}

/** Positions, blocks and the norm after them. */
function stack(config: StackConfig, depth: number, looking: readonly string[]): number {
  const norm = of('norm', norms, config);
  const parts = looking.map((attention, i) => of('attention', i === 0 ? attentions : crossAttentions, { ...config, attention })); // prettier-ignore
  if (config.ffn !== 'none') parts.push(of('ffn', feedForwards, config));
  const block = parts.reduce((sum, count) => sum + count + norm, 0);
  return of('positions', positions, config) + depth * block + (config.normFirst ? norm : 0);
}
