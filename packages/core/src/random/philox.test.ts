import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philox, randomBelow, randomUniform, streamOf, uniforms } from './philox.js';
import { philoxModule } from './philox-wasm.js';

const block = (counter: readonly number[], key: readonly number[]): string[] => {
  const out = new Uint32Array(4);
  philox(counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!, out);
  return [...out].map(w => w.toString(16).padStart(8, '0'));
};

describe('philox 4x32-10', () => {
  // Known-answer vectors published with Random123 (kat_vectors).
  it('gives the published words', () => {
    expect(block([0, 0, 0, 0], [0, 0])).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']);
    const f = 0xffffffff;
    expect(block([f, f, f, f], [f, f])).toEqual(['408f276d', '41c83b0e', 'a20bc7c6', '6d5451fd']);
    expect(block([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      'd16cfe09',
      '94fdcceb',
      '5001e420',
      '24126ea1',
    ]);
  });
});

describe('uniform numbers', () => {
  it('a cell does not depend on how many are drawn', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer(),
        fc.nat(0xffffffff),
        fc.integer({ min: 1, max: 50 }),
        (a, b, stream, n) => {
          const few = new Float32Array(n);
          const many = new Float32Array(n + 13);
          randomUniform(few, a, b, stream);
          randomUniform(many, a, b, stream);
          expect(many.subarray(0, n)).toEqual(few);
        },
      ),
    );
  });

  it('lies in [0, 1) with the mean and variance of a uniform distribution', () => {
    const out = new Float32Array(100_000);
    randomUniform(out, 1, 2, streamOf('blocks.0'));
    const mean = out.reduce((s, x) => s + x, 0) / out.length;
    const variance = out.reduce((s, x) => s + (x - mean) ** 2, 0) / out.length;
    expect(out.every(x => x >= 0 && x < 1)).toBe(true);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  it('differs between streams and seeds', () => {
    const draw = (seed: number, stream: number): number[] => Array.from({ length: 4 }, uniforms(seed, stream));
    expect(draw(1, 1)).not.toEqual(draw(1, 2));
    expect(draw(1, 1)).not.toEqual(draw(2, 1));
    expect(draw(1, 1)).toEqual(draw(1, 1));
  });
});

describe('in WebAssembly', () => {
  it('is there, on Node', () => {
    expect(philoxModule()).not.toBe(null);
  });

  it('gives the same bits as block after block, for any key, stream and length', () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    // Around the size from which it is used, and around what one call holds.
    const length = fc.constantFrom(4095, 4097, 4111, 16_383, 16_384, 16_385, 40_001);
    fc.assert(
      fc.property(word, word, word, length, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, stream, n, bound) => {
        const drawn = new Float32Array(n);
        randomUniform(drawn, a, b, stream);
        const below = new Uint8Array(n);
        randomBelow(below, a, b, stream, bound);
        const words = new Uint32Array(4);
        const wrong: number[] = [];
        for (let i = 0; i < n; i++) {
          if (i % 4 === 0) philox(i / 4, 0, stream, 0, a, b, words);
          const expected = (words[i % 4]! >>> 8) / 0x1000000;
          if (drawn[i] !== expected || below[i] !== (expected < bound ? 1 : 0)) wrong.push(i);
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});
