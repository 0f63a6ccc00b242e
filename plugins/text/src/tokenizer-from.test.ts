import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHeddleError } from '@heddle/core';
import { byteTokenizer } from './byte.js';
import { trainBpe } from './bpe-train.js';
import { tokenizerFrom } from './tokenizer-from.js';

describe('reading a tokeniser', () => {
  it('gives back a byte tokeniser with its specials', () => {
    const json = byteTokenizer({ specials: ['<eos>', '<think>'] }).toJSON();
    expect(tokenizerFrom(JSON.parse(JSON.stringify(json))).toJSON()).toEqual(json);
  });

  it.each([
    [null],
    [[]],
    ['x'],
    [{}],
    [{ format: 'heddle-tokenizer', version: 2 }],
    [{ format: 'heddle-tokenizer', version: 1, kind: 'wordpiece' }],
    [{ format: 'heddle-tokenizer', version: 1, kind: 'byte', specials: 3 }],
    [{ format: 'heddle-tokenizer', version: 1, kind: 'byte', specials: [3] }],
  ])('refuses %j', json => {
    expect(() => tokenizerFrom(json, 'a.json')).toThrow(expect.objectContaining({ code: 'E_TOKENIZER' }));
  });

  it('never fails but with E_TOKENIZER, whatever stands in the file', () => {
    const good = JSON.stringify(trainBpe(['ababab cdcd'], { vocabularySize: 261 }));
    const mutation = fc.record({
      at: fc.nat(good.length - 1),
      with: fc.constantFrom('0', '9', '-', ',', '[', ']', '{', '}', '"', ' ', 'e', 'null'),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), mutations => {
        let text = good;
        for (const { at, with: by } of mutations) text = text.slice(0, at) + by + text.slice(at + 1);
        let json: unknown;
        try {
          json = JSON.parse(text);
        } catch {
          return;
        }
        try {
          tokenizerFrom(json).decode(Int32Array.of(0));
        } catch (error) {
          expect(isHeddleError(error) && error.code).toMatch(/^E_TOKEN(IZER)?$/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
