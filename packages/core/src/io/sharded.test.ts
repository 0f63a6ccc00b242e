import { describe, expect, it } from 'vitest';
import { fail } from '../errors.js';
import { memorySink, memorySource, type ByteSource } from './bytes.js';
import { openSharded, readShardIndex, shardedWriter, type OpenFile, type SinkFolder } from './sharded.js';
import { writeAll, writeSafetensors, type TensorBytes } from './safetensors-writer.js';

const tensor = (name: string, size: number): TensorBytes => ({
  name,
  dtype: 'U8',
  shape: [size],
  bytes: new Uint8Array(size).fill(name.charCodeAt(0)),
});

async function fileOf(...tensors: readonly TensorBytes[]): Promise<Uint8Array> {
  const sink = memorySink();
  await writeSafetensors(sink, tensors, { from: tensors[0]?.name ?? '' });
  return sink.bytes();
}

/** A folder in memory that counts what is open. */
function folderOf(files: Readonly<Record<string, Uint8Array>>): {
  readonly open: OpenFile;
  readonly asked: string[];
  opened: number;
} {
  const folder = {
    asked: [] as string[],
    opened: 0,
    async open(name: string): Promise<ByteSource> {
      folder.asked.push(name);
      const source = memorySource(
        files[name] ?? fail('E_IO', `${name}: expected a file, received none. Add it.`),
        name,
      );
      folder.opened++;
      return { ...source, close: async () => void folder.opened-- };
    },
  };
  return folder;
}

const [one, two] = [await fileOf(tensor('a', 3), tensor('b', 2)), await fileOf(tensor('c', 4))];
const files = { 'm-1.safetensors': one, 'm-2.safetensors': two };
const map = { a: 'm-1.safetensors', b: 'm-1.safetensors', c: 'm-2.safetensors' };
const index = (weight_map: unknown = map, metadata: unknown = { total_size: 9 }): string =>
  JSON.stringify({ metadata, weight_map });

describe('opening', () => {
  it('shows all shards as one file', async () => {
    const folder = folderOf(files);
    const opened = await openSharded(folder.open, index(), 'm.index.json');
    expect(opened.entries.map(({ name, file }) => [name, file])).toEqual([
      ['a', 'm-1.safetensors'],
      ['b', 'm-1.safetensors'],
      ['c', 'm-2.safetensors'],
    ]);
    expect((await opened.read('c')).bytes).toEqual(new Uint8Array(4).fill(99));
    expect(opened.metadata).toEqual({ from: 'a' });
    expect(folder.asked).toEqual(['m-1.safetensors', 'm-2.safetensors']);
    await opened.close();
    expect(folder.opened).toBe(0);
  });

  it('needs no total size', async () => {
    await (await openSharded(folderOf(files).open, JSON.stringify({ weight_map: map }))).close();
    await (await openSharded(folderOf(files).open, index(map, { made_by: 'x' }))).close();
  });

  it.each<[string, string, string]>([
    ['json', 'text that is no JSON', '{"weight_map":'],
    ['duplicate', 'a tensor listed twice', '{"weight_map":{"a":"m-1.safetensors","a":"m-2.safetensors"}}'],
    ['weight-map', 'no weight_map', '{"metadata":{}}'],
    ['weight-map', 'an array', '[]'],
    ['weight-map', 'an empty weight_map', index({})],
    ['weight-map', 'a weight_map that is an array', index(['m-1.safetensors'])],
    ['weight-map', 'a file name that is a number', index({ a: 1 })],
    ['file-name', 'a way up', index({ ...map, a: '../m-1.safetensors' })],
    ['file-name', 'the folder above', index({ ...map, a: '..' })],
    ['file-name', 'an absolute path', index({ ...map, a: '/etc/passwd' })],
    ['file-name', 'a drive letter', index({ ...map, a: 'C:m-1.safetensors' })],
    ['file-name', 'a backslash', index({ ...map, a: '..\\m-1.safetensors' })],
    ['file-name', 'an escaped way up', index().replace('m-1.safetensors', '\\u002e\\u002e\\u002fm-1')],
    ['file-name', 'a subfolder', index({ ...map, a: 'sub/m-1.safetensors' })],
    ['file-name', 'an empty name', index({ ...map, a: '' })],
    ['file-name', 'a zero byte', index({ ...map, a: 'm-1.safetensors\u0000' })],
    ['missing', 'a tensor that its shard lacks', index({ ...map, d: 'm-2.safetensors' })],
    ['missing', 'a tensor in another shard', index({ ...map, b: 'm-2.safetensors' })],
    ['unlisted', 'a tensor left out', index({ a: 'm-1.safetensors', c: 'm-2.safetensors' })],
    ['total-size', 'a wrong total size', index(map, { total_size: 10 })],
    ['total-size', 'a total size that is no number', index(map, { total_size: '9' })],
    ['total-size', 'a negative total size', index(map, { total_size: -9 })],
    ['total-size', 'metadata that is no object', index(map, 9)],
  ])('refuses (%s) %s', async (reason, _, json) => {
    const folder = folderOf(files);
    await expect(openSharded(folder.open, json, 'i')).rejects.toMatchObject({
      code: 'E_SHARD_INDEX',
      details: { reason, index: 'i' },
    });
    expect(folder.opened).toBe(0);
    expect(folder.asked.every(name => name in files)).toBe(true);
  });

  it('refuses a tensor that two shards hold', async () => {
    const folder = folderOf({ x: one, y: await fileOf(tensor('a', 3), tensor('d', 1)) });
    await expect(openSharded(folder.open, index({ a: 'x', b: 'x', d: 'y' }, {}))).rejects.toMatchObject({
      code: 'E_SHARD_INDEX',
      details: { reason: 'twice' },
    });
    expect(folder.opened).toBe(0);
  });

  it('refuses a bad or missing shard as what it is, and closes the others', async () => {
    const cut = folderOf({ ...files, 'm-2.safetensors': two.slice(0, -1) });
    await expect(openSharded(cut.open, index())).rejects.toMatchObject({ code: 'E_SAFETENSORS' });
    expect(cut.opened).toBe(0);
    const absent = folderOf({ 'm-1.safetensors': one });
    await expect(openSharded(absent.open, index())).rejects.toMatchObject({ code: 'E_IO' });
    expect(absent.opened).toBe(0);
  });

  it('reads an index by itself', () => {
    const { weights, totalSize } = readShardIndex(new TextEncoder().encode(index()));
    expect([...weights]).toEqual(Object.entries(map));
    expect(totalSize).toBe(9);
  });
});

/** A folder that keeps finished files, and fails on the write numbered `failing`. */
function sinks(failing = Infinity): {
  readonly folder: SinkFolder;
  readonly kept: Map<string, Uint8Array>;
  readonly made: string[];
} {
  const kept = new Map<string, Uint8Array>();
  const made: string[] = [];
  let writes = 0;
  const folder: SinkFolder = {
    async create(name) {
      made.push(name);
      const sink = memorySink(name);
      return {
        ...sink,
        write: async chunk =>
          ++writes === failing
            ? fail('E_DISK_FULL', 'disk: expected room, received none. Free some.')
            : sink.write(chunk),
        finish: async () => {
          await sink.finish();
          kept.set(name, sink.bytes());
        },
      };
    },
    remove: async name => void kept.delete(name),
  };
  return { folder, kept, made };
}

describe('writing', () => {
  const tensors = [tensor('a', 4), tensor('b', 4), tensor('c', 20), tensor('d', 1), tensor('e', 0)];

  it('fills shards up to the limit, gives a large tensor its own, writes the index last', async () => {
    const { folder, kept, made } = sinks();
    await writeAll(shardedWriter(folder, tensors, { maxShardBytes: 10, metadata: { format: 'pt' } }), tensors);
    expect(made).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ]);
    const json = new TextDecoder().decode(kept.get('model.safetensors.index.json'));
    expect(JSON.parse(json)).toEqual({
      metadata: { total_size: 29 },
      weight_map: { a: made[0], b: made[0], c: made[1], d: made[2], e: made[2] },
    });
    const opened = await openSharded(async name => memorySource(kept.get(name)!, name), json);
    for (const { name, bytes } of tensors) expect((await opened.read(name)).bytes).toEqual(bytes);
    expect(opened.metadata).toEqual({ format: 'pt' });
  });

  it('gives the same bytes each time', async () => {
    const [first, second] = [sinks(), sinks()];
    for (const { folder } of [first, second])
      await writeAll(shardedWriter(folder, tensors, { maxShardBytes: 10 }), tensors);
    expect(second.kept).toEqual(first.kept);
  });

  it.each([1, 2, 3, 4, 5, 6, 7])('leaves nothing when write %d fails', async failing => {
    const { folder, kept } = sinks(failing);
    await expect(writeAll(shardedWriter(folder, tensors, { maxShardBytes: 10 }), tensors)).rejects.toMatchObject({
      code: 'E_DISK_FULL',
    });
    expect([...kept.keys()]).toEqual([]);
  });

  it('leaves nothing after an abort', async () => {
    const { folder, kept } = sinks();
    const writer = shardedWriter(folder, tensors, { maxShardBytes: 10 });
    for (const { name } of writer.order.slice(0, 3))
      await writer.write(name, tensors.find(t => t.name === name)!.bytes);
    await writer.abort();
    expect([...kept.keys()]).toEqual([]);
    await expect(writer.finish()).rejects.toMatchObject({ code: 'E_CLOSED' });
  });

  it('refuses what was not declared', async () => {
    const open = () => shardedWriter(sinks().folder, tensors, { maxShardBytes: 10 });
    await expect(open().write('x', new Uint8Array(1))).rejects.toMatchObject({
      code: 'E_WRITE',
      details: { reason: 'order' },
    });
    await expect(open().write('c', new Uint8Array(20))).rejects.toMatchObject({
      code: 'E_WRITE',
      details: { reason: 'missing' },
    }); // the first shard is not full
    await expect(open().finish()).rejects.toMatchObject({ code: 'E_WRITE', details: { reason: 'missing' } });
    expect(() => shardedWriter(sinks().folder, [])).toThrow(expect.objectContaining({ code: 'E_WRITE' }));
    expect(() => shardedWriter(sinks().folder, [tensors[0]!, tensors[0]!], { maxShardBytes: 4 })).toThrow(
      expect.objectContaining({ code: 'E_WRITE' }),
    );
    expect(() => shardedWriter(sinks().folder, tensors, { maxShardBytes: 0 })).toThrow(
      expect.objectContaining({ code: 'E_WRITE' }),
    );
  });
});
