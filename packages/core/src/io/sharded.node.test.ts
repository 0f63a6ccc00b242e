import { promises as fs } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { atomicFolder } from './atomic.node.js';
import { fileSink } from './bytes.node.js';
import { folderFiles, folderSinks, openShardedFile, openTensors } from './sharded.node.js';
import { writeAll, writeSafetensors, type TensorBytes } from './safetensors-writer.js';
import { shardedWriter } from './sharded.js';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'heddle-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

const tensors: readonly TensorBytes[] = [
  { name: 'a', dtype: 'U8', shape: [6], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6) },
  { name: 'b', dtype: 'I16', shape: [2], bytes: Uint8Array.of(1, 0, 255, 255) },
];

it('a sharded model is written into a folder and opened by index or by folder', async () => {
  const model = join(folder, 'model');
  await atomicFolder(model, temporary =>
    writeAll(shardedWriter(folderSinks(temporary), tensors, { maxShardBytes: 6 }), tensors),
  );
  expect((await fs.readdir(model)).sort()).toEqual([
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'model.safetensors.index.json',
  ]);
  for (const path of [model, join(model, 'model.safetensors.index.json')]) {
    const opened = await openTensors(path);
    expect((await opened.load('b')).data).toEqual(Int32Array.of(1, -1));
    await opened.close();
  }
});

it('a single file is opened by name or by folder', async () => {
  await writeSafetensors(await fileSink(join(folder, 'model.safetensors')), tensors);
  for (const path of [folder, join(folder, 'model.safetensors')]) {
    const opened = await openTensors(path);
    expect((await opened.read('a', { rows: [4, 6] })).bytes).toEqual(Uint8Array.of(5, 6));
    await opened.close();
  }
});

it('an abort leaves an empty folder', async () => {
  const writer = shardedWriter(folderSinks(folder), tensors, { maxShardBytes: 6 });
  for (const { name } of writer.order) await writer.write(name, tensors.find(tensor => tensor.name === name)!.bytes);
  await writer.abort();
  expect(await fs.readdir(folder)).toEqual([]);
});

it('names that leave the folder reach no file', async () => {
  await fs.mkdir(join(folder, 'model'));
  await fs.writeFile(join(folder, 'secret'), '');
  await expect(folderFiles(join(folder, 'model'))('../secret')).rejects.toMatchObject({ code: 'E_PATH' });
  const index = join(folder, 'model', 'x.index.json');
  await fs.writeFile(index, JSON.stringify({ weight_map: { a: '../secret' } }));
  await expect(openShardedFile(index)).rejects.toMatchObject({
    code: 'E_SHARD_INDEX',
    details: { reason: 'file-name' },
  });
});

it('says what is missing', async () => {
  await expect(openTensors(join(folder, 'absent'))).rejects.toMatchObject({ code: 'E_IO' });
  await expect(openTensors(folder)).rejects.toMatchObject({ code: 'E_IO' });
});
