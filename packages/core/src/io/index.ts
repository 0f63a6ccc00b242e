/** `@heddle/core/files`: file formats and where their bytes come from. Runs anywhere; disks are in `@heddle/core/node`. */

export { blobSource, memorySink, memorySource, type BlobLike, type ByteSink, type ByteSource } from './bytes.js';
export {
  byteSize,
  bytesOf,
  hostDtype,
  isStorageDtype,
  narrow,
  storageDtypes,
  viewAs,
  wideNumbers,
  widen,
  type Narrowable,
  type StorageDtype,
  type StoredTensor,
} from './dtype.js';
export { maxHeaderBytes, type SafetensorsReason } from './header.js';
export { httpSource, type Fetch, type FetchResponse, type HttpOptions } from './http.js';
export { canonicalJson, hashJson, parseJson, type Json, type JsonReading } from './json.js';
export { isPlainName, safeJoin } from './paths.js';
export { openSafetensors, type ReadOptions, type TensorEntry, type TensorFile } from './safetensors.js';
export {
  safetensorsWriter,
  writeAll,
  writeSafetensors,
  type TensorBytes,
  type TensorSpec,
  type TensorWriter,
} from './safetensors-writer.js';
export { sha256 } from './sha256.js';
export {
  openSharded,
  readShardIndex,
  shardedWriter,
  type OpenFile,
  type ShardIndex,
  type ShardIndexReason,
  type ShardOptions,
  type SinkFolder,
} from './sharded.js';
