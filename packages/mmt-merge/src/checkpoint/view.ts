/** A model as a merge sees it: named tensors with a shape, a dtype and a source. Headers only. */

import { fail, type Shape } from '@heddle/core';
import { hostDtype, type StorageDtype, type TensorFile } from '@heddle/core/files';
import type { Source, StoredSource } from '../plan/source.js';
import type { AdapterConfig } from './adapter.js';
import { adapterModules, scaleOf } from './adapter.js';

export interface ViewTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: StorageDtype;
  readonly source: Source;
}

export interface ModelView {
  readonly title: string;
  /** In the order of the files. */
  readonly tensors: ReadonlyMap<string, ViewTensor>;
}

export const isFloat = (dtype: StorageDtype): boolean => hostDtype[dtype] === 'f32';

export function plainView(title: string, file: TensorFile): ModelView {
  return {
    title,
    tensors: new Map(
      file.entries.map(({ name, shape, dtype, byteRange, file: path }) => [
        name,
        { name, shape, dtype, source: { kind: 'stored', file: path, start: byteRange[0], dtype, shape } },
      ]),
    ),
  };
}

/**
 * An adapter on a model: the tensors that it changes read as `W + scale * B A`, the others as they are.
 *
 * @param base the model; null for the differences alone
 * @throws E_ADAPTER when the adapter changes what the model has not
 */
export function adaptedView(title: string, base: ModelView | null, file: TensorFile, config: AdapterConfig): ModelView {
  const tensors = new Map(base?.tensors ?? []);
  const own = plainView(title, file).tensors;
  for (const module of adapterModules(title, file, config)) {
    const name = base === null ? `${module.path}.weight` : targetOf(title, base, `${module.path}.weight`);
    if (module.kind === 'saved') {
      const saved = own.get(module.name)!;
      tensors.set(name, { ...saved, name });
      continue;
    }
    const [a, b] = [own.get(module.a)!, own.get(module.b)!];
    const [rank, columns] = a.shape as [number, number];
    const [rows, other] = b.shape as [number, number];
    if (a.shape.length !== 2 || b.shape.length !== 2 || rank !== other)
      refuse(
        title,
        `A [r, in] and B [out, r] at '${module.path}'`,
        `[${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
      );
    const { transposed } = module;
    const shape = transposed ? [columns, rows] : [rows, columns];
    const under = base?.tensors.get(name);
    if (under && under.shape.join() !== shape.join())
      refuse(title, `a difference of [${under.shape.join(', ')}] for '${name}'`, `[${shape.join(', ')}]`);
    const stored = (tensor: ViewTensor): StoredSource => tensor.source as StoredSource; // of a plain view
    tensors.set(name, {
      name,
      shape,
      dtype: under?.dtype ?? a.dtype,
      source: {
        kind: 'adapted',
        shape,
        base: under?.source ?? null,
        left: stored(transposed ? a : b),
        right: stored(transposed ? b : a),
        transposed,
        scale: scaleOf(config, module.path, rank),
      },
    });
  }
  return { title, tensors };
}

/** The name in the model: some checkpoints have one prefix more or less than the module that was adapted. */
function targetOf(title: string, base: ModelView, name: string): string {
  const candidates = [name, `model.${name}`, name.replace(/^[^.]+\./, '')];
  return (
    candidates.find(candidate => base.tensors.has(candidate)) ??
    refuse(title, `an adapter of ${base.title}`, `one that changes '${name}', which that model has not`)
  );
}

const refuse = (title: string, expected: string, received: string): never =>
  fail(
    'E_ADAPTER',
    `${title}: expected ${expected}, received ${received}. Use the model that the adapter was trained on.`,
    {
      adapter: title,
    },
  );
