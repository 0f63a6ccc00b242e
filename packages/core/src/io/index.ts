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
export { narrowBf16, narrowF16, widenBf16, widenF16 } from './half.js';
export { elementCount, maxHeaderBytes, type SafetensorsReason } from './header.js';
export { httpSource, type Fetch, type FetchResponse, type HttpOptions } from './http.js';
export { canonicalJson, hashJson, parseJson, type Json, type JsonReading } from './json.js';
export { isPlainName, nameTrouble, safeJoin } from './paths.js';
export { readParameters, writeParameters } from './parameters.js';
export { openSafetensors, type ReadOptions, type TensorEntry, type TensorFile } from './safetensors.js';
export {
  safetensorsLayout,
  safetensorsWriter,
  writeAll,
  writeSafetensors,
  type SafetensorsLayout,
  type TensorBytes,
  type TensorSpec,
  type TensorWriter,
} from './safetensors-writer.js';
export { sha256 } from './sha256.js';
export {
  openSharded,
  planShards,
  readShardIndex,
  shardIndexText,
  shardedWriter,
  type OpenFile,
  type Shard,
  type ShardIndex,
  type ShardIndexReason,
  type ShardOptions,
  type SinkFolder,
} from './sharded.js';
