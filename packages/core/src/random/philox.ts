/**
 * Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A number depends on a key, a stream and its position, never on what was drawn before. So every engine gets the
 * same bits, and a resumed run draws what the first one would have drawn.
 */

import { philoxModule, wordsAtOnce } from './philox-wasm.js';

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/**
 * High 32 bits of an unsigned 32 x 32 product, as a signed number: a double holds no 64-bit product.
 *
 * By 16-bit halves, in 32-bit integers throughout: engines then keep them in registers. No sum here exceeds 32 bits.
 */
function high(mh: number, ml: number, x: number): number {
  const xl = x & 0xffff;
  const xh = x >>> 16;
  const middle = (Math.imul(mh, xl) + (Math.imul(ml, xl) >>> 16)) | 0;
  const cross = (Math.imul(ml, xh) + (middle & 0xffff)) | 0;
  return (Math.imul(mh, xh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/**
 * Ten rounds on one block.
 *
 * @param out receives four unsigned 32-bit words
 */
export function philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: Uint32Array): void {
  c0 |= 0;
  c1 |= 0;
  c2 |= 0;
  c3 |= 0;
  k0 |= 0;
  k1 |= 0;
  for (let round = 0; round < 10; round++) {
    const h0 = high(0xd251, 0x1f53, c0);
    const l0 = Math.imul(M0, c0);
    const h1 = high(0xcd9e, 0x8d57, c2);
    const l1 = Math.imul(M1, c2);
    c0 = h1 ^ c1 ^ k0;
    c1 = l1;
    c2 = h0 ^ c3 ^ k1;
    c3 = l0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/**
 * Fills with uniform numbers in [0, 1), 24 bits each, so that every one is exact in float32.
 *
 * @param key0 seed of the run
 * @param key1 step
 * @param stream where in the model; see `streamOf`
 */
export function randomUniform(
  out: Float32Array | Float64Array | Int32Array | Uint8Array,
  key0: number,
  key1: number,
  stream: number,
): void {
  eachPart(out.length, key0, key1, stream, (words, from, count) => {
    for (let i = 0; i < count; i++) out[from + i] = (words[i]! >>> 8) / 0x1000000;
  });
}

/** Whether each of the same numbers lies below a bound: 1 or 0. */
export function randomBelow(out: Uint8Array, key0: number, key1: number, stream: number, bound: number): void {
  const goal = bound * 0x1000000;
  eachPart(out.length, key0, key1, stream, (words, from, count) => {
    for (let i = 0; i < count; i++) out[from + i] = words[i]! >>> 8 < goal ? 1 : 0;
  });
}

/** Few numbers are made before a module of WebAssembly is. */
const few = 4096;

/** Words 0 to `length` of a stream, part by part: `count` of them at `from`. */
function eachPart(
  length: number,
  key0: number,
  key1: number,
  stream: number,
  take: (words: Uint32Array, from: number, count: number) => void,
): void {
  const module = length > few ? philoxModule() : null;
  const words = module?.words ?? new Uint32Array(4);
  const most = module ? wordsAtOnce : 4;
  for (let from = 0; from < length; from += most) {
    const count = Math.min(most, length - from);
    const block = (from / 4) >>> 0;
    if (module) module.fill(block, 4 * Math.ceil(count / 16), stream >>> 0, key0 >>> 0, key1 >>> 0);
    else philox(block, 0, stream >>> 0, 0, key0 >>> 0, key1 >>> 0, words);
    take(words, from, count);
  }
}

/** A stream number for a name, such as the path of a layer: FNV-1a over its UTF-16 units. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ (name.charCodeAt(i) & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (name.charCodeAt(i) >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** An endless stream of uniform numbers, for host code such as initialisers and shuffles. */
export function uniforms(seed: number, stream: number): () => number {
  const words = new Uint32Array(4);
  let block = 0;
  let at = 4;
  return () => {
    if (at === 4) {
      philox(
        block >>> 0,
        Math.floor(block / 0x100000000),
        stream >>> 0,
        1,
        seed >>> 0,
        Math.floor(seed / 0x100000000) >>> 0,
        words,
      );
      block++;
      at = 0;
    }
    return (words[at++]! >>> 8) / 0x1000000;
  };
}
