/** The Mersenne Twister (Matsumoto and Nishimura 1998), seeded as NumPy's and as Python's generators seed it. */

const size = 624;
const middle = 397;

export interface Twister {
  /** 32 bits. */
  uint32(): number;
}

/** As `numpy.random.seed(seed)`: one 32-bit seed. */
export const twister = (seed: number): Twister => twisterOf(fromSeed(seed));

/** As Python's `random.seed(seed)` for a whole number from 0 to 2^53 - 1. */
export function pythonTwister(seed: number): Twister {
  const key = seed > 0xffffffff ? [seed >>> 0, Math.floor(seed / 2 ** 32)] : [seed];
  const state = fromSeed(19650218);
  let [i, j] = [1, 0];
  const before = (): number => state[i - 1]! ^ (state[i - 1]! >>> 30);
  const next = (): void => {
    if (++i < size) return;
    state[0] = state[size - 1]!;
    i = 1;
  };
  for (let k = Math.max(size, key.length); k > 0; k--) {
    state[i] = (state[i]! ^ Math.imul(before(), 1664525)) + key[j]! + j;
    j = (j + 1) % key.length;
    next();
  }
  for (let k = size - 1; k > 0; k--) {
    state[i] = (state[i]! ^ Math.imul(before(), 1566083941)) - i;
    next();
  }
  state[0] = 0x80000000;
  return twisterOf(state);
}

function fromSeed(seed: number): Uint32Array {
  const state = new Uint32Array(size);
  state[0] = seed;
  for (let i = 1; i < size; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i;
  return state;
}

function twisterOf(state: Uint32Array): Twister {
  let at = size;
  const refill = (): void => {
    for (let i = 0; i < size; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff);
      state[i] = state[(i + middle) % size]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return {
    uint32() {
      if (at >= size) refill();
      let y = state[at++]!;
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      return (y ^ (y >>> 18)) >>> 0;
    },
  };
}

/** As legacy `numpy.random.randint(0, limit)`: draws are masked and refused until they fit. */
export function maskedBelow({ uint32 }: Twister, limit: number): number {
  if (limit <= 1) return 0;
  const mask = 2 ** (32 - Math.clz32(limit - 1)) - 1;
  for (;;) {
    const draw = (uint32() & mask) >>> 0;
    if (draw < limit) return draw;
  }
}

/** As Python's `random.randint(0, limit - 1)`: the top bits, as many as `limit` has. */
export function pythonBelow({ uint32 }: Twister, limit: number): number {
  const shift = Math.clz32(limit);
  for (;;) {
    const draw = uint32() >>> shift;
    if (draw < limit) return draw;
  }
}
