/**
 * The loops of merging on vectors of four numbers: WebAssembly made here, used where arrays lie in its memory.
 *
 * Each has a plain loop beside it in `parts/`, which is its meaning and what runs where there is no SIMD, or in double
 * precision. Here sums are rounded to float32 after each step, there only when stored.
 */

import type { MergeArray } from '@heddle/core';
import { assemble, extendLow16, f32, f32Splat, f64, f64AddScalar, get, i32Add, i32Splat, i4, load, load64, loop, returnIf, select, set, shuffle, store, upper, v, i32, type Code, type Func, type Type } from './assemble.js'; // prettier-ignore

/** The most inputs that one pass takes. */
export const mostInputs = 8;
/** Of memory reserved; what is not touched takes none. Bytes. */
const reserved = 1 << 30;

type Pointer = number;

/** Counts are multiples of 4 (8 for half precision); what is left over is for the plain loop. */
interface Loops {
  subtract(out: Pointer, a: Pointer, b: Pointer, count: number): void;
  /** out = base + factor * out */
  addTo(out: Pointer, base: Pointer, factor: number, count: number): void;
  /** out /= by, where by is not 0 */
  divide(out: Pointer, by: Pointer, count: number): void;
  /** Zeros below a magnitude; gives up (false) before four numbers of which one has exactly that magnitude. */
  dropBelow(x: Pointer, value: number, count: number): number;
  /** Whether all magnitudes are below a limit. */
  below(x: Pointer, limit: number, count: number): number;
  dot(a: Pointer, b: Pointer, count: number): number;
  size(x: Pointer, count: number): number;
  widenBf16(out: Pointer, from: Pointer, count: number): void;
  /** Finite numbers, infinities; a NaN stays one. */
  narrowBf16(out: Pointer, from: Pointer, count: number): void;
  /** Counts magnitudes by the upper half of their bits, without the sign. */
  countUpper(bits: Pointer, histogram: Pointer, count: number): void;
  /** Of those with a certain upper half, counts the lower one. */
  countLower(bits: Pointer, histogram: Pointer, bin: number, count: number): void;
  readonly sums: readonly ((out: Pointer, count: number, ...inputsAndWeights: number[]) => void)[];
  readonly consensus: readonly ((sum: Pointer, weight: Pointer, count: number, ...all: number[]) => void)[];
}

export interface Simd {
  readonly buffer: ArrayBuffer;
  readonly loops: Loops;
  /** Memory for so many float32 numbers, to keep; null when it is used up. */
  allocate(length: number): Float32Array | null;
  /** Bytes for a while: all of them are taken back by `reset`. */
  borrow(bytes: number): Uint8Array<ArrayBuffer> | null;
  reset(): void;
}

/** Zeros that last until the end of the unit of work; among the vector loops' memory, if those are in use. */
export function borrowed(words: number): Uint32Array<ArrayBuffer> {
  const bytes = made?.borrow(words * 4);
  if (!bytes) return new Uint32Array(words);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, words).fill(0);
}

let made: Simd | null | undefined;

/** Null where WebAssembly or its SIMD is missing. */
export function simd(): Simd | null {
  return (made ??= make());
}

/** The loops, if all arrays are float32 and lie in their memory. */
export function loopsFor(a: MergeArray | Uint32Array, b: MergeArray | Uint32Array = a): Loops | null {
  return made && a.buffer === made.buffer && b.buffer === made.buffer ? made.loops : null; // no doubles lie in it
}

function make(): Simd | null {
  if (typeof WebAssembly === 'undefined') return null;
  const bytes = assemble(functions());
  if (!WebAssembly.validate(bytes)) return null;
  let memory: WebAssembly.Memory;
  try {
    const pages = reserved / 65_536;
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages }); // growing would cut off the arrays in it
  } catch {
    return null;
  }
  const exported = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { m: memory } })
    .exports as unknown as Loops & Readonly<Record<string, never>>;
  const numbered = (name: string): never[] =>
    Array.from({ length: mostInputs }, (_, i) => exported[`${name}${i + 1}`]!);
  const loops: Loops = { ...exported, sums: numbered('sum'), consensus: numbered('consensus') };
  let used = 64;
  let lent = reserved;
  return {
    buffer: memory.buffer,
    loops,
    allocate(length) {
      const size = Math.ceil((length * 4) / 64) * 64;
      if (used + size > lent) return null;
      const array = new Float32Array(memory.buffer, used, length);
      used += size;
      return array;
    },
    borrow(bytes) {
      const size = Math.ceil(bytes / 64) * 64;
      if (lent - size < used) return null;
      lent -= size;
      return new Uint8Array(memory.buffer, lent, bytes);
    },
    reset() {
      lent = reserved;
    },
  };
}

/** Locals of pointers are followed by the count in elements and what the function needs beside. */
function functions(): readonly Func[] {
  const p = (count: number): Type[] => new Array<Type>(count).fill('i32');
  /** A loop over four numbers at a time; `at` is a byte offset. */
  const over = (
    name: string,
    params: readonly Type[],
    count: number,
    extra: readonly Type[],
    body: (at: number, local: number) => Code,
    result: Type | null = null,
    after: Code = [],
  ): Func => {
    const at = params.length;
    const bytes = at + 1;
    return {
      name,
      params,
      result,
      locals: ['i32', 'i32', ...extra],
      body: [set(bytes, [get(count), i32(2), 0x74]), loop(at, bytes, 16, body(at, bytes + 1)), after],
    };
  };
  const cell = (pointer: number, at: number): Code => i32Add(get(pointer), get(at));
  const reduction = (
    name: string,
    params: readonly Type[],
    count: number,
    term: (at: number) => readonly [Code, Code],
  ): Func => {
    const sum = params.length + 2;
    return over(name, params, count, ['v128'], at => {
      const [low, high] = term(at);
      return set(sum, f64.add(get(sum), f64.add(low, high)));
    }, 'f64', f64AddScalar(f64.lane(get(sum), 0), f64.lane(get(sum), 1))); // prettier-ignore
  };

  const sums = Array.from({ length: mostInputs }, (_, i) => {
    const n = i + 1;
    const input = (k: number): number => 2 + k;
    const weight = (k: number): number => 2 + n + k;
    return over(`sum${n}`, [...p(2), ...p(n), ...new Array<Type>(n).fill('f32')], 1, [], at => {
      const terms = Array.from({ length: n }, (_, k) => f32.mul(load(cell(input(k), at)), f32Splat(get(weight(k)))));
      return store(
        cell(0, at),
        terms.reduce((a, b) => f32.add(a, b)),
      );
    });
  });

  const consensus = Array.from({ length: mostInputs }, (_, i) => {
    const n = i + 1;
    const input = (k: number): number => 3 + k;
    const factor = (k: number): number => 3 + n + k;
    const weight = (k: number): number => 3 + 2 * n + k;
    const params: Type[] = [...p(3), ...p(n), ...new Array<Type>(2 * n).fill('f32')];
    const zero = f32Splat([0x43, 0, 0, 0, 0]);
    return over(`consensus${n}`, params, 2, new Array<Type>(n + 2).fill('v128'), (at, local) => {
      const e = (k: number): number => local + k;
      const [negative, agrees] = [local + n, local + n + 1];
      const elements = Array.from({ length: n }, (_, k) => k);
      return [
        ...elements.map(k => set(e(k), f32.mul(load(cell(input(k), at)), f32Splat(get(factor(k)))))),
        set(
          negative,
          f32.lt(
            elements.map(k => get(e(k))).reduce((a, b) => f32.add(a, b)),
            zero,
          ),
        ),
        // Sums of what agrees are gathered in the places of the first factor and weight.
        store(cell(1, at), zero),
        store(cell(0, at), zero),
        ...elements.map(k => [
          set(agrees, select(f32.lt(get(e(k)), zero), f32.gt(get(e(k)), zero), get(negative))),
          store(cell(0, at), f32.add(load(cell(0, at)), v.and(get(e(k)), get(agrees)))),
          store(cell(1, at), f32.add(load(cell(1, at)), v.and(f32Splat(get(weight(k))), get(agrees)))),
        ]),
      ];
    });
  });

  const bits = (value: number): Code => i32Splat(i32(value));
  const widen = (at: number): Code => i4.shl(extendLow16(load64([get(1), get(at), i32(1), 0x76, 0x6a])), i32(16)); // half the offset

  return [
    over('subtract', p(4), 3, [], at => store(cell(0, at), f32.sub(load(cell(1, at)), load(cell(2, at))))),
    over('addTo', [...p(2), 'f32', 'i32'], 3, [], at =>
      store(cell(0, at), f32.add(load(cell(1, at)), f32.mul(load(cell(0, at)), f32Splat(get(2))))),
    ),
    over('divide', p(3), 2, ['v128'], (at, by) => [
      set(by, load(cell(1, at))),
      // Where nothing was added nothing is divided: 0 / 1.
      store(cell(0, at), f32.div(load(cell(0, at)), select(f32Splat([0x43, 0, 0, 0x80, 0x3f]), get(by), f32.eq(get(by), f32Splat([0x43, 0, 0, 0, 0]))))), // prettier-ignore
    ]),
    over(
      'dropBelow',
      ['i32', 'f32', 'i32'],
      2,
      ['v128', 'v128'],
      (at, x) => [
        set(x, load(cell(0, at))),
        set(x + 1, f32.abs(get(x))),
        returnIf(v.any(f32.eq(get(x + 1), f32Splat(get(1)))), [get(at), i32(2), 0x76]),
        store(cell(0, at), v.and(get(x), f32.gt(get(x + 1), f32Splat(get(1))))),
      ],
      'i32',
      get(2),
    ),
    over(
      'below',
      ['i32', 'f32', 'i32'],
      2,
      [],
      at => returnIf([i4.all(f32.lt(f32.abs(load(cell(0, at))), f32Splat(get(1)))), 0x45], i32(0)), // i32.eqz
      'i32',
      i32(1),
    ),
    reduction('dot', p(3), 2, at => {
      const [a, b] = [load(cell(0, at)), load(cell(1, at))];
      return [f64.mul(f64.promote(a), f64.promote(b)), f64.mul(f64.promote(upper(a)), f64.promote(upper(b)))];
    }),
    reduction('size', p(2), 1, at => {
      const a = load(cell(0, at));
      return [f64.abs(f64.promote(a)), f64.abs(f64.promote(upper(a)))];
    }),
    over('widenBf16', p(3), 2, [], at => store(cell(0, at), widen(at))),
    over('narrowBf16', p(3), 2, ['v128', 'v128'], (at, x) => {
      // To the nearest, ties to even; what is no number keeps its upper half, made quiet.
      const rounded = i4.add(get(x), i4.add(bits(0x7fff), v.and(i4.shrU(get(x), i32(16)), bits(1))));
      const isNaN = i4.gtS(v.and(get(x), bits(0x7fffffff)), bits(0x7f800000));
      const packed = shuffle(get(x + 1), get(x + 1), [2, 3, 6, 7, 10, 11, 14, 15, 2, 3, 6, 7, 10, 11, 14, 15]);
      return [
        set(x, load(cell(1, at))),
        set(x + 1, select(v.or(get(x), bits(0x00400000)), rounded, isNaN)),
        // v128.store64_lane
        [get(0), get(at), i32(1), 0x76, 0x6a, packed, 0xfd, 0x5b, 2, 0, 0],
      ];
    }),
    {
      name: 'countUpper',
      params: p(3),
      result: null,
      locals: p(3),
      body: [
        set(4, [get(2), i32(2), 0x74]),
        // hist[(bits << 1) >>> 16]++, as a byte offset: ((bits >>> 15) & 0xffff) * 4
        loop(3, 4, 4, [
          set(5, i32Add(get(1), [[cell(0, 3), 0x28, 2, 0], i32(13), 0x76, i32(0x3fffc), 0x71])),
          [get(5), [get(5), 0x28, 2, 0], i32(1), 0x6a, 0x36, 2, 0],
        ]),
      ],
    },
    {
      name: 'countLower',
      params: p(4),
      result: null,
      locals: ['i32', 'i32', 'i32', 'i32', 'v128'],
      body: [
        set(5, [get(3), i32(2), 0x74]),
        loop(4, 5, 16, [
          set(8, i4.shl(load(cell(0, 4)), i32(1))),
          [v.any(i4.eq(i4.shrU(get(8), i32(16)), i32Splat(get(2)))), 0x04, 0x40],
          ...[0, 1, 2, 3].map(lane => [
            set(6, [get(8), 0xfd, 0x1b, lane]), // i32x4.extract_lane
            [[get(6), i32(16), 0x76], get(2), 0x46, 0x04, 0x40],
            set(7, i32Add(get(1), [get(6), i32(0xffff), 0x71, i32(2), 0x74])),
            [get(7), [get(7), 0x28, 2, 0], i32(1), 0x6a, 0x36, 2, 0],
            0x0b,
          ]),
          0x0b,
        ]),
      ],
    },
    ...sums,
    ...consensus,
  ];
}
