/** What a PartialFormer block is: plain JSON, filled with defaults and checked before anything is built. */

import { fail } from '@heddle/core';

export type PartialConfig = {
  /** Width C of the model. */
  readonly width: number;
  /** Nominal heads h: they give the width d = C / h of a head, and nothing else. */
  readonly heads: number;
  /** Heads E of values, gates and feed-forwards; E * d may exceed C. Default `heads`. */
  readonly expandHeads: number;
  /** Heads G of queries and keys under complex scaling. Default `heads`. */
  readonly coreHeads: number;
  /**
   * How G maps of scores become E: `complex` mixes them by a small network over heads ("HDP" in the authors' code);
   * `naive` has a query and a key for each of the E heads.
   */
  readonly scaling: 'complex' | 'naive';
  /** Hidden width of a head's feed-forward, as a multiple r of d. Default 4. */
  readonly ratio: number;
  /** One feed-forward for all heads, one for each, or none. */
  readonly feed: 'shared' | 'perHead' | 'none';
  /** Where relu(u), a projection of the block's input, multiplies: what comes out of the heads, what goes in, nowhere. */
  readonly gate: 'after' | 'before' | 'none';
  /** Adds what goes into a head's feed-forward (and into the interaction of heads) to what comes out. */
  readonly residual: boolean;
  /** Normalises queries, keys, and what goes into a head's feed-forward. */
  readonly norms: boolean;
  /** A second gate inside each head: relu of a linear map of what goes into its feed-forward. */
  readonly innerGate: boolean;
  /** Hidden width of a network over heads after attention, as a multiple of E. 0: none. */
  readonly interaction: number;
  /** Biases in every linear map. */
  readonly bias: boolean;
  /** Share of probabilities dropped while training. */
  readonly attentionDropout: number;
  /** Share of hidden cells of the feed-forwards dropped while training. */
  readonly activationDropout: number;
  /** Share of the feed-forwards' results dropped while training, before the residual. */
  readonly feedDropout: number;
};

/** What must be said; the rest has defaults. */
export type PartialOptions = Partial<PartialConfig> & Pick<PartialConfig, 'width' | 'heads'>;

/** The block as published: complex scaling, shared feed-forwards, gate after, inner residual. */
const defaults: Omit<PartialConfig, 'width' | 'heads' | 'expandHeads' | 'coreHeads'> = {
  scaling: 'complex',
  ratio: 4,
  feed: 'shared',
  gate: 'after',
  residual: true,
  norms: false,
  innerGate: false,
  interaction: 0,
  bias: true,
  attentionDropout: 0,
  activationDropout: 0,
  feedDropout: 0,
};

const choices = {
  scaling: ['complex', 'naive'],
  feed: ['shared', 'perHead', 'none'],
  gate: ['after', 'before', 'none'],
} as const;

const known = ['width', 'heads', 'expandHeads', 'coreHeads', ...Object.keys(defaults)];

/** Names that a part may be told in `options.attention` of a model. */
export const partialNames: readonly string[] = known;

/** @throws E_CONFIG in the words of every configuration here */
export function refuse(what: string, name: string, expected: string, received: unknown, advice = ''): never {
  return fail(
    'E_CONFIG',
    `${what}: ${name}: expected ${expected}, received ${JSON.stringify(received) ?? String(received)}.${advice && ` ${advice}`}`,
    { name, received },
  );
}

/** @throws E_CONFIG unless `value` is a whole number of at least `least` */
export function expectCount(what: string, name: string, value: unknown, least = 1): void {
  if (!Number.isSafeInteger(value) || (value as number) < least)
    refuse(what, name, `a whole number of at least ${least}`, value);
}

/** @throws E_CONFIG for a name that is not among the known ones */
export function expectKnown(what: string, given: object, names: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) refuse(what, name, `one of ${names.join(', ')}`, name, 'Correct the name.');
  }
}

/**
 * Fills a block's configuration and checks it.
 *
 * @throws E_CONFIG naming the field, what it must be and what came
 */
export function partialConfig(options: PartialOptions): PartialConfig {
  const what = 'partial block';
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    refuse(what, 'options', 'an object such as { width: 64, heads: 4 }', options);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  expectKnown(what, given, known);
  const { heads } = options;
  // Checked right below: what came may be any JSON.
  const config = { ...defaults, expandHeads: heads, coreHeads: heads, ...given } as PartialConfig;
  for (const name of ['width', 'heads', 'expandHeads', 'coreHeads', 'ratio'] as const)
    expectCount(what, name, config[name]);
  expectCount(what, 'interaction', config.interaction, 0);
  for (const name of ['residual', 'norms', 'innerGate', 'bias'] as const) {
    if (typeof config[name] !== 'boolean') refuse(what, name, 'true or false', config[name]);
  }
  for (const [name, allowed] of Object.entries(choices)) {
    const value = config[name as keyof typeof choices];
    if (!(allowed as readonly string[]).includes(value)) refuse(what, name, `one of ${allowed.join(', ')}`, value);
  }
  for (const name of ['attentionDropout', 'activationDropout', 'feedDropout'] as const) {
    const rate = config[name];
    if (!(typeof rate === 'number' && rate >= 0 && rate < 1))
      refuse(what, name, 'a share from 0 up to, not including, 1', rate);
  }
  if (config.width % config.heads !== 0)
    refuse(what, 'heads', `a divisor of the width ${config.width}`, config.heads, 'Change either: d = width / heads.');
  if (config.innerGate && config.feed === 'none')
    refuse(what, 'innerGate', 'false where there is no feed-forward', true, "Set it to false, or `feed` to 'shared'.");
  return config;
}

/** Width d of a head. */
export const headWidth = ({ width, heads }: PartialConfig): number => width / heads;

/** Heads of queries and keys: G under complex scaling, otherwise E. */
export const scoreHeads = ({ scaling, coreHeads, expandHeads }: PartialConfig): number =>
  scaling === 'complex' ? coreHeads : expandHeads;
