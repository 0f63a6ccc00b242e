/** Quick hashes for keys and fingerprints. Not for security: someone who tries can make two texts meet. */

/** One of 2^32 numbers from any whole numbers up to 2^53: each input bit moves about half of the output. */
export function hashNumbers(...numbers: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const number of numbers) {
    state = mix(state ^ (number % 2 ** 32));
    state = mix(state + Math.floor(number / 2 ** 32));
  }
  return state >>> 0;
}

/** 64 bits in hexadecimal, of ids or of the UTF-16 units of a text. */
export function fingerprint(of: string | ArrayLike<number>, seed = 0): string {
  let [a, b] = [mix(seed ^ 0xdeadbeef), mix(seed ^ 0x41c6ce57)];
  const text = typeof of === 'string';
  for (let at = 0; at < of.length; at++) {
    const unit = text ? of.charCodeAt(at) : of[at]!;
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
    a ^= a >>> 15; // without it, high bits never reach low ones
    b ^= b >>> 13;
  }
  const hex = (word: number): string => (mix(word ^ of.length) >>> 0).toString(16).padStart(8, '0');
  return hex(a) + hex(b);
}

/** The finaliser of MurmurHash3: a bijection of 32-bit words. */
export function mix(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
