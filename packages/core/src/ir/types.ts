/**
 * The words of the graph: dtypes, shapes, values, nodes.
 *
 * Everything here is plain data. A graph made by one copy of this package can be read by another.
 */

/** Compute types. f16 and bf16 are storage formats: readers widen them, writers narrow to them. */
export type Dtype = 'f32' | 'i32' | 'bool';

/** Static, every axis at least 1, at most `maxRank` axes. `[]` is a scalar. */
export type Shape = readonly number[];

export const maxRank = 6;

export interface TensorType {
  readonly dtype: Dtype;
  readonly shape: Shape;
}

/** Names and types, in a fixed order: what an executable takes or gives. */
export type Types = Readonly<Record<string, TensorType>>;

/** Numbers in host memory, row-major. A bool is one byte, 0 or 1. */
export interface HostTensor {
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly data: HostData;
}

export type HostData = Float32Array | Int32Array | Uint8Array;

/** What a node knows at compile time. JSON, but for the data of a `constant` and the definition in a `call`. */
export type Attrs = Readonly<Record<string, unknown>>;

/** One result of one node. */
export interface Value {
  readonly node: Node;
  readonly index: number;
  readonly type: TensorType;
}

export interface Node {
  /** Name of the primitive, or `call`. */
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attrs: Attrs;
  readonly outputs: readonly Value[];
  /** Where in the model it was made (`decoder.0.attention`); for messages only. */
  readonly path: string;
}

/** Nodes in topological order: every node stands after the nodes that it reads. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
}

export const f32 = (...shape: number[]): TensorType => ({ dtype: 'f32', shape });
export const i32 = (...shape: number[]): TensorType => ({ dtype: 'i32', shape });
export const bool = (...shape: number[]): TensorType => ({ dtype: 'bool', shape });
