/**
 * The kernel of Heddle: a graph of few primitives, gradients, layers and optimizers as values, a trainer, pipelines,
 * and the plugin contract. Runs anywhere. File formats are in `@heddle/core/files`, what needs Node in `@heddle/core/node`.
 */

export { fail, HeddleError, isHeddleError, type ErrorCode, type HeddleErrorLike } from './errors.js';
export { version } from './version.js';

export {
  bool,
  f32,
  i32,
  maxRank,
  type Attrs,
  type Dtype,
  type Graph,
  type HostData,
  type HostTensor,
  type Node,
  type Shape,
  type TensorType,
  type Types,
  type Value,
} from './ir/types.js';
export { callOf, type CallAttrs } from './ir/call.js';
export { census, makeGraph, nodesOf, rebuild } from './ir/graph.js';
export { sameShape, sameType, showType, showTypes, sizeOf, stridesOf } from './ir/shape.js';
export { at, currentPath, refuse } from './ir/path.js';
export { definePrimitive, type Primitive } from './ir/primitive.js';
export { primitive, primitives } from './ir/table.js';
export type { Op, OpGradient } from './ir/op.js';
export * as ir from './ir/primitives/index.js';

export * from './tensor/index.js';
export * from './lower/index.js';

export { checkFeeds, checkInto, checkKept, isHost } from './backend/feeds.js';
export { interpret, openReference, referenceOffer, type ReferenceOptions } from './backend/reference.js';
export type {
  Backend,
  BackendOffer,
  CompileOptions,
  DeviceTensor,
  Executable,
  Feeds,
  Kernel,
  KernelFormat,
  KernelSource,
  Limits,
  Results,
  RunOptions,
  Signature,
} from './backend/contract.js';

export { philox, randomUniform, streamOf, uniforms } from './random/philox.js';
export * from './model/index.js';
export * from './optim/index.js';
export * from './train/index.js';
export * from './plugin/index.js';
export * from './pipeline/index.js';
export { canonicalJson, hashJson, parseJson, type Json, type JsonReading } from './io/json.js';
export type { ByteSink, ByteSource } from './io/bytes.js';
