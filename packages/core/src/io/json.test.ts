import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, decodeUtf8, hashJson, parseJson } from './json.js';

const coded = (reason: string) =>
  expect.objectContaining({ code: 'E_JSON', details: expect.objectContaining({ reason }) as object });

describe('canonical JSON', () => {
  it('sorts keys at every level and leaves arrays alone', () => {
    expect(canonicalJson({ b: [2, 1], a: { d: null, c: 'é"' } })).toBe('{"a":{"c":"é\\"","d":null},"b":[2,1]}');
  });

  it('is read back as the same value, and spelt the same again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it.each([
    ['undefined', { a: undefined }, '$.a'],
    ['NaN', [1, NaN], '$[1]'],
    ['Infinity', { x: [-Infinity] }, '$.x[0]'],
    ['bigint', 1n, '$'],
    ['function', { f: () => 1 }, '$.f'],
    ['hole', new Array(1), '$[0]'],
    ['date', new Date(0), '$'],
    ['map', { m: new Map() }, '$.m'],
    ['typed array', new Float32Array(2), '$'],
  ])('refuses %s, naming where', (_, value, path) => {
    expect(() => canonicalJson(value)).toThrow(
      expect.objectContaining({ code: 'E_JSON', details: expect.objectContaining({ path }) as object }),
    );
  });

  it('refuses a value within itself, but not one used twice', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(() => canonicalJson(loop)).toThrow(coded('value'));
    const twice = { x: 1 };
    expect(canonicalJson([twice, twice])).toBe('[{"x":1},{"x":1}]');
  });

  it('takes what the strict reader gives', () => {
    expect(canonicalJson(parseJson('{"b":1,"a":{}}'))).toBe('{"a":{},"b":1}');
  });
});

describe('hashes', () => {
  it('do not depend on the order of keys', () => {
    expect(hashJson({ a: 1, b: 2 })).toBe(hashJson({ b: 2, a: 1 }));
    expect(hashJson({ a: 1 })).not.toBe(hashJson({ a: 2 }));
  });

  it('are SHA-256 of the spelling', () => {
    expect(hashJson({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  });
});

describe('the strict reader', () => {
  it('agrees with JSON.parse on all JSON without lone surrogates', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('agrees with JSON.parse on damaged JSON too, but for what it refuses on purpose', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom(...'{}[]",:0-.eE\\tn \n\u0001'),
        fc.boolean(),
        (text, where, mark, insert) => {
          const at = where % (text.length + 1);
          const damaged = text.slice(0, at) + mark + text.slice(insert ? at : at + 1);
          const outcome = (parse: (text: string) => unknown): unknown => {
            try {
              return parse(damaged);
            } catch (error) {
              return error instanceof SyntaxError ? 'refused' : error;
            }
          };
          const ours = outcome(parseJson) as { code?: string; details?: { reason?: string } };
          if (ours?.code === 'E_JSON' && ours.details?.reason !== undefined) {
            if (ours.details.reason === 'syntax') expect(outcome(JSON.parse)).toBe('refused');
          } else expect(outcome(JSON.parse)).toEqual(ours);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('refuses a key twice and says where', () => {
    expect(() => parseJson('{"a": {"k": 1, "k": 2}}', { thing: 'index' })).toThrow(
      expect.objectContaining({
        code: 'E_JSON',
        message: expect.stringContaining('index: expected each key once') as string,
        details: { thing: 'index', reason: 'duplicate', position: 15 },
      }),
    );
    expect(() => parseJson('{"\\u0061":1,"a":2}')).toThrow(coded('duplicate')); // spelt differently, the same key
    expect(() => parseJson('{"__proto__":1,"__proto__":2}')).toThrow(coded('duplicate'));
    expect(parseJson('[{"a":1},{"a":2}]')).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('keeps keys that reach into prototypes as keys', () => {
    const value = parseJson('{"__proto__":{"polluted":1},"toString":2}');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'toString']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each([
    ['syntax', ''],
    ['syntax', '{"a":1,}'],
    ['syntax', '[1 2]'],
    ['syntax', '01'],
    ['syntax', '{} {}'],
    ['syntax', '"\n"'],
    ['syntax', '"\\x"'],
    ['syntax', '"open'],
    ['syntax', '\ufeff{}'],
    ['syntax', 'nul'],
    ['surrogate', '"\\ud800"'],
    ['number', '1e999'],
    ['depth', '['.repeat(100000)],
  ])('refuses %s: %.20s', (reason, text) => {
    expect(() => parseJson(text)).toThrow(coded(reason));
  });

  it('hands the spelling of numbers to who asks for it', () => {
    expect(parseJson('[1, 1.0, -0]', { number: spelling => spelling })).toEqual(['1', '1.0', '-0']);
  });
});

it('UTF-8 is decoded whole or refused', () => {
  expect(decodeUtf8(Uint8Array.of(0xc3, 0xa9), 'x')).toBe('é');
  expect(() => decodeUtf8(Uint8Array.of(0xc3), 'x')).toThrow(coded('utf8'));
});
