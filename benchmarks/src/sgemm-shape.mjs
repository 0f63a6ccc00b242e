/** What every contestant of the matrix product multiplies. */

/** Products in one timed step: small ones are too short for the clock. */
export const repeatsOf = size => Math.max(2, Math.min(40, Math.round((640 / Number(size)) ** 3)));

export const matrix = (n, seed) => Float32Array.from({ length: n * n }, (_, i) => Math.sin(i * 0.7 + seed));
