/** Sharded safetensors in a folder of this machine. */

import { promises as fs } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fail } from '../errors.js';
import type { ByteSource } from './bytes.js';
import { fileSink, fileSource } from './bytes.node.js';
import { told } from './failure.node.js';
import { exists } from './partial.node.js';
import { safeJoin } from './paths.js';
import { openSafetensors, type TensorFile } from './safetensors.js';
import { maxIndexBytes, openSharded, type OpenFile, type SinkFolder } from './sharded.js';

const indexName = 'model.safetensors.index.json';
const singleName = 'model.safetensors';

/** Files of a folder, by plain names only. */
export const folderFiles =
  (folder: string): OpenFile =>
  async name =>
    fileSource(safeJoin(folder, name));

/**
 * For `shardedWriter`: each file appears when it is finished, the index last. To replace a model as one step, fill an
 * `atomicFolder`.
 */
export const folderSinks = (folder: string): SinkFolder => ({
  create: async name => fileSink(safeJoin(folder, name)),
  remove: async name => told(name, 'removed', () => fs.rm(safeJoin(folder, name), { force: true })),
});

/**
 * Opens the shards that an index names.
 *
 * @param path of the index file
 * @throws E_SHARD_INDEX, E_SAFETENSORS, E_IO
 */
export async function openShardedFile(path: string): Promise<TensorFile> {
  const source = await fileSource(path);
  const json = await indexBytes(source).finally(() => source.close());
  return openSharded(folderFiles(dirname(path)), json, path);
}

async function indexBytes(source: ByteSource): Promise<Uint8Array> {
  if (source.size > maxIndexBytes) {
    fail(
      'E_SHARD_INDEX',
      `${source.name}: expected an index of at most ${maxIndexBytes} bytes, received ${source.size}. Check that it is an index.`,
      {
        index: source.name,
        reason: 'index-size',
      },
    );
  }
  return source.read(0, source.size);
}

/**
 * Opens tensors wherever they are: a `.safetensors` file, an `.index.json`, or a folder with `model.safetensors.index.json`
 * or `model.safetensors` in it.
 *
 * @throws E_SAFETENSORS, E_SHARD_INDEX, E_IO
 */
export async function openTensors(path: string): Promise<TensorFile> {
  const stat = await told(path, 'opened', () => fs.stat(path));
  if (stat.isDirectory()) {
    const sharded = await exists(join(path, indexName));
    return sharded ? openShardedFile(join(path, indexName)) : openTensors(join(path, singleName));
  }
  return basename(path).endsWith('.json') ? openShardedFile(path) : openSafetensors(await fileSource(path));
}
