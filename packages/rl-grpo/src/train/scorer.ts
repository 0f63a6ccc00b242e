/** Log-probabilities of answers under given weights: of a reference model, or of the policy itself to compare with. */

import {
  bind,
  parameterTypes,
  trace,
  type Backend,
  type DecoderModel,
  type HostTensor,
  type KernelSource,
  type Tensor,
} from '@heddle/core';
import { layOutRows, rowTypes, scoreRows, type RowsShape, type StructuredRow } from './rows.js';

export interface ScorerOptions {
  readonly model: DecoderModel;
  /** By path, as `initialise` and checkpoints have them. None: each call says which. */
  readonly parameters?: Readonly<Record<string, HostTensor>>;
  readonly backend: Backend;
  readonly kernels?: KernelSource;
  /** Rows are scored in parts of `batch`. */
  readonly shape: RowsShape;
  /** Default 1. */
  readonly temperature?: number;
}

export interface Scorer {
  /**
   * One number for each scored token of each row, in their order.
   *
   * @param parameters where the scorer has none of its own
   * @throws as `layOutRows`; E_BINDING without parameters
   */
  score(
    rows: readonly StructuredRow[],
    parameters?: Readonly<Record<string, HostTensor>>,
  ): Promise<readonly (readonly number[])[]>;
  close(): Promise<void>;
}

/** The graph is that of training: what it says of a token is what the loss will say. */
export async function openScorer({
  model,
  parameters,
  backend,
  kernels,
  shape,
  temperature = 1,
}: ScorerOptions): Promise<Scorer> {
  const paths = Object.fromEntries(Object.entries(parameterTypes(model)).map(([name, t]) => [`params.${name}`, t]));
  const graph = trace({ ...paths, ...rowTypes(shape) }, inputs => {
    const tensors = inputs as Readonly<Record<string, Tensor>>;
    const params = Object.fromEntries(
      Object.keys(parameterTypes(model)).map(name => [name, tensors[`params.${name}`]!]),
    );
    return { logp: scoreRows(model, bind(model, params, { training: false }), tensors, temperature).logp };
  });
  const named = (given: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> =>
    Object.fromEntries(Object.keys(paths).map(path => [path, given[path.slice('params.'.length)]!]));
  const executable = await backend.compile(graph, {
    name: 'score',
    ...(parameters ? { constants: named(parameters) } : {}),
    ...(kernels ? { kernels } : {}),
  });
  return {
    async score(rows, given) {
      const weights = given && !parameters ? named(given) : {};
      const found: number[][] = [];
      const R = shape.scored ?? shape.length;
      for (let at = 0; at < rows.length; at += shape.batch) {
        const part = rows.slice(at, at + shape.batch);
        const { outputs } = await executable.run({ ...weights, ...layOutRows(part, shape) });
        const { data } = outputs['logp']!;
        part.forEach(({ scored }, b) => {
          const count = scored.filter(x => x > 0).length;
          found.push(Array.from(data.slice(b * R, b * R + count)));
        });
      }
      return found;
    },
    close: () => executable.close(),
  };
}
