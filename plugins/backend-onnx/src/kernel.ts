/**
 * The language of ONNX kernels: what a plugin needs to say how one of its ops becomes ONNX nodes.
 * A token and types; nothing is loaded.
 */

import type { Dtype, KernelFormat, Shape } from '@heddle/core';

/** The name of a value in the model. */
export type OnnxValue = string;

/** A number is an int when it is whole; `{ float }` says float all the same. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNodeOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Number of outputs, 1 by default. */
  readonly outputs?: number;
  /** `com.microsoft` for ONNX Runtime's own operators. */
  readonly domain?: string;
}

/** Adds nodes to the model being written. */
export interface OnnxWriter {
  /** Adds a node. An empty name leaves an optional input out. */
  node(op: string, inputs: readonly OnnxValue[], options?: OnnxNodeOptions): readonly OnnxValue[];
  /** A constant; equal small ones are stored once. */
  constant(data: ArrayLike<number>, shape: Shape, dtype: Dtype | 'i64'): OnnxValue;
}

/**
 * Writes one op.
 *
 * @param needed which outputs somebody reads: the others, such as residuals that only a gradient wants, may be ''
 * @returns one value for each output of the op
 */
export type OnnxKernel = (
  write: OnnxWriter,
  inputs: readonly OnnxValue[],
  needed: readonly boolean[],
) => readonly OnnxValue[];

export const ONNX: KernelFormat<OnnxKernel> = { name: 'onnx', version: 1 };
