/** What a whole PartialFormer is: an encoder and a decoder of blocks, as plain JSON. */

import { expectCount, expectKnown, partialConfig, refuse, type PartialConfig, type PartialOptions } from './config.js';

export type StackConfig = {
  /** Number of layers. */
  readonly depth: number;
  readonly expandHeads: number;
  readonly coreHeads: number;
  readonly ratio: number;
  /** Whether the stack has a global map. */
  readonly globalMap: boolean;
};

/** What both stacks share beside their sizes. */
export type BlockConfig = Omit<PartialConfig, 'width' | 'heads' | 'expandHeads' | 'coreHeads' | 'ratio'>;

export type PartialFormerConfig = {
  readonly vocabulary: number;
  /** Longest text in tokens. */
  readonly length: number;
  readonly width: number;
  /** Nominal heads h: width / heads is the width d of a head. */
  readonly heads: number;
  readonly encoder: StackConfig;
  readonly decoder: StackConfig;
  /** Scaling, ablations and dropout of every block. */
  readonly block: BlockConfig;
  /** Norms before each block and at the end; otherwise after each block. */
  readonly preNorm: boolean;
  /** Share of cells dropped after the embedding and after each block while training. */
  readonly dropout: number;
  /** Longest distance that keys of the global maps tell apart; 0: none. */
  readonly distance: number;
  /** Id of padding. */
  readonly padding: number;
  readonly epsilon: number;
};

/** What must be said; the rest has the defaults of the authors' arguments, with complex scaling. */
export type PartialFormerOptions = Partial<Omit<PartialFormerConfig, 'encoder' | 'decoder' | 'block'>> &
  Pick<PartialFormerConfig, 'vocabulary'> & {
    readonly encoder?: Partial<StackConfig>;
    readonly decoder?: Partial<StackConfig>;
    readonly block?: Partial<BlockConfig>;
  };

const what = 'partialformer';

const names = 'vocabulary length width heads encoder decoder block preNorm dropout distance padding epsilon'.split(' ');

/**
 * Fills a configuration and checks it.
 *
 * @throws E_CONFIG naming the field, what it must be and what came
 */
export function partialFormerConfig(options: PartialFormerOptions): PartialFormerConfig {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    refuse(what, 'options', 'an object such as { vocabulary: 1000 }', options);
  const { heads = 8, encoder = {}, decoder = {}, block = {}, ...rest } = options;
  const stack: StackConfig = { depth: 6, expandHeads: heads, coreHeads: heads, ratio: 4, globalMap: true };
  const config = {
    length: 1024,
    width: 512,
    preNorm: true,
    dropout: 0,
    distance: 0,
    padding: 1,
    epsilon: 1e-5,
    ...rest,
    heads,
    encoder: { ...stack, ...encoder },
    decoder: { ...stack, ratio: 2, globalMap: false, ...decoder },
  };
  expectKnown(what, config, names);
  for (const name of ['vocabulary', 'length', 'width', 'heads'] as const) expectCount(what, name, config[name]);
  for (const name of ['distance', 'padding'] as const) expectCount(what, name, config[name], 0);
  if (config.padding >= config.vocabulary)
    refuse(what, 'padding', `an id below the vocabulary ${config.vocabulary}`, config.padding);
  if (typeof config.preNorm !== 'boolean') refuse(what, 'preNorm', 'true or false', config.preNorm);
  if (!(typeof config.dropout === 'number' && config.dropout >= 0 && config.dropout < 1))
    refuse(what, 'dropout', 'a share from 0 up to, not including, 1', config.dropout);
  if (!(Number.isFinite(config.epsilon) && config.epsilon > 0))
    refuse(what, 'epsilon', 'a number above 0', config.epsilon);
  for (const [name, one] of Object.entries({ encoder: config.encoder, decoder: config.decoder })) {
    expectKnown(`${what}: ${name}`, one, Object.keys(stack));
    expectCount(`${what}: ${name}`, 'depth', one.depth);
    if (typeof one.globalMap !== 'boolean') refuse(`${what}: ${name}`, 'globalMap', 'true or false', one.globalMap);
  }
  for (const name of ['width', 'heads', 'expandHeads', 'coreHeads', 'ratio']) {
    if (name in block)
      refuse(
        what,
        `block.${name}`,
        'what is no size',
        (block as Record<string, unknown>)[name],
        'Sizes stand in the model or its stacks.',
      );
  }
  const filled = partialConfig({ ...block, width: config.width, heads });
  // Each stack's sizes, checked by the block's own rules.
  for (const one of [config.encoder, config.decoder]) partialConfig(blockOf({ ...config, block: filled }, one));
  const { width: _w, heads: _h, expandHeads: _e, coreHeads: _g, ratio: _r, ...shared } = filled;
  return { ...config, block: shared };
}

/** A stack's blocks. */
export const blockOf = (
  { width, heads, block }: Pick<PartialFormerConfig, 'width' | 'heads' | 'block'>,
  { expandHeads, coreHeads, ratio }: StackConfig,
): PartialOptions => ({ ...block, width, heads, expandHeads, coreHeads, ratio });
