/** What a decoder-only Transformer is: plain JSON, filled with defaults and checked before anything is built. */

import { fail, type Json } from '@heddle/core';

/** JSON that a part of your own reads beside what every part is told. */
export type PartOptions = { readonly [name: string]: Json };

export type DecoderConfig = {
  /** Number of token ids. */
  readonly vocabulary: number;
  /** Longest text in tokens. */
  readonly length: number;
  readonly width: number;
  /** Number of blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Heads of keys and values; fewer than `heads` is grouped-query attention. Default `heads`. */
  readonly keyHeads: number;
  /** Inner width of the feed-forward. Default 4 widths, or 8/3 of it, rounded up to 16, for `swiglu`: equal parameters. */
  readonly hidden: number;
  /** A name among ATTENTION: `standard` is built in. */
  readonly attention: string;
  /** A name among FFN: `swiglu`, `gelu` and `relu` are built in. `none`: blocks of attention alone. */
  readonly ffn: string;
  /** A name among NORM: `rms` and `layer` are built in. */
  readonly norm: string;
  /** A name among POSITIONS: `rotary`, `learned`, `sinusoidal` and `none` are built in. */
  readonly positions: string;
  /** Wavelengths of rotary positions reach up to this times 2 pi. */
  readonly ropeBase: number;
  /** Added to the variance in norms. Default 1e-6 for `rms`, 1e-5 for others. */
  readonly epsilon: number;
  /** The output layer is the embedding, transposed. */
  readonly tied: boolean;
  /** Biases in attention and feed-forward. */
  readonly bias: boolean;
  /** Share of cells dropped after the embedding, the attention and the feed-forward while training. */
  readonly dropout: number;
  readonly options: {
    readonly attention?: PartOptions;
    readonly ffn?: PartOptions;
    readonly norm?: PartOptions;
    readonly positions?: PartOptions;
  };
};

/** What must be said; the rest has defaults. */
export type PartialDecoderConfig = Partial<DecoderConfig> & Pick<DecoderConfig, 'vocabulary'>;

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/**
 * Fills a configuration and checks it.
 *
 * @throws E_CONFIG naming the field, what it must be and what came
 */
export function decoderConfig(partial: PartialDecoderConfig): DecoderConfig {
  if (typeof partial !== 'object' || partial === null || Array.isArray(partial)) {
    fail(
      'E_CONFIG',
      `decoder: expected an object such as { vocabulary: 256 }, received ${JSON.stringify(partial)}.`,
      {},
    );
  }
  const { width = 256, heads = Math.max(1, Math.round(width / 64)), ffn = 'swiglu', norm = 'rms' } = partial;
  const defaults: Omit<DecoderConfig, 'vocabulary'> = {
    length: 256,
    width,
    depth: 4,
    heads,
    keyHeads: heads,
    hidden: ffn === 'swiglu' ? roundUp((8 * width) / 3, 16) : 4 * width,
    attention: 'standard',
    ffn,
    norm,
    positions: 'rotary',
    ropeBase: 10_000,
    epsilon: norm === 'rms' ? 1e-6 : 1e-5,
    tied: true,
    bias: false,
    dropout: 0,
    options: {},
  };
  const given = Object.fromEntries(Object.entries(partial).filter(([, value]) => value !== undefined));
  const known = ['vocabulary', ...Object.keys(defaults)];
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      fail(
        'E_CONFIG',
        `decoder: expected one of ${known.join(', ')}, received '${name}'. Correct the name; what a part of your own reads goes into \`options\`.`,
        { name },
      );
    }
  }
  // Checked right below: what came may be any JSON.
  const config = { ...defaults, ...given } as DecoderConfig;
  checkTypes(config);
  checkRelations(config);
  return config;
}

const refuse = (name: keyof DecoderConfig, expected: string, received: unknown, advice = ''): never =>
  fail(
    'E_CONFIG',
    `decoder: ${name}: expected ${expected}, received ${JSON.stringify(received)}.${advice && ` ${advice}`}`,
    { name, received },
  );

const counts = ['vocabulary', 'length', 'width', 'depth', 'heads', 'keyHeads', 'hidden'] as const;
const names = ['attention', 'ffn', 'norm', 'positions'] as const;

function checkTypes(config: DecoderConfig): void {
  for (const name of counts) {
    if (!Number.isSafeInteger(config[name]) || config[name] < 1)
      refuse(name, 'a whole number of at least 1', config[name]);
  }
  for (const name of names) {
    if (typeof config[name] !== 'string' || config[name] === '') refuse(name, 'the name of a part', config[name]);
  }
  for (const name of ['tied', 'bias'] as const) {
    if (typeof config[name] !== 'boolean') refuse(name, 'true or false', config[name]);
  }
  for (const name of ['ropeBase', 'epsilon'] as const) {
    if (!(Number.isFinite(config[name]) && config[name] > 0)) refuse(name, 'a number above 0', config[name]);
  }
  if (!(typeof config.dropout === 'number' && config.dropout >= 0 && config.dropout < 1))
    refuse('dropout', 'a share from 0 up to, not including, 1', config.dropout);
  const { options } = config;
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(options)) refuse('options', 'an object with options by part', options);
  for (const [part, value] of Object.entries(options)) {
    if (!(names as readonly string[]).includes(part) || !isObject(value))
      refuse('options', `objects under ${names.join(', ')}`, options);
  }
}

function checkRelations({ width, heads, keyHeads, positions }: DecoderConfig): void {
  if (width % heads !== 0) refuse('heads', `a divisor of the width ${width}`, heads, 'Change either.');
  if (heads % keyHeads !== 0)
    refuse('keyHeads', `a divisor of the ${heads} heads`, keyHeads, 'Each key head serves equally many query heads.');
  if (positions === 'rotary' && (width / heads) % 2 !== 0) {
    refuse(
      'heads',
      `an even head width for rotary positions, width ${width} / heads ${heads} = ${width / heads}; another number`,
      heads,
      'Change width or heads, or the positions.',
    );
  }
}

/** Sizes to start from; give `vocabulary` and `length` with them. */
export const decoderPresets = {
  /** For tests: seconds on the reference. */
  tiny: { width: 32, depth: 2, heads: 4, length: 64 },
  /** About 3 million parameters and the embedding: a minute of training on two cores. */
  small: { width: 256, depth: 4, heads: 4, length: 256 },
  /** About 85 million parameters and the embedding: GPT-2's small shape. */
  base: { width: 768, depth: 12, heads: 12, length: 1024 },
} as const satisfies Readonly<Record<string, Partial<DecoderConfig>>>;
