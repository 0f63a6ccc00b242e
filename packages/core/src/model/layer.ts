/**
 * Layers are values: declared parameters and a pure function of the same tree, bound.
 *
 * There are no classes, no hidden state and no `train()` switch. Mode and random numbers come with
 * `context`, which the tracer puts beside the parameters.
 */

import { fail } from '../errors.js';
import type { Shape } from '../ir/types.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Initialiser } from './initialisers.js';

export interface Param {
  readonly is: 'param';
  readonly shape: Shape;
  readonly init: Initialiser;
}

/** Nested parameters: the path in the tree is the name in the file, `blocks.0.attention.query.weight`. */
export type ParamTree = Param | AnyLayer | readonly ParamTree[] | { readonly [name: string]: ParamTree };

/** What a layer may know beside its inputs. */
export interface Context {
  readonly training: boolean;
  /** Where the layer stands in the model: `blocks.0.attention`. */
  readonly path: string;
  /** Uniform numbers in [0, 1), a new stream at each call, keyed by run key, step, path and call: never by order elsewhere. */
  random(shape: Shape): Tensor;
}

export interface Layer<P extends Params, I extends readonly unknown[], O> {
  readonly is: 'layer';
  readonly name: string;
  readonly params: P;
  readonly apply: (bound: Bound<P> & { readonly context: Context }, ...input: I) => O;
}

export type Params = { readonly [name: string]: ParamTree };

/** A layer of unknown parameters and inputs: the only place where `any` says what is meant. */
export interface AnyLayer {
  readonly is: 'layer';
  readonly name: string;
  readonly params: Params;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly apply: (bound: any, ...input: any[]) => any;
  /**
   * What a layer around this one reads by the name of a parameter, in place of that parameter: for layers that compute with
   * more than their parents know of, such as a matrix with an adapter beside it. `apply` itself gets the parameter.
   */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly shown?: Readonly<Record<string, (bound: any) => Tensor>>;
}

/** A parameter tree with tensors for parameters and functions for layers. */
export type Bound<T> = T extends Param
  ? Tensor
  : T extends Layer<infer P, infer I, infer O>
    ? ((...input: I) => O) & Bound<P>
    : T extends readonly (infer E)[]
      ? readonly Bound<E>[]
      : { readonly [K in keyof T]: Bound<T[K]> };

/** Declares one trainable tensor. */
export const param = (shape: Shape, init: Initialiser): Param => ({ is: 'param', shape, init });

/**
 * Declares a layer.
 *
 * @throws E_NAME for a parameter called `context`, or one with a dot in its name
 */
export function defineLayer<const P extends Params, I extends readonly unknown[], O>(layer: {
  readonly name: string;
  readonly params: P;
  readonly apply: (bound: Bound<P> & { readonly context: Context }, ...input: I) => O;
}): Layer<P, I, O> {
  for (const name of Object.keys(layer.params)) {
    if (name === 'context' || name === '' || name.includes('.')) {
      fail(
        'E_NAME',
        `${layer.name}: parameter '${name}': expected a name without dots and other than 'context'. Rename it.`,
        { name },
      );
    }
  }
  return { is: 'layer', ...layer } as unknown as Layer<P, I, O>;
}
