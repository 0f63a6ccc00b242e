/** Custom ops: what a plugin adds to the language of tensors. */

import { fail } from '../errors.js';
import { callNode } from '../ir/call.js';
import type { Op } from '../ir/op.js';
import type { Attrs } from '../ir/types.js';
import type { Kernel, KernelFormat } from '../backend/contract.js';
import type { TensorType } from '../ir/types.js';
import { Tensor } from './tensor.js';

/** A custom op that can be called: `rope([x], { base })` gives its outputs. */
export interface OpFunction<A extends Attrs> extends Op<A> {
  (inputs: readonly Tensor[], attrs: A): readonly Tensor[];
}

/**
 * Declares an op: a name, a shape rule, and a meaning in terms of tensors.
 *
 * @throws E_NAME for a name that is not `word.word` or `word`
 */
export function defineOp<A extends Attrs = Readonly<Record<string, never>>>(op: Op<A>): OpFunction<A> {
  if (!/^[a-zA-Z][\w-]*(\.[\w-]+)*$/.test(op.name)) {
    fail('E_NAME', `op '${op.name}': expected words of letters, digits, - and _ joined by dots. Rename it.`, {
      name: op.name,
    });
  }
  const definition = op as unknown as Op;
  const call = (inputs: readonly Tensor[], attrs: A): readonly Tensor[] =>
    callNode(
      definition,
      inputs.map(t => t.value),
      attrs,
    ).map(v => new Tensor(v));
  // `name` of a function is read-only by assignment, not by definition.
  for (const [key, value] of Object.entries(op)) Object.defineProperty(call, key, { value, enumerable: true });
  return call as unknown as OpFunction<A>;
}

/**
 * Declares a way to run an op on one kind of engine.
 *
 * @param format the token that the engine exports from its `/kernel` entry
 */
export function defineKernel<K, A extends Attrs = Attrs>(
  format: KernelFormat<K>,
  kernel: {
    readonly op: string | { readonly name: string };
    readonly accepts?: (inputs: readonly TensorType[], attrs: A) => boolean;
    readonly build: (inputs: readonly TensorType[], attrs: A) => K;
  },
): Kernel<K> {
  return {
    op: typeof kernel.op === 'string' ? kernel.op : kernel.op.name,
    format: `${format.name}@${format.version}`,
    accepts: (inputs, attrs) => kernel.accepts?.(inputs, attrs as A) ?? true,
    build: (inputs, attrs) => kernel.build(inputs, attrs as A),
  };
}
