/**
 * Philox in WebAssembly: four blocks at once, for engines that are fed millions of numbers a step. JavaScript has no product
 * of 64 bits, and makes up for it with ten multiplications where this has one for four numbers.
 *
 * The module is written here, byte by byte; where it may not run (no SIMD, a page that forbids WebAssembly) there is none, and
 * `philox.ts` does the same in JavaScript, to the same bits.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** Words of one call at most: what fits into the module's one page of memory. */
export const wordsAtOnce = 0x10000 / 4;

/** Fills memory with blocks of four words, from block `first` on; `blocks` is a multiple of 4, and not 0. */
type Fill = (first: number, blocks: number, stream: number, key0: number, key1: number) => void;

export interface PhiloxModule {
  readonly words: Uint32Array;
  readonly fill: Fill;
}

let found: PhiloxModule | null | undefined;

/** Compiled at the first call; null where it cannot be. */
export function philoxModule(): PhiloxModule | null {
  if (found !== undefined) return found;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
    const { memory, fill } = exports as unknown as { readonly memory: WebAssembly.Memory; readonly fill: Fill };
    found = { words: new Uint32Array(memory.buffer), fill };
  } catch {
    found = null;
  }
  return found;
}

type Bytes = readonly number[];

function unsigned(n: number): Bytes {
  const out: number[] = [];
  let left = n;
  do {
    const low = left % 128;
    left = Math.floor(left / 128);
    out.push(left > 0 ? low + 128 : low);
  } while (left > 0);
  return out;
}

/** Of 32 bits, as two's complement. */
function signed(n: number): Bytes {
  const out: number[] = [];
  for (let left = n | 0; ; left >>= 7) {
    const low = left & 127;
    const last = (left >> 7 === 0 && low < 64) || (left >> 7 === -1 && low >= 64);
    out.push(last ? low : low + 128);
    if (last) return out;
  }
}

const simd = (code: number): Bytes => [0xfd, ...unsigned(code)];
const get = (local: number): Bytes => [0x20, ...unsigned(local)];
const set = (local: number): Bytes => [0x21, ...unsigned(local)];
const int = (n: number): Bytes => [0x41, ...signed(n)];
const add: Bytes = [0x6a];
const splat = simd(0x11); // i32x4.splat
const xor = simd(0x51); // v128.xor
const addLanes = simd(0xae); // i32x4.add
const timesLow = simd(0xde); // i64x2.extmul_low_i32x4_u
const timesHigh = simd(0xdf); // i64x2.extmul_high_i32x4_u

/** Four lanes of 32 bits out of the eight of two vectors. */
const lanes = (...four: Bytes): Bytes => [...simd(0x0d), ...four.flatMap(lane => [0, 1, 2, 3].map(i => 4 * lane + i))];
/** v128.store at a local's address and an offset; aligned to 16. */
const store = (offset: number): Bytes => [...simd(0x0b), 4, ...unsigned(offset)];
const four = (n: number): Bytes => [...int(n), ...splat];

// Parameters, then locals: a place in memory; four words of four blocks each; products and their halves.
const [first, blocks, stream, key0, key1, at] = [0, 1, 2, 3, 4, 5];
const [c0, c1, c2, c3, low, high, h0, h1] = [6, 7, 8, 9, 10, 11, 12, 13];

/** One after the other. */
const code = (...parts: readonly (number | Bytes)[]): Bytes => parts.flat();

/** Both halves of M c: the low words stay on the stack, the high ones in `half`. */
const product = (c: number, m: number, half: number): Bytes =>
  code(
    code(get(c), four(m), timesLow, set(low)),
    code(get(c), four(m), timesHigh, set(high)),
    code(get(low), get(high), lanes(1, 3, 5, 7), set(half)),
    code(get(low), get(high), lanes(0, 2, 4, 6)),
  );

const keyOf = (key: number, weyl: number, n: number): Bytes => code(get(key), int(Math.imul(weyl, n)), add, splat);

const round = (n: number): Bytes =>
  code(
    product(c0, M0, h0), // its low words wait on the stack: they are c3 to be
    product(c2, M1, h1), // and these c1
    code(get(h1), get(c1), xor, keyOf(key0, W0, n), xor, set(c0)),
    code(get(h0), get(c3), xor, keyOf(key1, W1, n), xor, set(c2)),
    code(set(c1), set(c3)),
  );

/** Words of a block stand together in memory: a 4 x 4 transposition. */
const stored = (offset: number, from: Bytes, pick: Bytes): Bytes =>
  code(
    get(at),
    code(get(c0), get(c1), lanes(...from)),
    code(get(c2), get(c3), lanes(...from)),
    lanes(...pick),
    store(offset),
  );

/** v128.const of the numbers of four blocks from 0. */
const counting = code(
  simd(0x0c),
  [0, 1, 2, 3].flatMap(n => [n, 0, 0, 0]),
);

const loop: Bytes = code(
  code(get(first), splat, counting, addLanes, set(c0)),
  code(four(0), set(c1), get(stream), splat, set(c2), four(0), set(c3)),
  ...Array.from({ length: 10 }, (_, n) => round(n)),
  stored(0, [0, 4, 1, 5], [0, 1, 4, 5]),
  stored(16, [0, 4, 1, 5], [2, 3, 6, 7]),
  stored(32, [2, 6, 3, 7], [0, 1, 4, 5]),
  stored(48, [2, 6, 3, 7], [2, 3, 6, 7]),
  code(get(first), int(4), add, set(first), get(at), int(64), add, set(at)),
  code(get(blocks), int(-4), add, 0x22, blocks), // local.tee
);

/** At least four blocks: one call is one loop. */
const body: Bytes = code(
  [2, 1, 0x7f, 8, 0x7b], // locals: one i32, eight v128
  [0x03, 0x40], // loop
  loop,
  [0x0d, 0, 0x0b], // br_if, end
  0x0b,
);

const section = (id: number, content: Bytes): Bytes => [id, ...unsigned(content.length), ...content];
const named = (name: string): Bytes => [name.length, ...Array.from(name, c => c.charCodeAt(0))];

const moduleBytes = (): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    code(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, [1, 0x60, 5, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0]), // one type: five i32 to nothing
      section(3, [1, 0]),
      section(5, [1, 1, 1, 1]), // one page of memory
      section(7, code(2, named('memory'), 2, 0, named('fill'), 0, 0)),
      section(10, code(1, unsigned(body.length), body)),
    ),
  );
