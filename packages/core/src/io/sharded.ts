/** One set of tensors in several safetensors files, with a JSON index that says which file holds which. */

import { fail, isHeddleError } from '../errors.js';
import type { ByteSink, ByteSource } from './bytes.js';
import { canonicalJson, decodeUtf8, isJsonObject, parseJson, type Json } from './json.js';
import { nameTrouble } from './paths.js';
import { openSafetensors, tensorFile, type TensorFile } from './safetensors.js';
import { safetensorsWriter, tensorBytes, type TensorSpec, type TensorWriter } from './safetensors-writer.js';

/** Bytes; an index of a million tensors takes about 100 MB. */
export const maxIndexBytes = 100_000_000;

/** Why an index is refused: `details.reason` of E_SHARD_INDEX. */
export type ShardIndexReason =
  | 'json'
  | 'duplicate' // a key twice
  | 'index-size'
  | 'weight-map' // absent, empty, or not an object of strings
  | 'file-name' // a shard that is not a plain name in the folder
  | 'missing' // a tensor that its shard does not hold
  | 'unlisted' // a tensor in a shard that the index does not name
  | 'twice' // a tensor in two shards
  | 'total-size';

export interface ShardIndex {
  readonly name: string;
  /** Tensor name to file name. */
  readonly weights: ReadonlyMap<string, string>;
  /** Bytes of all tensors, where the index says so. */
  readonly totalSize: number | null;
}

/** Gives the files of one folder by their plain names. */
export type OpenFile = (name: string) => Promise<ByteSource>;

/**
 * Checks an index by itself: strict JSON, `weight_map` from names to plain file names, `total_size` a whole number.
 *
 * @throws E_SHARD_INDEX with `details.reason`, a `ShardIndexReason`
 */
export function readShardIndex(json: Uint8Array | string, name = 'index'): ShardIndex {
  if (json.length > maxIndexBytes) refuse(name, 'index-size', `at most ${maxIndexBytes} bytes`, `${json.length}`);
  const index = jsonOf(json, name);
  const map = isJsonObject(index) ? index['weight_map'] : undefined;
  if (!isJsonObject(index) || !isJsonObject(map))
    return refuse(name, 'weight-map', 'an object with a weight_map', 'none');
  const weights = Object.entries(map).map(([tensor, file]) => [tensor, plainFile(file, tensor, name)] as const);
  if (weights.length === 0) refuse(name, 'weight-map', 'a weight_map with tensors', 'an empty one');
  return { name, weights: new Map(weights), totalSize: totalSizeOf(index['metadata'], name) };
}

function jsonOf(json: Uint8Array | string, thing: string): Json {
  try {
    return parseJson(typeof json === 'string' ? json : decodeUtf8(json, thing), { thing });
  } catch (error) {
    if (!isHeddleError(error)) throw error;
    const reason: ShardIndexReason = error.details['reason'] === 'duplicate' ? 'duplicate' : 'json';
    return fail('E_SHARD_INDEX', error.message, { ...error.details, index: thing, reason }, error);
  }
}

function plainFile(file: Json, tensor: string, index: string): string {
  if (typeof file !== 'string')
    return refuse(index, 'weight-map', `a file name for '${tensor}'`, file === null ? 'null' : typeof file);
  const trouble = nameTrouble(file);
  return trouble === null
    ? file
    : refuse(index, 'file-name', `a plain file name for '${tensor}'`, `'${file}', which ${trouble}`);
}

function totalSizeOf(metadata: Json | undefined, index: string): number | null {
  if (metadata === undefined) return null;
  if (!isJsonObject(metadata)) return refuse(index, 'total-size', 'metadata as an object', 'something else');
  const size = metadata['total_size'];
  if (size === undefined) return null;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    return refuse(index, 'total-size', 'total_size as a whole number of bytes', String(size));
  return size;
}

/**
 * Opens all shards of an index as one file. Reads their headers only.
 *
 * @param open opens a file of the index's folder; gets only names that are plain
 * @throws E_SHARD_INDEX when index and shards disagree in any way; E_SAFETENSORS for a bad shard. What was opened is closed.
 */
export async function openSharded(open: OpenFile, json: Uint8Array | string, name = 'index'): Promise<TensorFile> {
  const index = readShardIndex(json, name);
  const shards = new Map<string, { readonly file: TensorFile; readonly source: ByteSource }>();
  const closeAll = async (): Promise<void> =>
    void (await Promise.all([...shards.values()].map(({ file }) => file.close())));
  try {
    for (const shard of new Set(index.weights.values())) {
      const source = await open(shard);
      shards.set(shard, { file: await openSafetensors(source), source });
    }
    checkShards(index, new Map([...shards].map(([shard, { file }]) => [shard, file])));
  } catch (error) {
    await closeAll().catch(() => {}); // the refusal says more
    throw error;
  }
  const all = [...shards.values()];
  const metadata = Object.assign({}, ...all.map(({ file }) => file.metadata).reverse()) as Record<string, string>; // the first shard wins
  return tensorFile(
    name,
    all.flatMap(({ file, source }) => file.entries.map(entry => ({ entry, source }))),
    metadata,
    closeAll,
  );
}

function checkShards({ name, weights, totalSize }: ShardIndex, shards: ReadonlyMap<string, TensorFile>): void {
  const seen = new Map<string, string>();
  let total = 0;
  for (const [shard, file] of shards) {
    for (const { name: tensor, byteRange } of file.entries) {
      const other = seen.get(tensor);
      if (other !== undefined) refuse(name, 'twice', `'${tensor}' in one file`, `it in '${other}' and '${shard}'`);
      if (!weights.has(tensor))
        refuse(name, 'unlisted', `every tensor of '${shard}' in the weight_map`, `'${tensor}' without an entry`);
      seen.set(tensor, shard);
      total += byteRange[1] - byteRange[0];
    }
  }
  for (const [tensor, shard] of weights) {
    if (seen.get(tensor) !== shard) refuse(name, 'missing', `'${tensor}' in '${shard}'`, 'a file without it');
  }
  if (totalSize !== null && totalSize !== total)
    refuse(name, 'total-size', `a total_size of ${total}, what the shards hold`, `${totalSize}`);
}

/** Makes and removes the files of one folder. */
export interface SinkFolder {
  create(name: string): Promise<ByteSink>;
  /** Removes a finished file. */
  remove(name: string): Promise<void>;
}

export interface ShardOptions {
  /** Bytes of tensors per file; a larger tensor gets a file of its own. Default 5 GB. */
  readonly maxShardBytes?: number;
  /** First part of the file names; default `model`. */
  readonly base?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes tensors into `model-00001-of-0000N.safetensors` files and, last, `model.safetensors.index.json`.
 *
 * Tensors are dealt to files in the order given, so neighbours stay together; within a file they stand as
 * `safetensorsWriter` orders them. One file is open at a time. An abort or a failure removes every file written.
 *
 * @throws E_WRITE as `safetensorsWriter` does, and for a maxShardBytes that is no positive whole number
 */
export function shardedWriter(
  folder: SinkFolder,
  specs: readonly TensorSpec[],
  { maxShardBytes = 5_000_000_000, base = 'model', metadata = {} }: ShardOptions = {},
): TensorWriter {
  const shards = planShards(specs, maxShardBytes, base);
  const indexName = `${base}.safetensors.index.json`;
  const plans = shards.map(({ file, specs: own }) => ({
    file,
    order: safetensorsWriter(nowhere(file), own, metadata).order,
  })); // checks all of it before the first byte
  const order = plans.flatMap(plan => plan.order);
  const home = homes(shards, indexName);
  const done: string[] = [];
  let current = 0;
  let open: { readonly file: string; readonly writer: TensorWriter } | null = null;
  let state: 'open' | 'finished' | 'aborted' = 'open';

  async function abort(): Promise<void> {
    if (state === 'finished') return;
    state = 'aborted';
    const unfinished = open?.writer;
    open = null;
    await unfinished?.abort();
    for (const file of done.splice(0)) await folder.remove(file);
  }

  async function guarded(act: () => Promise<void>): Promise<void> {
    if (state !== 'open')
      fail(
        'E_CLOSED',
        `${indexName}: expected an open writer, received a call after it was ${state}. Open another one.`,
        { name: indexName, state },
      );
    try {
      await act();
    } catch (error) {
      await abort().catch(() => {}); // the first failure says more
      throw error;
    }
  }

  async function closeShard(): Promise<void> {
    if (open === null) return;
    await open.writer.finish();
    done.push(open.file);
    open = null;
    current++;
  }

  /** Closes and opens files until the one numbered `target` is open. */
  async function reach(target: number): Promise<TensorWriter> {
    while (open === null || current < target) {
      await closeShard();
      const shard = shards[current]!;
      open = { file: shard.file, writer: safetensorsWriter(await folder.create(shard.file), shard.specs, metadata) };
    }
    return open.writer;
  }

  async function writeIndex(): Promise<void> {
    const sink = await folder.create(indexName);
    try {
      await sink.write(new TextEncoder().encode(shardIndexText(shards)));
      await sink.finish();
    } catch (error) {
      await sink.abort().catch(() => {});
      throw error;
    }
  }

  return {
    order,
    abort,
    write: (name, bytes) =>
      guarded(async () => {
        const target = home.get(name) ?? refuseWrite(indexName, 'order', 'a tensor that was declared', `'${name}'`);
        if (target < current)
          refuseWrite(indexName, 'order', `tensors of '${shards[current]!.file}'`, `'${name}' of an earlier file`);
        await (await reach(target)).write(name, bytes);
      }),
    finish: () =>
      guarded(async () => {
        if (shards.length > 0) await reach(shards.length - 1);
        await closeShard();
        await writeIndex();
        state = 'finished';
      }),
  };
}

export interface Shard {
  readonly file: string;
  readonly specs: readonly TensorSpec[];
}

/** The index that goes with shards: canonical JSON and a line end. */
export function shardIndexText(shards: readonly Shard[]): string {
  const total = shards.flatMap(({ specs }) => specs).reduce((sum, spec) => sum + tensorBytes(spec), 0);
  const map = Object.fromEntries(shards.flatMap(({ file, specs }) => specs.map(({ name }) => [name, file])));
  return `${canonicalJson({ metadata: { total_size: total }, weight_map: map })}\n`;
}

/**
 * Deals tensors in order; a file is full when the next one would take it past the limit.
 *
 * @throws E_WRITE for no tensors, and for a maxShardBytes that is no positive whole number
 */
export function planShards(specs: readonly TensorSpec[], maxShardBytes: number, base: string): readonly Shard[] {
  if (!Number.isSafeInteger(maxShardBytes) || maxShardBytes < 1)
    refuseWrite(base, 'shard-size', 'maxShardBytes as a whole number of bytes from 1', String(maxShardBytes));
  if (specs.length === 0) refuseWrite(base, 'empty', 'at least one tensor', 'none');
  const groups: TensorSpec[][] = [];
  let room = -1;
  for (const spec of specs) {
    const bytes = tensorBytes(spec);
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = maxShardBytes;
    }
    groups.at(-1)!.push(spec);
    room -= bytes;
  }
  const pad = (n: number): string => String(n).padStart(5, '0');
  return groups.map((group, i) => ({
    file: `${base}-${pad(i + 1)}-of-${pad(groups.length)}.safetensors`,
    specs: group,
  }));
}

/** Tensor name to the number of its file. */
function homes(shards: readonly Shard[], index: string): ReadonlyMap<string, number> {
  const home = new Map<string, number>();
  shards.forEach(({ specs }, i) => {
    for (const { name } of specs) {
      if (home.has(name)) refuseWrite(index, 'duplicate', 'each tensor name once', `'${name}' twice`);
      home.set(name, i);
    }
  });
  return home;
}

/** For checking a declaration: the writer of a sink writes nothing before its first `write`. */
const nowhere = (name: string): ByteSink => ({
  name,
  write: async () => {},
  finish: async () => {},
  abort: async () => {},
});

const refuse = (index: string, reason: ShardIndexReason, expected: string, received: string): never =>
  fail(
    'E_SHARD_INDEX',
    `${index}: expected ${expected}, received ${received}. Index and files must come from the same model; fetch or write them again.`,
    { index, reason },
  );

const refuseWrite = (file: string, reason: string, expected: string, received: string): never =>
  fail(
    'E_WRITE',
    `${file}: expected ${expected}, received ${received}. Write what was declared, in the writer's order.`,
    { file, reason },
  );
