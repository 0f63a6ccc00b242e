/**
 * 16-bit floats to 32-bit ones and back, on bit patterns.
 *
 * Everything here works on integer views: reading a signalling NaN as a float quiets it on common processors,
 * and a file must come back bit for bit.
 */

const float32Infinity = 0x7f800000;

/**
 * bfloat16 to float32: exact, the pattern becomes the upper half.
 *
 * @param from n patterns
 * @param to n patterns of float32
 */
export function widenBf16(from: Uint16Array, to: Uint32Array): void {
  const length = from.length;
  const fours = length - (length % 4); // four at a time runs twice as fast in V8
  for (let i = 0; i < fours; i += 4) {
    to[i] = from[i]! << 16;
    to[i + 1] = from[i + 1]! << 16;
    to[i + 2] = from[i + 2]! << 16;
    to[i + 3] = from[i + 3]! << 16;
  }
  for (let i = fours; i < length; i++) to[i] = from[i]! << 16;
}

/**
 * float32 to bfloat16: to the nearest, ties to even, past the largest to infinity.
 *
 * A NaN keeps its sign and the upper part of its payload, so every bfloat16 pattern survives being widened and narrowed.
 */
export function narrowBf16(from: Uint32Array, to: Uint16Array): void {
  const length = from.length;
  for (let i = 0; i < length; i++) {
    const bits = from[i]!;
    to[i] = (bits & 0x7fffffff) > float32Infinity ? nanToBf16(bits) : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}

const nanToBf16 = (bits: number): number => {
  const upper = bits >>> 16;
  return (upper & 0x7f) === 0 ? upper | 0x40 : upper; // a payload in the lower half only would become infinity
};

/**
 * float16 to float32: exact, subnormals included.
 *
 * One look-up each; the table of 256 kB is made at first use.
 */
export function widenF16(from: Uint16Array, to: Uint32Array): void {
  const table = (f16Table ??= makeF16Table());
  const length = from.length;
  for (let i = 0; i < length; i++) to[i] = table[from[i]!]!;
}

let f16Table: Uint32Array | undefined;

function makeF16Table(): Uint32Array {
  const table = new Uint32Array(0x10000);
  for (let half = 0; half < 0x10000; half++) table[half] = f16Bits(half);
  return table;
}

/** The float32 pattern of one float16 pattern. */
function f16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return (sign | float32Infinity | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  const shift = Math.clz32(mantissa) - 21; // brings the first set bit to bit 10, where it is implied
  return (sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)) >>> 0;
}

/**
 * float32 to float16: to the nearest, ties to even, subnormals included, from 65520 on to infinity.
 *
 * A NaN keeps its sign and the upper part of its payload, so every float16 pattern survives being widened and narrowed.
 */
export function narrowF16(from: Uint32Array, to: Uint16Array): void {
  const length = from.length;
  for (let i = 0; i < length; i++) {
    const bits = from[i]!;
    const size = bits & 0x7fffffff;
    // The middle range holds nearly every weight: 2^-14 up to 65536, where rounding may carry into the exponent and,
    // from 65520 on, into infinity.
    to[i] =
      size >= 0x38800000 && size < 0x47800000
        ? ((bits >>> 16) & 0x8000) | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13)
        : ((bits >>> 16) & 0x8000) | outsideF16Normals(size);
  }
}

function outsideF16Normals(size: number): number {
  if (size > float32Infinity) return 0x7c00 | ((size >>> 13) & 0x3ff || 0x200);
  if (size >= 0x47800000) return 0x7c00;
  if (size <= 0x33000000) return 0; // up to 2^-25, half of the smallest: ties to even zero
  const drop = 126 - (size >>> 23); // 14..24 bits below 2^-24
  const mantissa = (size & 0x7fffff) | 0x800000;
  const half = 1 << (drop - 1);
  const kept = mantissa >>> drop;
  const rest = mantissa & (half * 2 - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}
