/** The Transformer of an encoder alone, with a head that says which class a row of tokens is of. */

import {
  defineLayer,
  dropout,
  f32,
  refuse,
  sameShape,
  showTypes,
  type Bound,
  type ClassifierModel,
  type ModelFactory,
  type Params,
  type PartSource,
  type Tensor,
} from '@heddle/core';
import { classifierConfig, type PartialClassifierConfig } from './config.js';
import { builtInSource } from './parts/built-in.js';
import { dense } from './parts/dense.js';
import { expectTokens, lookingAt, wholeText } from './reading.js';
import { declareStack, embedded, embeddingOf, namedMaps, partMaker, runStack, type WiredStack } from './stack.js';

const architecture = 'classifier';

/** The parameter tree, bound. */
interface Wired {
  /** Of ids; of vectors, `project`. */
  readonly embed?: (ids: Tensor) => Tensor;
  readonly project?: (x: Tensor) => Tensor;
  readonly encoder: WiredStack;
  readonly head: (x: Tensor) => Tensor;
}

/**
 * Builds a model. Tokens are ids, or, with `features`, vectors of so many numbers: the correlations of a brain's region with all
 * others, say. Attentions are told that they stand in an encoder.
 *
 * Called with tokens i32[B, T] or f32[B, T, F] and a mask f32[B, T], 1 where there is a token: [B, T] -> [B, classes].
 *
 * @param parts where parts come from: `partsOf(host)`; without it, what this package brings
 * @throws E_CONFIG, E_UNKNOWN, E_PART
 *
 * @example
 * const model = createClassifier({ features: 200, length: 200, classes: 2, width: 64, depth: 2 });
 */
export function createClassifier(partial: PartialClassifierConfig, parts: PartSource = builtInSource): ClassifierModel {
  const config = classifierConfig(partial);
  const { width, depth, length, classes, features = null, pooling } = config;
  const make = partMaker(config, parts);
  const encoder = declareStack(config, depth, make, 'encoder');
  const params: Params = {
    ...(features === null ? { embed: embeddingOf(config) } : { project: dense(features, width, { bias: true }) }),
    encoder: {
      positions: make.positions(length),
      drop: dropout(config.dropout),
      blocks: encoder.blocks,
      ...encoder.norm,
    },
    head: dense(width, classes, { bias: true }),
  };

  /** @shape -> [B, T, D] */
  const read = (
    bound: Bound<Params>,
    tokens: Tensor,
    mask: Tensor,
    maps: Map<string, Tensor> | null = null,
  ): Tensor => {
    const { embed, project, encoder: wired } = bound as unknown as Wired;
    const T = features === null ? expectTokens(architecture, 'ids', tokens, length) : expectVectors(tokens, features, length); // prettier-ignore
    if (!sameShape(mask.shape, tokens.shape.slice(0, 2)))
      refuse(architecture, 'E_SHAPE', `expected a mask ${showTypes([f32(...tokens.shape.slice(0, 2))])}, received ${showTypes([mask.type])}.`, {}); // prettier-ignore
    const x = project ? project(tokens) : embedded(config, embed!, tokens);
    return runStack(encoder, wired, x, T, wholeText(lookingAt(mask)), null, maps);
  };

  const core = defineLayer<Params, [Tensor, Tensor], Tensor>({
    name: architecture,
    params,
    apply(bound: Bound<Params>, tokens, mask) {
      const { head } = bound as unknown as Wired;
      const last = read(bound, tokens, mask);
      if (pooling === 'first') return head(last.slice(1, 0, 1).reshape(last.shape[0]!, width));
      const weight = mask.reshape(...mask.shape, 1);
      // A row without any token is nothing, and not a division by it.
      return head(last.mul(weight).sum(1).div(weight.sum(1).add(1e-9)));
    },
  });
  const maps = (bound: Bound<Params>, tokens: Tensor, mask: Tensor) => {
    const found = new Map<string, Tensor>();
    read(bound, tokens, mask, found);
    return namedMaps('encoder', found);
  };
  return { ...core, maps, kind: 'classifier', architecture, config: config as never, features, length, classes };
}

/** @returns tokens of a row */
function expectVectors(tokens: Tensor, features: number, length: number): number {
  const [, T = 0, F] = tokens.shape;
  if (tokens.rank !== 3 || tokens.dtype !== 'f32' || F !== features || T < 1 || T > length)
    refuse(architecture, 'E_SHAPE', `expected tokens f32[B, 1 to ${length}, ${features}], received ${showTypes([tokens.type])}.`, {}); // prettier-ignore
  return T;
}

/** For MODELS: makes the model again from the configuration that stands in a checkpoint. */
export const classifierFactory: ModelFactory = {
  name: architecture,
  create: (config, parts) => createClassifier(config as unknown as PartialClassifierConfig, parts),
};
