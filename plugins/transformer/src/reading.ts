/** The ways in which tokens look at each other: all of a text at once, or new ones over a cache. */

import { fail, where, type Tensor } from '@heddle/core';
import { cacheWrite } from './cache-write.js';
import type { Seen } from './stack.js';

/** Every token at once: what is remembered is what was made. @shape mask [B | 1, 1, N, S] */
export const wholeText = (mask: Tensor): Seen => ({ mask, remember: (_, make) => make() });

/** New tokens, written to their places in a cache. @shape mask [B, N, C], places i32[B, N] */
export function writing(
  mask: Tensor,
  cache: Readonly<Record<string, Tensor>>,
  places: Tensor,
): { readonly seen: Seen; readonly written: Readonly<Record<string, Tensor>> } {
  const [B, N, C] = mask.shape as readonly [number, number, number];
  const written: Record<string, Tensor> = {};
  const remember = (name: string, make: () => Tensor): Tensor =>
    (written[name] = cacheWrite(kept(cache, name), make(), places));
  return { seen: { mask: mask.reshape(B, 1, N, C), remember }, written };
}

/** @throws E_CACHE */
export const kept = (cache: Readonly<Record<string, Tensor>>, name: string): Tensor =>
  cache[name] ??
  fail(
    'E_CACHE',
    `cache '${name}': expected a tensor, received none. Feed what model.cache(batch, capacity) names, and model.memory of an encoder-decoder.`,
    { name },
  );

const hidden = -1e9;

/** Hides what is no token. @shape mask f32[B, S], 1 where there is one -> [B, 1, 1, S] */
export const lookingAt = (mask: Tensor): Tensor =>
  where(mask.greater(0), 0, hidden).reshape(mask.shape[0]!, 1, 1, mask.shape[1]!);

/** @returns the number of tokens a row @throws E_LENGTH */
export function expectTokens(model: string, what: string, ids: Tensor, length: number): number {
  const T = ids.shape[1]!;
  if (ids.rank !== 2 || T > length) {
    fail(
      'E_LENGTH',
      `${model}: expected ${what} i32[B, T] with T up to ${length}, received ${ids.dtype}[${ids.shape.join(', ')}]. Cut the text, or raise \`${what === 'source' ? 'sourceLength' : 'length'}\`.`,
      { length, shape: ids.shape },
    );
  }
  return T;
}

/** Through the output layer, or the embedding transposed. @shape last [B, N, D], weight [V, D] -> [B, N, V] */
export const logitsOf = ({ head }: { readonly head?: (x: Tensor) => Tensor }, weight: Tensor, last: Tensor): Tensor =>
  head ? head(last) : last.matmul(weight, { transposeRight: true });
