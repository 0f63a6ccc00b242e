import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySink, memorySource, type ByteSource } from './bytes.js';
import { byteSize, storageDtypes } from './dtype.js';
import { elementCount } from './header.js';
import { openSafetensors } from './safetensors.js';
import { writeSafetensors, type TensorBytes } from './safetensors-writer.js';

/** A file from the text of its header; the length may lie. */
function fileOf(header: unknown, dataBytes = 0, length?: number | bigint): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  bytes.set(json, 8);
  for (let i = 0; i < dataBytes; i++) bytes[8 + json.length + i] = i;
  return bytes;
}

const tensor = (dtype: string, shape: unknown, ...offsets: unknown[]) => ({ dtype, shape, data_offsets: offsets });
const u8 = (start: number, end: number) => tensor('U8', [end - start], start, end);

function watched(bytes: Uint8Array): ByteSource & { readonly reads: [number, number][]; closed: number } {
  const inner = memorySource(bytes, 'm');
  const source = {
    size: inner.size,
    name: 'm',
    reads: [] as [number, number][],
    closed: 0,
    read(start: number, end: number) {
      source.reads.push([start, end]);
      return inner.read(start, end);
    },
    async close() {
      source.closed++;
    },
  };
  return source;
}

describe('refusals', () => {
  const many = (count: number) => Array.from({ length: count }, () => 2 ** 20);
  it.each<[string, string, Uint8Array]>([
    ['an empty file', 'truncated', new Uint8Array(0)],
    ['a cut length field', 'truncated', new Uint8Array(7)],
    ['a header longer than the file', 'truncated', fileOf({}, 0, 3)],
    ['a length that takes the length field for header', 'truncated', fileOf({}, 0, 10)],
    ['a length beyond the cap', 'header-size', fileOf({}, 0, 100_000_001)],
    ['a length beyond every number', 'header-size', fileOf({}, 0, 2n ** 64n - 1n)],
    ['no header at all', 'json', new Uint8Array(8)],
    ['a length that cuts the header', 'json', fileOf({ a: u8(0, 1) }, 1, 10)],
    ['a header that is an array', 'json', fileOf([])],
    ['a header that is a number', 'json', fileOf('12')],
    ['something after the JSON', 'json', fileOf('{}x')],
    ['a byte order mark', 'json', fileOf('\ufeff{}')],
    ['deep nesting', 'json', fileOf(`{"a":${'['.repeat(50000)}`)],
    [
      'a tensor named twice',
      'duplicate',
      fileOf(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        1,
      ),
    ],
    [
      'a field given twice',
      'duplicate',
      fileOf('{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1),
    ],
    ['metadata given twice', 'duplicate', fileOf('{"__metadata__":{},"__metadata__":{}}')],
    ['a tensor named __proto__', 'name', fileOf('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1)],
    ['a tensor named constructor', 'name', fileOf({ constructor: u8(0, 1) }, 1)],
    [
      'a tensor named with half a character',
      'name',
      fileOf('{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    ],
    ['metadata that is a string', 'metadata', fileOf({ __metadata__: 'pt' })],
    ['metadata with a number', 'metadata', fileOf({ __metadata__: { step: 1 } })],
    ['metadata with a key __proto__', 'metadata', fileOf('{"__metadata__":{"__proto__":"x"}}')],
    ['a tensor that is null', 'field', fileOf({ a: null })],
    ['a tensor without a shape', 'field', fileOf({ a: { dtype: 'U8', data_offsets: [0, 1] } }, 1)],
    ['a tensor with a field more', 'field', fileOf({ a: { ...u8(0, 1), strides: [1] } }, 1)],
    ['an unknown dtype', 'dtype', fileOf({ a: tensor('F8_E4M3', [1], 0, 1) }, 1)],
    ['a dtype in small letters', 'dtype', fileOf({ a: tensor('u8', [1], 0, 1) }, 1)],
    ['a dtype that is no string', 'dtype', fileOf({ a: { dtype: 3, shape: [1], data_offsets: [0, 1] } }, 1)],
    ['a negative length', 'shape', fileOf({ a: tensor('U8', [-1], 0, 1) }, 1)],
    ['a length of 1.5', 'shape', fileOf({ a: tensor('U8', [1.5], 0, 1) }, 1)],
    ['a length spelt 1.0', 'shape', fileOf('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1)],
    ['a length beyond 2^53', 'shape', fileOf('{"a":{"dtype":"U8","shape":[9007199254740993,0],"data_offsets":[0,0]}}')],
    ['lengths that overflow together', 'shape', fileOf({ a: tensor('U8', many(3), 0, 1) }, 1)],
    ['lengths that overflow before a zero', 'shape', fileOf({ a: tensor('U8', [...many(3), 0], 0, 0) })],
    ['a shape that is a number', 'shape', fileOf({ a: tensor('U8', 1, 0, 1) }, 1)],
    ['a length that is a string', 'shape', fileOf({ a: tensor('U8', ['1'], 0, 1) }, 1)],
    ['offsets beyond the data', 'offsets', fileOf({ a: u8(0, 2) }, 1)],
    ['offsets that fall', 'offsets', fileOf({ a: tensor('U8', [1], 1, 0) }, 1)],
    ['negative offsets', 'offsets', fileOf({ a: tensor('U8', [1], -1, 0) }, 1)],
    ['three offsets', 'offsets', fileOf({ a: tensor('U8', [1], 0, 1, 1) }, 1)],
    ['offsets that hold too little', 'size', fileOf({ a: tensor('F32', [2], 0, 4) }, 4)],
    ['offsets that hold too much', 'size', fileOf({ a: tensor('U8', [2], 0, 4) }, 4)],
    ['tensors over one another', 'overlap', fileOf({ a: u8(0, 3), b: u8(2, 4) }, 4)],
    ['the same bytes for two', 'overlap', fileOf({ a: u8(0, 3), b: u8(0, 3) }, 3)],
    ['an empty tensor inside another', 'overlap', fileOf({ a: u8(0, 4), b: u8(2, 2) }, 4)],
    ['a hole at the start', 'hole', fileOf({ a: u8(1, 2) }, 2)],
    ['a hole in the middle', 'hole', fileOf({ a: u8(0, 1), b: u8(2, 3) }, 3)],
    ['bytes after the last tensor', 'trailing', fileOf({ a: u8(0, 1) }, 2)],
    ['bytes and no tensor', 'trailing', fileOf({}, 1)],
  ])('%s: %s', async (_, reason, bytes) => {
    const source = watched(bytes);
    await expect(openSafetensors(source)).rejects.toMatchObject({
      code: 'E_SAFETENSORS',
      details: { reason, file: 'm' },
    });
    expect(source.reads.every(([start, end]) => start >= 0 && end <= bytes.length)).toBe(true);
    expect(source.closed).toBe(1);
  });

  it('bytes that are no UTF-8', async () => {
    const bytes = fileOf({ aé: u8(0, 1) }, 1);
    bytes[11] = 0xff;
    await expect(openSafetensors(memorySource(bytes))).rejects.toMatchObject({
      code: 'E_SAFETENSORS',
      details: { reason: 'json' },
    });
  });

  it('a file cut inside its data', async () => {
    const whole = fileOf({ a: u8(0, 9) }, 9);
    await expect(openSafetensors(memorySource(whole.slice(0, -1)))).rejects.toMatchObject({
      details: { reason: 'offsets' },
    });
  });

  it('says what was expected, what came and what to do', async () => {
    await expect(
      openSafetensors(memorySource(fileOf({ w: tensor('F32', [2, 3], 0, 20) }, 20), 'w.safetensors')),
    ).rejects.toThrow(
      "w.safetensors: expected tensor 'w' of F32 [2, 3] to take 24 bytes, received offsets that span 20. The file is damaged or was not written as safetensors; fetch or write it again.",
    );
  });

  it('a source that gives less than it promised', async () => {
    const liar: ByteSource = { size: 100, name: 'liar', read: async () => new Uint8Array(3), close: async () => {} };
    await expect(openSafetensors(liar)).rejects.toMatchObject({ code: 'E_IO', details: { reason: 'short' } });
  });
});

describe('reading', () => {
  const file = fileOf(
    {
      __metadata__: { format: 'pt' },
      b: tensor('I16', [2, 2], 6, 14),
      a: tensor('U8', [3, 2], 0, 6),
      none: tensor('F32', [0, 7], 6, 6),
      one: tensor('U8', [], 14, 15),
    },
    15,
  );

  it('opens by the header alone, then reads ranges', async () => {
    const source = watched(file);
    const opened = await openSafetensors(source);
    const start = file.length - 15;
    expect(source.reads).toEqual([
      [0, 8],
      [8, start],
    ]);
    expect((await opened.read('a')).bytes).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5));
    expect(source.reads.at(-1)).toEqual([start, start + 6]);
  });

  it('lists tensors in the order of their bytes, with places in the file', async () => {
    const { entries, metadata } = await openSafetensors(memorySource(file, 'm'));
    const start = file.length - 15;
    expect(entries.map(({ name, byteRange }) => [name, byteRange[0] - start, byteRange[1] - start])).toEqual([
      ['a', 0, 6],
      ['none', 6, 6],
      ['b', 6, 14],
      ['one', 14, 15],
    ]);
    expect(entries[0]).toMatchObject({ dtype: 'U8', shape: [3, 2], file: 'm' });
    expect(metadata).toEqual({ format: 'pt' });
  });

  it('reads rows', async () => {
    const opened = await openSafetensors(memorySource(file));
    expect(await opened.read('a', { rows: [1, 3] })).toMatchObject({ shape: [2, 2], bytes: Uint8Array.of(2, 3, 4, 5) });
    expect(await opened.read('a', { rows: [3, 3] })).toMatchObject({ shape: [0, 2], bytes: new Uint8Array(0) });
    expect((await opened.load('b', { rows: [1, 2] })).data).toEqual(Int32Array.of(10 + 11 * 256, 12 + 13 * 256));
  });

  it.each([
    ['a', [0, 4]],
    ['a', [2, 1]],
    ['a', [-1, 1]],
    ['a', [0.5, 1]],
    ['one', [0, 1]],
  ] as const)('refuses rows of %s: %j', async (name, rows) => {
    const opened = await openSafetensors(memorySource(file));
    await expect(opened.read(name, { rows })).rejects.toMatchObject({ code: 'E_TENSOR', details: { reason: 'rows' } });
  });

  it('a scalar has one element, a zero axis none', async () => {
    const opened = await openSafetensors(memorySource(file));
    expect(await opened.load('one')).toEqual({ dtype: 'i32', shape: [], data: Int32Array.of(14) });
    expect(await opened.load('none')).toEqual({ dtype: 'f32', shape: [0, 7], data: new Float32Array(0) });
  });

  it('names what it does not hold', async () => {
    const opened = await openSafetensors(memorySource(file));
    expect(opened.has('a')).toBe(true);
    expect(opened.has('toString')).toBe(false);
    await expect(opened.read('toString')).rejects.toMatchObject({ code: 'E_TENSOR' });
    expect(() => opened.entry('c')).toThrow(expect.objectContaining({ code: 'E_TENSOR' }));
  });

  it('closes its source once and reads no more', async () => {
    const source = watched(file);
    const opened = await openSafetensors(source);
    await opened.close();
    await opened.close();
    expect(source.closed).toBe(1);
    await expect(opened.read('a')).rejects.toMatchObject({ code: 'E_CLOSED' });
  });

  it('takes a file without tensors, with spaces after the JSON', async () => {
    expect((await openSafetensors(memorySource(fileOf('{}      ')))).entries).toEqual([]);
  });
});

it('what is written is read: any names, dtypes, shapes and metadata', async () => {
  const tensors = fc.uniqueArray(
    fc.record({
      name: fc
        .string({ unit: 'binary' })
        .filter(name => !(name in Object.prototype) && name !== 'prototype' && name !== '__metadata__'),
      dtype: fc.constantFrom(...storageDtypes),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    }),
    { selector: spec => spec.name, maxLength: 8 },
  );
  const metadata = fc.dictionary(
    fc.string({ unit: 'grapheme' }).filter(key => !(key in Object.prototype) && key !== 'prototype'),
    fc.string({ unit: 'binary' }),
  );
  await fc.assert(
    fc.asyncProperty(tensors, metadata, async (specs, notes) => {
      const all: TensorBytes[] = specs.map((spec, i) => ({
        ...spec,
        bytes: new Uint8Array(elementCount(spec.shape) * byteSize[spec.dtype]).fill(i + 1),
      }));
      const sink = memorySink();
      await writeSafetensors(sink, all, notes);
      const opened = await openSafetensors(memorySource(sink.bytes()));
      expect({ ...opened.metadata }).toEqual({ ...notes });
      expect(opened.entries.length).toBe(all.length);
      for (const { name, dtype, shape, bytes } of all)
        expect(await opened.read(name)).toEqual({ name, dtype, shape, bytes });
    }),
    { numRuns: 300 },
  );
});
