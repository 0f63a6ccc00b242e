/** What an EMHA is: options as plain JSON, filled with defaults and checked before anything is built. */

import { fail, type AttentionRole } from '@heddle/core';

/**
 * Which convolutions mix the maps. `full`: inner expand and reduce, then cross expand and reduce. `light`: one hidden
 * layer that both interactions share, inner expand and cross reduce (EIT's efficient version). `map`: a single inner
 * convolution (the reduced class of the authors' code).
 */
export type Form = 'full' | 'light' | 'map';

/** What becomes of the maps of one query head. Other than `mix` is for ablations: their mean, or its own key head's alone. */
export type Inner = 'mix' | 'mean' | 'own';

/**
 * Cells that may not be seen are set to 0 between convolutions: `first` before the first one only, `every` time, or
 * never. `auto` is `every` where some kernel is wider than 1, and `none` otherwise: a kernel of 1 cannot leak.
 */
export type ZeroFill = 'auto' | 'none' | 'first' | 'every';

export type EmhaOptions = {
  /** Sizes to start from; what is said beside it has precedence. Default `light` for that form, else `paperlike`. */
  readonly preset?: PresetName;
  readonly form?: Form;
  readonly inner?: Inner;
  /** false leaves the cross-subspace interaction out. */
  readonly cross?: boolean;
  /** Hidden maps of each query head. */
  readonly innerHidden?: number;
  /** Instead: all hidden maps together are this times query heads times key heads, cut to a whole number. */
  readonly innerExpansion?: number;
  /** Width of the inner kernels along the keys; odd. */
  readonly innerKernel?: number;
  /** Groups of the inner convolutions. Default one for each query head: what makes them inner. */
  readonly innerGroups?: number;
  /** Hidden maps of the cross-subspace interaction. */
  readonly crossHidden?: number;
  /** Instead: this times the heads, cut to a whole number. */
  readonly crossExpansion?: number;
  readonly crossKernel?: number;
  /** Groups of the cross convolutions. Default 1: every head reaches every head. */
  readonly crossGroups?: number;
  readonly zeroFill?: ZeroFill;
  /** Reach in tokens of learned relative positions on the keys (Shaw et al. 2018); 0 for none. */
  readonly relative?: number;
  /** Share of attention cells dropped while training. */
  readonly attentionDropout?: number;
};

/** Named sizes. Published ones are unknown; see DIFFERENCES.md. */
export const emhaPresets = {
  /** 8 hidden maps a head, then 4 times the heads; kernels of 1, exact in causal decoding. */
  paperlike: { form: 'full', innerHidden: 8, innerKernel: 1, crossExpansion: 4, crossKernel: 1 },
  /** Defaults of the authors' published code. */
  repo: { form: 'full', innerExpansion: 2, innerKernel: 7, crossExpansion: 8, crossKernel: 3 },
  /** The efficient version: one hidden layer of two maps a head. */
  light: { form: 'light', innerHidden: 2, innerKernel: 1, crossKernel: 1 },
} as const satisfies Readonly<Record<string, Omit<EmhaOptions, 'preset'>>>;

export type PresetName = keyof typeof emhaPresets;

/** What every attention is told, as far as this one reads it. */
export type EmhaConfig = EmhaOptions & {
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values; fewer than `heads` is grouped-query attention. Default `heads`. */
  readonly keyHeads?: number;
  /** Biases of the four projections. Default true. Convolutions have theirs always. */
  readonly bias?: boolean;
  /** What the attention is for; between a text and a source (`cross`) there are no relative positions. */
  readonly role?: AttentionRole;
};

/** Everything said and checked. Hidden sizes are totals. */
export interface EmhaSizes {
  readonly width: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headWidth: number;
  readonly bias: boolean;
  readonly form: Form;
  readonly inner: Inner;
  readonly cross: boolean;
  readonly innerHidden: number;
  readonly innerKernel: number;
  readonly innerGroups: number;
  readonly crossHidden: number;
  readonly crossKernel: number;
  readonly crossGroups: number;
  readonly zeroFill: Exclude<ZeroFill, 'auto'>;
  readonly relative: number;
  readonly attentionDropout: number;
}

const known = (
  'preset form inner cross innerHidden innerExpansion innerKernel innerGroups ' +
  'crossHidden crossExpansion crossKernel crossGroups zeroFill relative attentionDropout'
).split(' ');
/** Told to every attention, read or not. */
const told = ['width', 'heads', 'keyHeads', 'bias', 'dropout', 'role', 'block', 'depth', 'length'];

const refuse = (name: string, expected: string, received: unknown, advice = ''): never =>
  fail(
    'E_CONFIG',
    `emha: ${name}: expected ${expected}, received ${JSON.stringify(received) ?? String(received)}.${advice && ` ${advice}`}`,
    { name, received },
  );

/**
 * Fills options and checks them.
 *
 * @throws E_CONFIG naming the option, what it must be and what came
 */
export function emhaSizes(config: EmhaConfig): EmhaSizes {
  for (const name of Object.keys(config)) {
    if (!known.includes(name) && !told.includes(name))
      refuse('options', `some of ${known.join(', ')}`, name, 'Correct the name.');
  }
  const preset = config.preset ?? (config.form === 'light' ? 'light' : 'paperlike');
  oneOf('preset', preset, Object.keys(emhaPresets));
  const said = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined)) as EmhaConfig;
  const { width, heads, ...options } = { ...startOf(preset, said), ...said };
  whole('width', width);
  whole('heads', heads);
  if (width % heads !== 0) refuse('heads', `a divisor of the width ${width}`, heads, 'Change either.');
  const { keyHeads = heads, bias = true, form = 'full', inner = 'mix', cross = true, zeroFill = 'auto' } = options;
  whole('keyHeads', keyHeads);
  if (heads % keyHeads !== 0) refuse('keyHeads', `a divisor of the ${heads} heads`, keyHeads, 'Change either.');
  oneOf('form', form, ['full', 'light', 'map']);
  oneOf('inner', inner, ['mix', 'mean', 'own']);
  oneOf('zeroFill', zeroFill, ['auto', 'none', 'first', 'every']);
  for (const [name, value] of Object.entries({ cross, bias })) {
    if (typeof value !== 'boolean') refuse(name, 'true or false', value);
  }
  const { relative = 0, attentionDropout = 0 } = options;
  if (!Number.isSafeInteger(relative) || relative < 0) refuse('relative', 'a whole number of tokens from 0', relative);
  if (!(typeof attentionDropout === 'number' && attentionDropout >= 0 && attentionDropout < 1))
    refuse('attentionDropout', 'a share from 0 up to, not including, 1', attentionDropout);
  if (form !== 'full' && inner !== 'mix')
    refuse('inner', `'mix' with the form '${form}', which has no cross interaction of its own`, inner, "Use 'full'.");
  if (form === 'light' && !cross)
    refuse('cross', "true with the form 'light', whose hidden maps only cross reduce brings together", cross);
  const [innerKernel, crossKernel] = [options.innerKernel ?? 1, options.crossKernel ?? 1];
  odd('innerKernel', innerKernel);
  odd('crossKernel', crossKernel);
  const innerHidden =
    form === 'map' ? heads : hidden('inner', options.innerHidden, options.innerExpansion, heads, heads * keyHeads);
  const crossHidden = hidden('cross', options.crossHidden, options.crossExpansion, 1, heads);
  const { innerGroups = heads, crossGroups = 1 } = options;
  groups('innerGroups', innerGroups, { heads, 'hidden maps': innerHidden });
  groups('crossGroups', crossGroups, { heads, 'hidden maps': form === 'light' ? innerHidden : crossHidden });
  const widest = Math.max(inner === 'mix' ? innerKernel : 1, cross && form !== 'map' ? crossKernel : 1);
  return {
    width,
    heads,
    keyHeads,
    headWidth: width / heads,
    bias,
    form,
    inner,
    cross: cross && form !== 'map',
    innerHidden,
    innerKernel,
    innerGroups,
    crossHidden,
    crossKernel,
    crossGroups,
    relative,
    attentionDropout,
    zeroFill: zeroFill === 'auto' ? (widest > 1 ? 'every' : 'none') : zeroFill,
  };
}

/** A hidden size that is said replaces the preset's, whichever way either is written. */
function startOf(preset: PresetName, said: EmhaOptions): EmhaOptions {
  const { innerHidden, innerExpansion, crossHidden, crossExpansion, ...rest } = emhaPresets[preset] as EmhaOptions;
  const given = <T extends object>(x: T): T =>
    Object.fromEntries(Object.entries(x).filter(([, value]) => value !== undefined)) as T;
  return {
    ...rest,
    ...((said.innerHidden ?? said.innerExpansion) === undefined ? given({ innerHidden, innerExpansion }) : {}),
    ...((said.crossHidden ?? said.crossExpansion) === undefined ? given({ crossHidden, crossExpansion }) : {}),
  } as EmhaOptions;
}

function hidden(
  side: 'inner' | 'cross',
  maps: number | undefined,
  expansion: number | undefined,
  times: number,
  of: number,
): number {
  if (maps !== undefined && expansion !== undefined)
    refuse(`${side}Hidden`, `${side}Hidden or ${side}Expansion, not both`, maps, 'Leave one out.');
  if (expansion === undefined) {
    const count = maps ?? 4;
    whole(`${side}Hidden`, count);
    return count * times;
  }
  if (!(Number.isFinite(expansion) && Math.trunc(expansion * of) >= 1))
    refuse(`${side}Expansion`, `a number that gives at least one map of ${of}`, expansion);
  return Math.trunc(expansion * of);
}

function oneOf(name: string, value: unknown, names: readonly string[]): void {
  if (!names.includes(value as string)) refuse(name, `one of ${names.join(', ')}`, value);
}

function whole(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 1) refuse(name, 'a whole number from 1 up', value);
}

function odd(name: string, value: number): void {
  whole(name, value);
  if (value % 2 === 0)
    refuse(name, 'an odd number, so that a map keeps its width', value, `Use ${value - 1} or ${value + 1}.`);
}

function groups(name: string, value: number, parts: Readonly<Record<string, number>>): void {
  whole(name, value);
  for (const [part, count] of Object.entries(parts)) {
    if (count % value !== 0) refuse(name, `a divisor of the ${count} ${part}`, value, 'Change either.');
  }
}
