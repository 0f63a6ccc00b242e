/** Walking parameter trees: declarations by path, and binding tensors to them. */

import { at } from '../ir/path.js';
import { fail } from '../errors.js';
import { streamOf, uniforms } from '../random/philox.js';
import { sizeOf } from '../ir/shape.js';
import { random, type Tensor } from '../tensor/tensor.js';
import type { HostTensor, Shape, Types } from '../ir/types.js';
import type { AnyLayer, Bound, Context, Param, ParamTree } from './layer.js';

const isParam = (tree: ParamTree): tree is Param => (tree as { readonly is?: string }).is === 'param';
const isLayer = (tree: ParamTree): tree is AnyLayer => (tree as { readonly is?: string }).is === 'layer';

const join = (path: string, name: string | number): string => (path === '' ? String(name) : `${path}.${name}`);

const children = (tree: ParamTree): readonly (readonly [string, ParamTree])[] =>
  Object.entries(isLayer(tree) ? (tree.params as Record<string, ParamTree>) : tree);

/** Every parameter with its path, in the order of declaration. */
export function parametersOf(tree: ParamTree, path = ''): Record<string, Param> {
  if (isParam(tree)) return { [path]: tree };
  return Object.assign({}, ...children(tree).map(([name, child]) => parametersOf(child, join(path, name)))) as Record<
    string,
    Param
  >;
}

/** Every layer with its path, outer ones before those within them. */
export function* layersOf(tree: ParamTree, path = ''): Generator<readonly [path: string, layer: AnyLayer]> {
  if (isParam(tree)) return;
  if (isLayer(tree)) yield [path, tree];
  for (const [name, child] of children(tree)) yield* layersOf(child, join(path, name));
}

/**
 * The tree with some of its layers replaced; everything else is as it was.
 *
 * @param change the layer that takes a layer's place, which is not looked into; null to look into it
 */
export function mapLayers<T extends ParamTree>(
  tree: T,
  change: (layer: AnyLayer, path: string) => AnyLayer | null,
  path = '',
): T {
  if (isParam(tree)) return tree;
  const own = isLayer(tree) ? change(tree, path) : null;
  if (own !== null) return own as unknown as T;
  const mapped = children(tree).map(([name, child]) => [name, mapLayers(child, change, join(path, name))] as const);
  if (isLayer(tree)) return { ...tree, params: Object.fromEntries(mapped) };
  return (Array.isArray(tree) ? mapped.map(([, child]) => child) : Object.fromEntries(mapped)) as unknown as T;
}

/** Names and types of a tree's parameters. */
export const parameterTypes = (tree: ParamTree): Types =>
  Object.fromEntries(Object.entries(parametersOf(tree)).map(([name, { shape }]) => [name, { dtype: 'f32', shape }]));

/** Number of trainable numbers. */
export const countParameters = (tree: ParamTree): number =>
  Object.values(parametersOf(tree)).reduce((n, { shape }) => n + sizeOf(shape), 0);

/** Parameters as they begin. Each has its own stream of random numbers, named by its path: adding one changes no other. */
export function initialise(tree: ParamTree, seed: number): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(parametersOf(tree)).map(([name, { shape, init }]) => [
      name,
      { dtype: 'f32' as const, shape, data: init.fill(shape, uniforms(seed, streamOf(name))) },
    ]),
  );
}

export interface Mode {
  readonly training: boolean;
  /** i32[2]: seed and step. Without one, asking for random numbers is an error. */
  readonly key?: Tensor;
}

/**
 * Puts tensors and callable layers where the tree has declarations.
 *
 * @param tensors by path; one that is missing is `E_PARAMETER`
 */
export function bind<T extends ParamTree>(
  tree: T,
  tensors: Readonly<Record<string, Tensor>>,
  mode: Mode,
  path = '',
): Bound<T> {
  if (isParam(tree)) {
    return (tensors[path] ??
      fail('E_PARAMETER', `parameter '${path}': expected a tensor, received none. Load or initialise it.`, {
        path,
      })) as Bound<T>;
  }
  const entries = children(tree).map(([name, child]) => [name, bind(child, tensors, mode, join(path, name))] as const);
  if (!isLayer(tree)) {
    return (Array.isArray(tree) ? entries.map(([, child]) => child) : Object.fromEntries(entries)) as Bound<T>;
  }
  const bound = { ...Object.fromEntries(entries), context: contextAt(path, mode) };
  const apply = tree.apply as (bound: unknown, ...input: unknown[]) => unknown;
  const call = (...input: unknown[]): unknown => at(path, () => apply(bound, ...input));
  // `name` and `length` of a function are read-only by assignment, not by definition.
  for (const [name, value] of entries) {
    const shown = tree.shown?.[name];
    Object.defineProperty(call, name, shown ? { get: () => at(path, () => shown(bound)), enumerable: true } : { value, enumerable: true }); // prettier-ignore
  }
  return call as Bound<T>;
}

function contextAt(path: string, { training, key }: Mode): Context {
  let calls = 0;
  return {
    training,
    path,
    random(shape: Shape): Tensor {
      if (!key)
        fail(
          'E_RANDOM_KEY',
          `${path || 'model'}: expected a random key, received none. Pass \`key\` when tracing in training mode.`,
          { path },
        );
      return random(key, shape, streamOf(`${path}#${calls++}`));
    },
  };
}
