/**
 * As much of an assembler for WebAssembly as our loops need: a module of functions over one imported memory.
 *
 * Code is nested lists of bytes. Opcodes: WebAssembly core specification 2.0, sections 5.4 and 5.5.
 */

export type Code = readonly (number | Code)[];

const flat = (code: Code): number[] => code.flatMap(part => (typeof part === 'number' ? [part] : flat(part)));

/** LEB128 of a number that is not negative. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest = Math.floor(rest / 128);
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const types = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type Type = keyof typeof types;

export interface Func {
  readonly name: string;
  readonly params: readonly Type[];
  readonly result: Type | null;
  /** Beside the parameters, numbered after them. */
  readonly locals: readonly Type[];
  readonly body: Code;
}

const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
const text = (value: string): number[] => vector([...new TextEncoder().encode(value)].map(byte => [byte]));

/** `\0asm`, version 1. */
const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** The bytes of a module that imports `m.m`, a memory, and exports the functions. */
export function assemble(functions: readonly Func[]): Uint8Array<ArrayBuffer> {
  const signatures = functions.map(({ params, result }) => [0x60, ...vector(params.map(type => [types[type]])), ...vector(result === null ? [] : [[types[result]]])]); // prettier-ignore
  const bodies = functions.map(({ locals, body }) => {
    const code = [...vector(locals.map(type => [1, types[type]])), ...flat(body), 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...magic,
    ...section(1, vector(signatures)),
    ...section(2, vector([[...text('m'), ...text('m'), 2, 0, 1]])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]))),
    ...section(10, vector(bodies)),
  ]);
}

export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];
export const i32 = (value: number): Code => [0x41, signed(value)];
export const i32Add = (a: Code, b: Code): Code => [a, b, 0x6a];
const simd = (opcode: number): Code => [0xfd, unsigned(opcode)];
export const f32Splat = (value: Code): Code => [value, simd(0x13)];
export const i32Splat = (value: Code): Code => [value, simd(0x11)];
export const load = (address: Code): Code => [address, simd(0x00), 2, 0];
export const store = (address: Code, value: Code): Code => [address, value, simd(0x0b), 2, 0];
export const load64 = (address: Code): Code => [address, simd(0x5d), 2, 0]; // v128.load64_zero
const two =
  (opcode: number) =>
  (a: Code, b: Code): Code => [a, b, simd(opcode)];
const one =
  (opcode: number) =>
  (a: Code): Code => [a, simd(opcode)];
export const f32 = { eq: two(0x41), lt: two(0x43), gt: two(0x44), abs: one(0xe0), neg: one(0xe1), add: two(0xe4), sub: two(0xe5), mul: two(0xe6), div: two(0xe7) }; // prettier-ignore
export const v = { not: one(0x4d), and: two(0x4e), andNot: two(0x4f), or: two(0x50), xor: two(0x51), any: one(0x53) };
/** Bits of the first where the mask is set, of the second elsewhere. */
export const select = (yes: Code, no: Code, mask: Code): Code => [yes, no, mask, simd(0x52)];
export const i4 = { eq: two(0x37), gtS: two(0x3b), all: one(0xa3), shl: two(0xab), shrU: two(0xad), shrS: two(0xac), add: two(0xae), sub: two(0xb1) }; // prettier-ignore
export const extendLow16 = one(0xa9);
export const f64 = {
  add: two(0xf0),
  mul: two(0xf2),
  abs: one(0xec),
  promote: one(0x5f),
  lane: (a: Code, lane: number): Code => [a, simd(0x21), lane],
};
/** The upper two lanes of four, moved down. */
export const upper = (a: Code): Code => [a, a, simd(0x0d), 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
export const f64AddScalar = (a: Code, b: Code): Code => [a, b, 0xa0];
export const shuffle = (a: Code, b: Code, lanes: readonly number[]): Code => [a, b, simd(0x0d), [...lanes]];

/** Runs `body` with `counter` from 0 up to `count`, exclusive, by `step`: both are locals in bytes. */
export const loop = (counter: number, count: number, step: number, body: Code): Code => [
  set(counter, i32(0)),
  [0x02, 0x40], // block
  [0x03, 0x40], // loop
  [get(counter), get(count), 0x4f, 0x0d, 1], // i32.ge_u, br_if to the end
  body,
  set(counter, i32Add(get(counter), i32(step))),
  [0x0c, 0, 0x0b, 0x0b], // br to the loop, end, end
];

/** Leaves the function with a value where a condition (i32) holds. */
export const returnIf = (condition: Code, value: Code): Code => [condition, 0x04, 0x40, value, 0x0f, 0x0b];
