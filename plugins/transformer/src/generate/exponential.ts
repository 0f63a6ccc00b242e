/**
 * e^x in double precision for x of 0 and below.
 *
 * Sampling takes one exponential for each token of the vocabulary. `Math.exp` is slow in that loop, and engines may
 * round it differently: then the same seed would draw different texts on different machines.
 */

const parts = 32;
const scale = parts / Math.LN2;
const step = Math.LN2 / parts;

/** 2^-whole and 2^(part / 32). */
const wholes = Float64Array.from({ length: 1100 }, (_, i) => 2 ** -i);
const fractions = Float64Array.from({ length: parts }, (_, i) => rootOfTwo(i));

/** 2^(i / 32) by square roots alone, which every engine rounds alike. */
function rootOfTwo(i: number): number {
  let root = 2;
  let value = 1;
  for (let bit = parts / 2; bit >= 1; bit /= 2) {
    root = Math.sqrt(root);
    if (i & bit) value *= root;
  }
  return value;
}

/** @param x at most 0; below -745 the result is 0. Relative error below 1e-12. */
export function exponential(x: number): number {
  if (!(x > -745)) return 0;
  const n = Math.floor(x * scale);
  const r = x - n * step; // 0 to ln2 / 32
  const taylor = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r / 720)))));
  return taylor * fractions[n & (parts - 1)]! * wholes[-(n >> 5)]!;
}
