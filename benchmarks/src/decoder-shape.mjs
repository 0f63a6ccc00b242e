/** The decoder of the decode benchmark: Llama-like, 100 M parameters, with weights that every contestant draws alike. */

export const decoderShape = { V: 32_000, D: 768, L: 12, H: 12, G: 4, F: 2048, S: 512 };
export const tinyDecoder = { V: 256, D: 64, L: 2, H: 4, G: 2, F: 128, S: 64 };

/** Matrices in the order in which they are drawn. */
export function matrices({ V, D, L, H, G, F }) {
  const d = D / H;
  const specs = [['embedding', [V, D]]];
  for (let l = 0; l < L; l++) {
    specs.push([`q${l}`, [D, H * d]], [`k${l}`, [D, G * d]], [`v${l}`, [D, G * d]], [`o${l}`, [H * d, D]]);
    specs.push([`up${l}`, [D, F]], [`gate${l}`, [D, F]], [`down${l}`, [F, D]]);
  }
  return specs;
}

/** Gains of the norms: all ones. */
export const gains = ({ D, L }) => [
  ...Array.from({ length: L }, (_, l) => [`norm1_${l}`, `norm2_${l}`])
    .flat()
    .map(name => [name, [D]]),
  ['norm', [D]],
];

/** @returns {Record<string, { shape: number[], data: Float32Array }>} */
export function decoderWeights(dims) {
  let s = 1;
  const draw = size => {
    const out = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      s = (Math.imul(s, 1664525) + 1013904223) | 0;
      out[i] = (s * 0.02) / 2147483648;
    }
    return out;
  };
  const drawn = matrices(dims).map(([name, shape]) => [name, { shape, data: draw(shape[0] * shape[1]) }]);
  const ones = gains(dims).map(([name, shape]) => [name, { shape, data: new Float32Array(shape[0]).fill(1) }]);
  return Object.fromEntries([...drawn, ...ones]);
}

/** First tokens of the rows. */
export const firstTokens = ({ V }, batch) => Int32Array.from({ length: batch }, (_, i) => (i * 7 + 1) % V);

/** Cosine and sine of rotary positions. @shape -> [S, d / 2] each */
export function angles({ S, D, H }) {
  const half = D / H / 2;
  const angle = i => Math.floor(i / half) * 10_000 ** (-(i % half) / half);
  const table = fn => Float32Array.from({ length: S * half }, (_, i) => fn(angle(i)));
  return { cos: table(Math.cos), sin: table(Math.sin), half };
}

/** The likeliest token of each row. */
export function greedy(logits, V) {
  const rows = logits.length / V;
  return Int32Array.from({ length: rows }, (_, b) => {
    let best = b * V;
    for (let i = best + 1; i < (b + 1) * V; i++) if (logits[i] > logits[best]) best = i;
    return best - b * V;
  });
}

/** Texts begin empty, and again when the cache is full. Every step looks over all of the cache, so each costs the same. */
export const positionOf = ({ S }, step) => step % S;
