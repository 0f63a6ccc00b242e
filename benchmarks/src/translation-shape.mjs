/** A translator and its sentences: what greedy decoding is timed with. */

import { createEncoderDecoder } from '@heddle/transformer';
import { generator } from './reference-step.mjs';

export const shape = { V: 4000, D: 256, L: 3, H: 4, F: 1024, S: 40, T: 32, batch: 50, sentences: 1000, tokens: 24 };
export const tiny = { V: 64, D: 16, L: 1, H: 2, F: 32, S: 12, T: 8, batch: 4, sentences: 8, tokens: 4 };

export const createModel = ({ V, D, L, H, F, S, T }) =>
  createEncoderDecoder({
    vocabulary: V,
    width: D,
    depth: L,
    encoderDepth: L,
    heads: H,
    hidden: F,
    length: T,
    sourceLength: S,
    ffn: 'relu',
    norm: 'layer',
    positions: 'learned',
    bias: true,
  });

/** Sources of 6 tokens up to the longest, in the order in which everybody draws them. */
export function sources({ V, S, sentences }) {
  const draw = generator(11);
  return Array.from({ length: sentences }, () => {
    const length = 6 + Math.floor(draw() * (S - 5));
    return Array.from({ length }, () => Math.floor(draw() * V));
  });
}
