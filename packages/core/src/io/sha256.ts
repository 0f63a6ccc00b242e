/**
 * SHA-256 (FIPS 180-4), synchronous.
 *
 * Web Crypto only answers through promises, and keys are made in the middle of ordinary code.
 */

/** First 32 bits of the fractional parts of the cube roots (rounds) and square roots (start) of the first primes. */
const fractions = (count: number, root: (x: number) => number): Uint32Array => {
  const out = new Uint32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate++) {
    if (!isPrime(candidate)) continue;
    const value = root(candidate);
    out[found++] = (value - Math.floor(value)) * 0x1_0000_0000;
  }
  return out;
};

const isPrime = (n: number): boolean => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
};

let constants: { readonly rounds: Uint32Array; readonly start: Uint32Array } | undefined;

/** The hash of some bytes as 64 hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  const { rounds, start } = (constants ??= { rounds: fractions(64, Math.cbrt), start: fractions(8, Math.sqrt) });
  const state = start.slice();
  const words = new Uint32Array(64);
  const whole = bytes.length - (bytes.length % 64);
  for (let at = 0; at < whole; at += 64) compress(state, words, rounds, bytes, at);
  const tail = lastBlocks(bytes, whole);
  for (let at = 0; at < tail.length; at += 64) compress(state, words, rounds, tail, at);
  return Array.from(state, word => word.toString(16).padStart(8, '0')).join('');
}

/** What is left over, a one bit, zeros, and the length in bits. */
function lastBlocks(bytes: Uint8Array, whole: number): Uint8Array {
  const rest = bytes.length - whole;
  const tail = new Uint8Array(rest < 56 ? 64 : 128);
  tail.set(bytes.subarray(whole));
  tail[rest] = 0x80;
  const view = new DataView(tail.buffer);
  view.setUint32(tail.length - 8, Math.floor(bytes.length / 0x2000_0000));
  view.setUint32(tail.length - 4, (bytes.length * 8) >>> 0);
  return tail;
}

const rotate = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

function compress(state: Uint32Array, words: Uint32Array, rounds: Uint32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const p = at + 4 * i;
    words[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
  }
  for (let i = 16; i < 64; i++) {
    const near = words[i - 15]!;
    const far = words[i - 2]!;
    const s0 = rotate(near, 7) ^ rotate(near, 18) ^ (near >>> 3);
    const s1 = rotate(far, 17) ^ rotate(far, 19) ^ (far >>> 10);
    words[i] = words[i - 16]! + s0 + words[i - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]; // always eight
  for (let i = 0; i < 64; i++) {
    const t1 = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + rounds[i]! + words[i]!) | 0;
    const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] = state[i]! + sums[i]!;
}
