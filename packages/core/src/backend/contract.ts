/**
 * What a backend must do to run graphs. The reference interpreter is one backend among others;
 * all the rest are plugins.
 */

import type { Attrs, Dtype, Graph, HostTensor, TensorType, Types } from '../ir/types.js';

/** A kind of kernel that some backend can take; `K` is what `build` returns. Exported by that backend's `/kernel` entry. */
export interface KernelFormat<K> {
  readonly name: string;
  readonly version: number;
  /** Never set; it carries the type. */
  readonly build?: (kernel: K) => void;
}

/** A way to run one op on one kind of engine. */
export interface Kernel<K = unknown> {
  readonly op: string;
  readonly format: string;
  /** Whether this kernel can take these inputs; the first that says yes is used. */
  accepts(inputs: readonly TensorType[], attrs: Attrs): boolean;
  build(inputs: readonly TensorType[], attrs: Attrs): K;
}

/** Kernels by format and op, nearest registration first. */
export interface KernelSource {
  find(format: string, op: string): readonly Kernel[];
}

/** A tensor that lives where the backend computes. Closed by its owner; a second close does nothing. */
export interface DeviceTensor {
  readonly type: TensorType;
  readonly backend: string;
  close(): void;
}

export interface Limits {
  readonly maxRank: number;
  readonly maxElements: number;
  /** Integers are exact below this. */
  readonly exactIntegers: number;
  readonly dtypes: readonly Dtype[];
  /** The same inputs give the same bits. */
  readonly deterministic: boolean;
  /** Kept tensors stay on the device between runs. */
  readonly resident: boolean;
  /** Largest difference from the reference allowed for a float, relative to the largest element of the tensor. */
  readonly tolerance: number;
}

export interface Signature {
  readonly inputs: Types;
  readonly outputs: Types;
}

export type Feeds = Readonly<Record<string, HostTensor | DeviceTensor>>;

export interface Results {
  /** The outputs that were not asked to be kept. */
  readonly outputs: Readonly<Record<string, HostTensor>>;
  /** The outputs named in `keep`, on the device (or where the backend keeps such things); the caller closes them. */
  readonly kept: Readonly<Record<string, DeviceTensor>>;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Outputs that should stay on the device. */
  readonly keep?: readonly string[];
  /**
   * Kept outputs that may take the memory of a fed device tensor of the same type: output name -> input name.
   * The fed tensor is closed by the run. For state that is rewritten in place, such as a cache.
   */
  readonly donate?: Readonly<Record<string, string>>;
  /**
   * Arrays of the caller that outputs may be written to, by name, in place of fresh ones; a backend may pay no heed. For
   * large outputs of many short runs, which are garbage otherwise.
   */
  readonly into?: Readonly<Record<string, HostTensor['data']>>;
}

/** Something that runs. Calls queue; inputs are never modified unless donated; after `close` every use throws `E_CLOSED`. */
export interface Executable {
  readonly signature: Signature;
  run(inputs: Feeds, options?: RunOptions): Promise<Results>;
  /** Passes applied, kernels chosen and why, fallbacks with reasons. */
  explain(): string;
  close(): Promise<void>;
}

/** Said while compiling: `training` graphs take weights as inputs, `inference` may bake `constants` in. */
export interface CompileOptions {
  readonly kernels?: KernelSource;
  /** Values for inputs that never change: an engine may pack them once. They leave the signature. */
  readonly constants?: Readonly<Record<string, HostTensor>>;
  /** For messages and `explain`. */
  readonly name?: string;
}

export interface Backend {
  /** `reference`, `onnx:cpu`, `gpujs:webgpu`… */
  readonly name: string;
  /** The kernels that it can take; null takes none. */
  readonly format: string | null;
  readonly limits: Limits;
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  upload(host: HostTensor): Promise<DeviceTensor>;
  download(device: DeviceTensor): Promise<HostTensor>;
  /** Device tensors open now; for leak tests. */
  live(): number;
  close(): Promise<void>;
}

/** How a plugin offers a backend: asked whether it can run here before anything is opened. */
export interface BackendOffer {
  readonly name: string;
  /** null when it can run here; otherwise why not, in words for `heddle doctor`. */
  unavailable(): Promise<string | null>;
  /** Versions, threads, adapter: what `heddle doctor` prints. */
  describe?(): Promise<Readonly<Record<string, string | number | boolean>>>;
  open(options?: Readonly<Record<string, unknown>>): Promise<Backend>;
}
