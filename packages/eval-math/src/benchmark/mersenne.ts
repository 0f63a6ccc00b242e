/** MT19937 as NumPy's `np.random.seed` starts it: what published bootstrap figures were drawn with. */

/** 32-bit numbers, one after another. */
export function mersenne(seed: number): () => number {
  const state = new Uint32Array(624);
  state[0] = seed >>> 0;
  for (let i = 1; i < 624; i++) {
    const x = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = (Math.imul(1_812_433_253, x) + i) >>> 0;
  }
  let at = 624;
  return () => {
    if (at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i]! & 0x8000_0000) | (state[(i + 1) % 624]! & 0x7fff_ffff);
        state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908_b0df : 0);
      }
      at = 0;
    }
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    y ^= y >>> 18;
    return y >>> 0;
  };
}

/** Whole numbers from 0 to n - 1, as NumPy's legacy `choice` draws them: masked, and drawn again when too large. */
export function indices(draw: () => number, n: number): () => number {
  if (n <= 1) return () => 0;
  let mask = 1;
  while (mask < n - 1) mask = mask * 2 + 1;
  return () => {
    for (;;) {
      const value = (draw() & mask) >>> 0;
      if (value < n) return value;
    }
  };
}
