/** How many numbers a configuration trains, without building the model. */

import { fail } from '@heddle/core';
import type { DecoderConfig } from './config.js';

type Count = (config: DecoderConfig) => number;

const dense = (from: number, to: number, bias: boolean): number => from * to + (bias ? to : 0);

const attentions: Readonly<Record<string, Count>> = {
  standard: ({ width, heads, keyHeads, bias }) =>
    2 * dense(width, width, bias) + 2 * dense(width, (width / heads) * keyHeads, bias),
};

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
  config: DecoderConfig,
): number {
  const count = Object.hasOwn(table, config[kind]) ? table[config[kind]] : undefined;
  if (!count) {
    fail(
      'E_UNKNOWN',
      `decoderParameters: ${kind} '${config[kind]}': expected a built-in one (${Object.keys(table).join(', ')}). Count the built model with countParameters.`,
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
  const norm = of('norm', norms, config);
  const block =
    of('attention', attentions, config) + of('ffn', feedForwards, config) + (config.ffn === 'none' ? 1 : 2) * norm;
  return vocabulary * width * (tied ? 1 : 2) + of('positions', positions, config) + depth * block + norm;
}
