/** What a Transformer is: plain JSON, filled with defaults and checked before anything is built. */

import { fail, type Json } from '@heddle/core';

/** JSON that a part of your own reads beside what every part is told. */
export type PartOptions = { readonly [name: string]: Json };

/** What stacks of blocks have in common, whatever they are put together to. */
export type StackConfig = {
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
  /** Pre-norm: x + part(norm x), and a norm after the last block. false is post-norm: norm(x + part x). */
  readonly normFirst: boolean;
  /** Embeddings are multiplied by the root of the width (Vaswani et al. 2017), and begin that much smaller. */
  readonly scaleEmbedding: boolean;
  readonly options: {
    readonly attention?: PartOptions;
    /** For attention from a text to its source. Default: those of `attention`, where it is of the same name. */
    readonly cross?: PartOptions;
    readonly ffn?: PartOptions;
    readonly norm?: PartOptions;
    readonly positions?: PartOptions;
  };
};

export type DecoderConfig = StackConfig;

export type EncoderDecoderConfig = StackConfig & {
  /** Longest source in tokens. Default `length`. */
  readonly sourceLength: number;
  /** Number of blocks of the encoder; `depth` are the decoder's. Default `depth`. */
  readonly encoderDepth: number;
  /** Attention from a text to its source: a name among ATTENTION. Default `attention`. */
  readonly cross: string;
  /** Sources and texts have one embedding. */
  readonly sharedEmbedding: boolean;
};

export type ClassifierConfig = StackConfig & {
  readonly classes: number;
  /** Numbers of a token, where tokens are vectors; without it they are ids of a vocabulary. */
  readonly features?: number;
  /** What the head sees: the mean of all tokens, or the first one. */
  readonly pooling: 'mean' | 'first';
};

/** What must be said; the rest has defaults. */
export type PartialDecoderConfig = Partial<DecoderConfig> & Pick<DecoderConfig, 'vocabulary'>;
export type PartialClassifierConfig = Partial<ClassifierConfig> & Pick<ClassifierConfig, 'classes'>;
export type PartialEncoderDecoderConfig = Partial<EncoderDecoderConfig> & Pick<EncoderDecoderConfig, 'vocabulary'>;

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Classic choices of translation models (Vaswani et al. 2017), with the norm before. */
const classic = {
  ffn: 'relu',
  norm: 'layer',
  positions: 'sinusoidal',
  bias: true,
  scaleEmbedding: true,
} as const;

/**
 * Fills a configuration and checks it.
 *
 * @throws E_CONFIG naming the field, what it must be and what came
 */
export const decoderConfig = (partial: PartialDecoderConfig): DecoderConfig =>
  checked('decoder', partial, () => stackDefaults(partial));

/** The same for encoder and decoder. @throws E_CONFIG */
export const encoderDecoderConfig = (partial: PartialEncoderDecoderConfig): EncoderDecoderConfig =>
  checked<EncoderDecoderConfig>('encoder-decoder', partial, () => {
    const shared = stackDefaults({ ...classic, ...defined(partial) });
    const { length = shared.length, depth = shared.depth, attention = shared.attention } = partial;
    return {
      ...shared,
      ...classic,
      sourceLength: length,
      encoderDepth: depth,
      cross: attention,
      sharedEmbedding: true,
    };
  });

/** The same for a classifier. Vectors have no order of their own, so no positions unless asked. @throws E_CONFIG */
export const classifierConfig = (partial: PartialClassifierConfig): ClassifierConfig =>
  checked<ClassifierConfig>('classifier', 'features' in partial ? { vocabulary: 1, ...partial } : partial, () => ({
    ...stackDefaults({ ...classic, ...defined(partial) }),
    ...classic,
    ...('features' in partial ? { features: 0, positions: 'none' } : {}),
    classes: 0,
    pooling: 'mean',
  }));

function stackDefaults(partial: Partial<StackConfig>): Omit<StackConfig, 'vocabulary'> {
  const { width = 256, heads = Math.max(1, Math.round(width / 64)), ffn = 'swiglu', norm = 'rms' } = partial;
  return {
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
    normFirst: true,
    scaleEmbedding: false,
    options: {},
  };
}

const defined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function checked<C extends StackConfig>(what: string, partial: Partial<C>, defaults: () => Omit<C, 'vocabulary'>): C {
  if (typeof partial !== 'object' || partial === null || Array.isArray(partial)) {
    fail(
      'E_CONFIG',
      `${what}: expected an object such as { vocabulary: 256 }, received ${JSON.stringify(partial)}.`,
      {},
    );
  }
  const filled = defaults();
  const given = defined(partial);
  const known = ['vocabulary', ...Object.keys(filled)];
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      fail(
        'E_CONFIG',
        `${what}: expected one of ${known.join(', ')}, received '${name}'. Correct the name; what a part of your own reads goes into \`options\`.`,
        { name },
      );
    }
  }
  // Checked right below: what came may be any JSON.
  const config = { ...filled, ...given } as C;
  const refuse: Refuse = (name, expected, received, advice = '') =>
    fail(
      'E_CONFIG',
      `${what}: ${name}: expected ${expected}, received ${JSON.stringify(received)}.${advice && ` ${advice}`}`,
      { name, received },
    );
  checkTypes(config, refuse);
  checkRelations(config, refuse);
  return config;
}

type Refuse = (name: string, expected: string, received: unknown, advice?: string) => never;

const counts = 'vocabulary length width depth heads keyHeads hidden sourceLength encoderDepth features classes'.split(
  ' ',
);
const names = ['attention', 'cross', 'ffn', 'norm', 'positions'];
const truths = ['tied', 'bias', 'normFirst', 'scaleEmbedding', 'sharedEmbedding'];

function checkTypes(config: StackConfig, refuse: Refuse): void {
  const given = (fields: readonly string[]): [string, unknown][] =>
    fields.flatMap(name =>
      name in config || name === 'vocabulary' ? [[name, (config as Readonly<Record<string, unknown>>)[name]]] : [],
    );
  for (const [name, value] of given(counts)) {
    if (!Number.isSafeInteger(value) || (value as number) < 1) refuse(name, 'a whole number of at least 1', value);
  }
  for (const [name, value] of given(names)) {
    if (typeof value !== 'string' || value === '') refuse(name, 'the name of a part', value);
  }
  for (const [name, value] of given(truths)) {
    if (typeof value !== 'boolean') refuse(name, 'true or false', value);
  }
  for (const name of ['ropeBase', 'epsilon'] as const) {
    if (!(Number.isFinite(config[name]) && config[name] > 0)) refuse(name, 'a number above 0', config[name]);
  }
  const { pooling } = config as Partial<ClassifierConfig>;
  if (pooling !== undefined && pooling !== 'mean' && pooling !== 'first')
    refuse('pooling', "'mean' or 'first'", pooling);
  if (!(typeof config.dropout === 'number' && config.dropout >= 0 && config.dropout < 1))
    refuse('dropout', 'a share from 0 up to, not including, 1', config.dropout);
  const { options } = config;
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(options)) refuse('options', 'an object with options by part', options);
  const own = given(names).map(([name]) => name);
  for (const [part, value] of Object.entries(options)) {
    if (!own.includes(part) || !isObject(value)) refuse('options', `objects under ${own.join(', ')}`, options);
  }
}

function checkRelations({ width, heads, keyHeads, positions }: StackConfig, refuse: Refuse): void {
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
