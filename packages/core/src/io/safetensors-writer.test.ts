import { describe, expect, it } from 'vitest';
import { memorySink, memorySource, type ByteSink } from './bytes.js';
import { openSafetensors } from './safetensors.js';
import {
  safetensorsLayout,
  safetensorsWriter,
  writeSafetensors,
  type TensorBytes,
  type TensorSpec,
} from './safetensors-writer.js';

const spec = (name: string, dtype: TensorSpec['dtype'], ...shape: number[]): TensorSpec => ({ name, dtype, shape });
const filled = (bytes: number, value = 7): Uint8Array => new Uint8Array(bytes).fill(value);

const tensors: readonly TensorBytes[] = [
  { ...spec('b', 'U8', 3), bytes: filled(3, 1) },
  { ...spec('z', 'F32', 2), bytes: filled(8, 2) },
  { ...spec('a', 'F32', 1), bytes: filled(4, 3) },
  { ...spec('empty', 'BF16', 0, 5), bytes: filled(0) },
];

const written = async (list: readonly TensorBytes[], metadata: Record<string, string> = {}): Promise<Uint8Array> => {
  const sink = memorySink();
  await writeSafetensors(sink, list, metadata);
  return sink.bytes();
};

describe('the bytes', () => {
  it('are the same for any order of tensors and metadata', async () => {
    const one = await written(tensors, { x: '1', y: '2' });
    expect(await written(tensors.toReversed(), { y: '2', x: '1' })).toEqual(one);
  });

  it('stand where the layout says, whoever fills them in', async () => {
    const { header, entries, size } = safetensorsLayout(tensors, { x: '1' });
    const file = new Uint8Array(size);
    file.set(header);
    for (const { name, byteRange } of entries) file.set(tensors.find(one => one.name === name)!.bytes, byteRange[0]);
    expect(file).toEqual(await written(tensors, { x: '1' }));
  });

  it('are those of the format: length, JSON, spaces up to 8, data', async () => {
    const bytes = await written([{ ...spec('w', 'I16', 2), bytes: Uint8Array.of(1, 2, 3, 4) }], { format: 'pt' });
    const text = '{"__metadata__":{"format":"pt"},"w":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}';
    const length = Math.ceil(text.length / 8) * 8;
    expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(length));
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + length))).toBe(text.padEnd(length));
    expect([...bytes.subarray(8 + length)]).toEqual([1, 2, 3, 4]);
  });

  it('lie aligned to their elements: wider dtypes come first', async () => {
    const { entries } = await openSafetensors(memorySource(await written(tensors)));
    expect(entries.map(({ name }) => name)).toEqual(['a', 'z', 'empty', 'b']);
    expect(entries[0]!.byteRange[0] % 8).toBe(0);
  });

  it('may come in chunks of any size', async () => {
    const sink = memorySink();
    const writer = safetensorsWriter(sink, tensors);
    for (const { name } of writer.order) {
      const { bytes } = tensors.find(tensor => tensor.name === name)!;
      for (let i = 0; i < bytes.length; i += 3) await writer.write(name, bytes.subarray(i, i + 3)); // leaves the empty one out
    }
    await writer.finish();
    expect(sink.bytes()).toEqual(await written(tensors));
  });

  it('of no tensors are a header', async () => {
    expect((await openSafetensors(memorySource(await written([], { note: 'empty' })))).metadata).toEqual({
      note: 'empty',
    });
  });
});

describe('declarations that are refused', () => {
  it.each<[string, readonly TensorSpec[], Record<string, unknown>]>([
    ['duplicate', [spec('a', 'U8', 1), spec('a', 'F32', 1)], {}],
    ['name', [spec('__proto__', 'U8', 1)], {}],
    ['name', [spec('__metadata__', 'U8', 1)], {}],
    ['name', [spec('\ud800', 'U8', 1)], {}],
    ['dtype', [spec('a', 'F8' as 'U8', 1)], {}],
    ['shape', [spec('a', 'U8', -1)], {}],
    ['shape', [spec('a', 'U8', 1.5)], {}],
    ['shape', [spec('a', 'U8', 2 ** 40, 2 ** 40, 0)], {}],
    ['shape', [spec('a', 'F64', 2 ** 52)], {}],
    ['metadata', [], { step: 1 }],
    ['metadata', [], { text: '\udc00' }],
  ])('%s', (reason, specs, metadata) => {
    expect(() => safetensorsWriter(memorySink(), specs, metadata as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'E_WRITE', details: expect.objectContaining({ reason }) as object }),
    );
  });
});

describe('writing other than declared', () => {
  const open = () => {
    const log: string[] = [];
    const sink: ByteSink = {
      name: 'out',
      write: async chunk => void log.push(`write ${chunk.length}`),
      finish: async () => void log.push('finish'),
      abort: async () => void log.push('abort'),
    };
    return { log, writer: safetensorsWriter(sink, [spec('a', 'U8', 4), spec('b', 'U8', 2)]) };
  };

  it.each<[string, readonly (readonly [string, number])[]]>([
    ['order', [['b', 2]]],
    [
      'order',
      [
        ['a', 2],
        ['b', 2],
      ],
    ],
    ['order', [['c', 1]]],
    [
      'order',
      [
        ['a', 4],
        ['b', 2],
        ['a', 1],
      ],
    ],
    ['size', [['a', 5]]],
    [
      'size',
      [
        ['a', 4],
        ['a', 1],
      ],
    ],
    ['missing', []],
    ['missing', [['a', 4]]],
    [
      'missing',
      [
        ['a', 4],
        ['b', 1],
      ],
    ],
  ])('%s: %j, and the sink is aborted', async (reason, writes) => {
    const { log, writer } = open();
    const all = async (): Promise<void> => {
      for (const [name, size] of writes) await writer.write(name, filled(size));
      await writer.finish();
    };
    await expect(all()).rejects.toMatchObject({ code: 'E_WRITE', details: { reason } });
    expect(log.at(-1)).toBe('abort');
    await expect(writer.write('a', filled(1))).rejects.toMatchObject({ code: 'E_CLOSED' });
  });

  it('a sink that fails is aborted', async () => {
    const log: string[] = [];
    const sink: ByteSink = {
      name: 'out',
      write: () => Promise.reject(new Error('full')),
      finish: async () => {},
      abort: async () => void log.push('abort'),
    };
    await expect(writeSafetensors(sink, tensors)).rejects.toThrow('full');
    expect(log).toEqual(['abort']);
  });

  it('nothing can be written after finish', async () => {
    const { writer } = open();
    await writer.write('a', filled(4));
    await writer.write('b', filled(2));
    await writer.finish();
    await writer.abort(); // harmless
    await expect(writer.finish()).rejects.toMatchObject({ code: 'E_CLOSED' });
  });
});
