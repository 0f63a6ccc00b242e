import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { narrowBf16, narrowF16, widenBf16, widenF16 } from './half.js';

const bits = (numbers: readonly number[]): Uint32Array => new Uint32Array(Float32Array.from(numbers).buffer);
const numbers = (patterns: Uint32Array): number[] => [...new Float32Array(patterns.slice().buffer)];

const every16 = Uint16Array.from({ length: 0x10000 }, (_, i) => i);

const formats = [
  { name: 'bf16', narrow: narrowBf16, widen: widenBf16, exponentBits: 8, mantissaBits: 7 },
  { name: 'f16', narrow: narrowF16, widen: widenF16, exponentBits: 5, mantissaBits: 10 },
] as const;

type Format = (typeof formats)[number];

const narrowed = (format: Format, values: readonly number[]): number[] => {
  const out = new Uint16Array(values.length);
  format.narrow(bits(values), out);
  return [...out];
};

const rounded = (format: Format, values: readonly number[]): number[] => {
  const out = new Uint32Array(values.length);
  format.widen(Uint16Array.from(narrowed(format, values)), out);
  return numbers(out);
};

/** The value of a pattern by the definition of IEEE 754, with none of the tricks above. */
function valueOf(pattern: number, { exponentBits, mantissaBits }: Format): number {
  const sign = pattern >= 0x8000 ? -1 : 1;
  const exponent = Math.floor(pattern / 2 ** mantissaBits) % 2 ** exponentBits;
  const mantissa = pattern % 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * mantissa * 2 ** (1 - bias - mantissaBits)
    : sign * (2 ** mantissaBits + mantissa) * 2 ** (exponent - bias - mantissaBits);
}

/** Rounds by arithmetic in doubles: the spacing at the value, the nearest multiple, ties to the even one. */
function roundSlowly(value: number, { exponentBits, mantissaBits }: Format): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const bias = 2 ** (exponentBits - 1) - 1;
  let exponent = Math.max(1 - bias, Math.floor(Math.log2(Math.abs(value))) - 1); // the loop finds the exact one
  while (Math.abs(value) >= 2 ** (exponent + 1)) exponent++;
  const spacing = 2 ** (exponent - mantissaBits);
  const steps = Math.abs(value) / spacing; // exact: a power of two
  const below = Math.floor(steps);
  const even = below % 2 === 0 ? below : below + 1;
  const near = steps - below === 0.5 ? even : Math.round(steps);
  const size = near * spacing;
  const kept = size >= 2 ** (bias + 1) ? Infinity : size;
  return value < 0 ? -kept : kept;
}

describe.each(formats)('$name', format => {
  it('widens every pattern to its value', () => {
    const wide = new Uint32Array(0x10000);
    format.widen(every16, wide);
    const values = numbers(wide);
    const wrong = [...every16].filter(p => !Object.is(values[p], valueOf(p, format)));
    expect(wrong).toEqual([]);
  });

  it('gives every pattern back bit for bit, NaNs of all payloads included', () => {
    const wide = new Uint32Array(0x10000);
    const back = new Uint16Array(0x10000);
    format.widen(every16, wide);
    format.narrow(wide, back);
    expect([...every16].filter(p => back[p] !== p)).toEqual([]);
  });

  it('rounds as slow arithmetic does, around every pattern', () => {
    const wide = new Uint32Array(0x10000);
    format.widen(every16, wide);
    const half = format.mantissaBits === 7 ? 0x8000 : 0x1000; // the middle to the next pattern, for normals
    const around = [...wide].flatMap(w => [w + half - 1, w + half, w + half + 1]).map(w => w >>> 0);
    const values = numbers(Uint32Array.from(around)).filter(v => !Number.isNaN(v));
    const got = rounded(format, values);
    const wrong = values.filter((v, i) => !Object.is(got[i], roundSlowly(v, format)));
    expect(wrong).toEqual([]);
  });

  it('rounds as slow arithmetic does, on any float', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), value => {
        expect(rounded(format, [value])[0]).toBe(roundSlowly(value, format));
      }),
      { numRuns: 2000 },
    );
  });

  it('rounds as slow arithmetic does among the subnormals', () => {
    const scale = format.name === 'f16' ? -24 : -133;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x1fff }), steps => {
        const value = Math.fround((steps / 8) * 2 ** scale);
        expect(rounded(format, [value])[0]).toBe(roundSlowly(value, format));
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps a NaN a NaN when its payload lies in the bits that go', () => {
    const out = new Uint16Array(2);
    format.narrow(Uint32Array.of(0x7f800001, 0xff800001), out);
    const wide = new Uint32Array(2);
    format.widen(out, wide);
    expect(numbers(wide)).toEqual([NaN, NaN]);
    expect(out[1]! >>> 15).toBe(1); // the sign too
  });
});

describe('by hand', () => {
  const [bf16, f16] = formats;

  it('bf16 has 8 bits of mantissa: ties go to the even neighbour', () => {
    expect(rounded(bf16, [1 + 1 / 256, 1 + 3 / 256, 257, 259])).toEqual([1, 1 + 4 / 256, 256, 260]);
  });

  it('bf16 goes to infinity past the middle above its largest', () => {
    expect(narrowed(bf16, [3.3895313892515355e38, 3.3961775292304601e38, -3.4e38])).toEqual([0x7f7f, 0x7f80, 0xff80]);
  });

  it('f16 ends at 65504; 65520 is the first infinity', () => {
    expect(rounded(f16, [65504, 65519.996, 65520, -70000, 1e30])).toEqual([
      65504,
      65504,
      Infinity,
      -Infinity,
      Infinity,
    ]);
  });

  it('f16 has subnormals down to 2^-24; half of it ties to zero', () => {
    expect(rounded(f16, [2 ** -24, 2 ** -25, 2 ** -25 * 1.0001, 3 * 2 ** -25, -(2 ** -26)])).toEqual([
      2 ** -24,
      0,
      2 ** -24,
      2 ** -23,
      -0,
    ]);
  });

  it('f16 rounds up from the largest subnormal into the normals', () => {
    expect(narrowed(f16, [1023.75 * 2 ** -24, 2 ** -14])).toEqual([0x400, 0x400]);
  });
});

interface Rounding {
  readonly id: string;
  readonly input: readonly number[];
  readonly bfloat16: readonly (number | string)[];
  readonly float16: readonly (number | string)[];
}

const golden = new URL('../../../../../shared/golden/torch/dtype-rounding.public.json', import.meta.url);

describe('PyTorch', () => {
  const present = existsSync(golden);
  if (!present) console.info('skipped: rounding against PyTorch; the golden files are not beside this repository');

  it.skipIf(!present)('rounds the golden numbers to the same bits', () => {
    // Not by JSON.parse alone: infinities stand there as words, and floats are printed with all their digits.
    const cases = JSON.parse(readFileSync(golden, 'utf8')) as readonly Rounding[];
    const number = (x: number | string): number => (typeof x === 'number' ? x : Number(x.replace('inf', 'Infinity')));
    expect(cases.length).toBeGreaterThan(0);
    for (const { input, bfloat16, float16 } of cases) {
      const exact = (values: readonly (number | string)[]): number[] => [...bits(values.map(number))];
      expect([...bits(rounded(formats[0], input))]).toEqual(exact(bfloat16));
      expect([...bits(rounded(formats[1], input))]).toEqual(exact(float16));
    }
  });
});
