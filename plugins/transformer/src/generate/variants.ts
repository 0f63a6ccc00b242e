/** Parameters that a program holds several of, such as adapters: each slot of a batch computes with one of them. */

import { fail, sameShape, showType, type Feeds, type HostTensor, type Tensor, type Types } from '@heddle/core';
import type { DecodeProgram } from './program.js';

/** By path: [K, ...the parameter's own shape]. `stackLora` of `@heddle/mmt-merge` makes them of adapters. */
export type Variants = Readonly<Record<string, HostTensor>>;

/**
 * @returns how many there are of each; 0 without variants
 * @throws E_PARAMETER for one that the model has not, of another shape, or not as many as of the others
 */
export function countVariants(variants: Variants, types: Types): number {
  const count = Object.values(variants)[0]?.shape[0] ?? 0;
  for (const [name, given] of Object.entries(variants)) {
    const type =
      types[name] ??
      fail('E_PARAMETER', `variants of '${name}': expected a parameter of the model, received another. They belong to another configuration.`, { name }); // prettier-ignore
    if (given.dtype !== type.dtype || count < 1 || !sameShape(given.shape, [count, ...type.shape]))
      fail('E_PARAMETER', `variants of '${name}': expected ${showType({ ...type, shape: [Math.max(1, count), ...type.shape] })}, received ${showType(given)}. Stack as many of each parameter.`, { name }); // prettier-ignore
  }
  return count;
}

/** What each row computes with. @shape of each variant [K, ...s], chosen i32[B] -> [B, ...s] */
export const chosenVariants = (
  variants: Readonly<Record<string, Tensor>>,
  chosen: Tensor,
): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(Object.entries(variants).map(([name, t]) => [name, t.gather(chosen)]));

export interface Choices {
  /** @param variant default the first @throws E_PROMPT for one that there is not */
  choose(slot: number, variant: number | undefined): void;
  /** @param slots whose variants, in this order; default all */
  feeds(slots?: readonly number[]): Feeds;
}

/** The variant of each slot. */
export function createChoices({ batch, variants }: Pick<DecodeProgram, 'batch' | 'variants'>): Choices {
  const chosen = new Int32Array(batch);
  return {
    choose(slot, variant) {
      chosen[slot] = expectVariant(`slot ${slot}`, variant, variants);
    },
    feeds: (slots = Array.from(chosen.keys())) =>
      variants === 0
        ? {}
        : { variant: { dtype: 'i32', shape: [slots.length], data: Int32Array.from(slots, slot => chosen[slot]!) } },
  };
}

/** @throws E_PROMPT */
export function expectVariant(what: string, variant: number | undefined, count: number): number {
  if (variant === undefined) return 0;
  if (!Number.isInteger(variant) || variant < 0 || variant >= count)
    fail('E_PROMPT', `${what}: variant: expected ${count === 0 ? 'none, for there are no variants' : `a whole number from 0 to ${count - 1}`}, received ${variant}.`, { variant, count }); // prettier-ignore
  return variant;
}
