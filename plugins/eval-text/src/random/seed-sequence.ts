/** NumPy's `SeedSequence`: spreads the bits of a seed (O'Neill's `seed_seq_fe`), so that near seeds give far states. */

const poolSize = 4;

/**
 * @param seed a whole number from 0 to 2^53 - 1
 * @returns as `SeedSequence(seed).generate_state(count)`
 */
export function seedState(seed: number, count: number): Uint32Array {
  // The seed as 32-bit words, the lowest first.
  const entropy = seed > 0xffffffff ? [seed >>> 0, Math.floor(seed / 2 ** 32)] : [seed];
  let multiplier = 0x43b0d7e5;
  const hash = (value: number): number => {
    let x = (value ^ multiplier) >>> 0;
    multiplier = Math.imul(multiplier, 0x931e8875) >>> 0;
    x = Math.imul(x, multiplier) >>> 0;
    return (x ^ (x >>> 16)) >>> 0;
  };
  const mix = (x: number, y: number): number => {
    const z = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
    return (z ^ (z >>> 16)) >>> 0;
  };
  const pool = Array.from({ length: poolSize }, (_, i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < poolSize; from++)
    for (let to = 0; to < poolSize; to++) if (from !== to) pool[to] = mix(pool[to]!, hash(pool[from]!));

  let factor = 0x8b51f9dd;
  return Uint32Array.from({ length: count }, (_, i) => {
    let x = (pool[i % poolSize]! ^ factor) >>> 0;
    factor = Math.imul(factor, 0x58f38ded) >>> 0;
    x = Math.imul(x, factor) >>> 0;
    return x ^ (x >>> 16);
  });
}
