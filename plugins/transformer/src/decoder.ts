/** The decoder-only Transformer: ids to logits, over a whole text or over a cache. */

import {
  causalMask,
  defineLayer,
  dropout,
  type Bound,
  type DecodeInput,
  type DecodeOutput,
  type DecoderModel,
  type ModelFactory,
  type Params,
  type PartSource,
  type ReadInput,
  type Tensor,
} from '@heddle/core';
import { decoderConfig, type PartialDecoderConfig } from './config.js';
import { builtInSource } from './parts/built-in.js';
import { dense } from './parts/dense.js';
import type { Positions } from './parts/positions.js';
import { expectTokens, logitsOf, wholeText, writing } from './reading.js';
import {
  declareStack,
  embedded,
  embeddingOf,
  memoryTypes,
  namedMaps,
  partMaker,
  runStack,
  type Seen,
  type WiredStack,
} from './stack.js';

const architecture = 'decoder';

/** The parameter tree, bound. */
interface Wired extends WiredStack {
  readonly embed: ((ids: Tensor) => Tensor) & { readonly weight: Tensor };
  readonly head?: (x: Tensor) => Tensor;
}

/**
 * Builds a model. Parts are found by the names in the configuration.
 *
 * @param parts where parts come from: `partsOf(host)`; without it, what this package brings
 * @throws E_CONFIG, E_UNKNOWN, E_PART
 *
 * @example
 * const model = createDecoder({ vocabulary: 256, ...decoderPresets.tiny });
 */
export function createDecoder(partial: PartialDecoderConfig, parts: PartSource = builtInSource): DecoderModel {
  const config = decoderConfig(partial);
  const { vocabulary, length, width, depth, tied } = config;
  const make = partMaker(config, parts);
  const stack = declareStack(config, depth, make, 'decoder');
  const params: Params = {
    embed: embeddingOf(config),
    positions: make.positions(length),
    drop: dropout(config.dropout),
    blocks: stack.blocks,
    ...stack.norm,
    ...(tied ? {} : { head: dense(width, vocabulary) }),
  };

  const through = (
    bound: Bound<Params>,
    ids: Tensor,
    at: Positions,
    seen: Seen,
    maps: Map<string, Tensor> | null = null,
  ): Tensor => {
    // prettier-ignore
    const wired = bound as unknown as Wired;
    const last = runStack(stack, wired, embedded(config, wired.embed, ids), at, seen, null, maps);
    return logitsOf(wired, wired.embed.weight, last);
  };

  const core = defineLayer<Params, [Tensor], Tensor>({
    name: architecture,
    params,
    apply(bound, ids) {
      const T = expectTokens(architecture, 'ids', ids, length);
      return through(bound, ids, T, wholeText(causalMask(T).reshape(1, 1, T, T)));
    },
  });

  return {
    ...core,
    kind: 'decoder',
    architecture,
    config,
    vocabulary,
    length,
    read(bound, { ids, positions, mask }: ReadInput): Tensor {
      const [B, T] = ids.shape as readonly [number, number];
      return through(bound, ids, positions, wholeText(mask.reshape(B, 1, T, T)));
    },
    maps(bound, ids) {
      const [found, T] = [new Map<string, Tensor>(), expectTokens(architecture, 'ids', ids, length)];
      through(bound, ids, T, wholeText(causalMask(T).reshape(1, 1, T, T)), found);
      return namedMaps('decoder', found);
    },
    cache: (batch, capacity) => memoryTypes(stack.self, batch, capacity),
    decode(bound, { ids, positions, places, mask, cache }: DecodeInput): DecodeOutput {
      const { seen, written } = writing(mask, cache, places);
      return { logits: through(bound, ids, positions, seen), cache: written };
    },
  };
}

/** For MODELS: makes a decoder again from the configuration that stands in a checkpoint. */
export const decoderFactory: ModelFactory = {
  name: architecture,
  create: (config, parts) => createDecoder(config as unknown as PartialDecoderConfig, parts),
};
