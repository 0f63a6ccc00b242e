/** The Transformer of an encoder and a decoder: a source is read once, a text that looks at it is written token by token. */

import {
  causalMask,
  constant,
  defineLayer,
  dropout,
  type Bound,
  type EncoderDecoderModel,
  type ModelFactory,
  type Params,
  type PartSource,
  type SourceInput,
  type Tensor,
} from '@heddle/core';
import { encoderDecoderConfig, type PartialEncoderDecoderConfig } from './config.js';
import { builtInSource } from './parts/built-in.js';
import { dense } from './parts/dense.js';
import type { Positions } from './parts/positions.js';
import { expectTokens, kept, logitsOf, lookingAt, wholeText, writing } from './reading.js';
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

const architecture = 'encoder-decoder';

/** The parameter tree, bound. */
interface Wired {
  readonly embed: ((ids: Tensor) => Tensor) & { readonly weight: Tensor };
  /** The source's, where the two do not share one. */
  readonly sourceEmbed?: (ids: Tensor) => Tensor;
  readonly encoder: WiredStack;
  readonly decoder: WiredStack;
  readonly head?: (x: Tensor) => Tensor;
}

/**
 * Builds a model. Parts are found by the names in the configuration; attentions are told whether they stand in the
 * encoder, in the decoder or between the two.
 *
 * Called with source, mask and ids, it reads a whole text: `[B, S], [B, S], [B, T] -> [B, T, V]`.
 *
 * @param parts where parts come from: `partsOf(host)`; without it, what this package brings
 * @throws E_CONFIG, E_UNKNOWN, E_PART
 *
 * @example
 * const model = createEncoderDecoder({ vocabulary: 8000, width: 256, depth: 3, length: 128 });
 */
export function createEncoderDecoder(
  partial: PartialEncoderDecoderConfig,
  parts: PartSource = builtInSource,
): EncoderDecoderModel {
  const config = encoderDecoderConfig(partial);
  const { vocabulary, length, sourceLength, width, depth, encoderDepth, tied, sharedEmbedding } = config;
  const make = partMaker(config, parts);
  const encoder = declareStack(config, encoderDepth, make, 'encoder');
  const decoder = declareStack(config, depth, make, 'decoder', true);
  const side = ({ blocks, norm }: typeof encoder, longest: number): Params => ({
    positions: make.positions(longest),
    drop: dropout(config.dropout),
    blocks,
    ...norm,
  });
  const params: Params = {
    embed: embeddingOf(config),
    ...(sharedEmbedding ? {} : { sourceEmbed: embeddingOf(config) }),
    encoder: side(encoder, sourceLength),
    decoder: side(decoder, length),
    ...(tied ? {} : { head: dense(width, vocabulary) }),
  };

  /** @shape -> [B, S, D] */
  const encoded = (
    bound: Bound<Params>,
    { source, sourceMask }: SourceInput,
    maps: Map<string, Tensor> | null = null,
  ): Tensor => {
    // prettier-ignore
    const { embed, sourceEmbed, encoder: wired } = bound as unknown as Wired;
    const S = expectTokens(architecture, 'source', source, sourceLength);
    return runStack(
      encoder,
      wired,
      embedded(config, sourceEmbed ?? embed, source),
      S,
      wholeText(lookingAt(sourceMask)),
      null,
      maps,
    );
  };

  const decoded = (
    bound: Bound<Params>,
    ids: Tensor,
    at: Positions,
    own: Seen,
    source: Seen,
    maps: Map<string, Tensor> | null = null,
  ): Tensor => {
    // prettier-ignore
    const { embed, decoder: wired, head } = bound as unknown as Wired;
    const last = runStack(decoder, wired, embedded(config, embed, ids), at, own, source, maps);
    return logitsOf(head ? { head } : {}, embed.weight, last);
  };

  /** A whole text and its source; @param maps of both, filled */
  const whole = (
    bound: Bound<Params>,
    { source, sourceMask, ids }: SourceInput & { readonly ids: Tensor },
    maps: { readonly encoder: Map<string, Tensor>; readonly decoder: Map<string, Tensor> } | null = null,
  ): Tensor => {
    const read = encoded(bound, { source, sourceMask }, maps?.encoder);
    const T = expectTokens(architecture, 'ids', ids, length);
    const from: Seen = { mask: lookingAt(sourceMask), remember: (_, rowsOf) => rowsOf(read) };
    return decoded(bound, ids, T, wholeText(causalMask(T).reshape(1, 1, T, T)), from, maps?.decoder);
  };

  const core = defineLayer<Params, [Tensor, Tensor, Tensor], Tensor>({
    name: architecture,
    params,
    apply: (bound, source, sourceMask, ids) => whole(bound, { source, sourceMask, ids }),
  });

  return {
    ...core,
    kind: 'encoder-decoder',
    architecture,
    config,
    vocabulary,
    length,
    sourceLength,
    maps(bound, input) {
      const [encoderMaps, decoderMaps] = [new Map<string, Tensor>(), new Map<string, Tensor>()];
      whole(bound, input, { encoder: encoderMaps, decoder: decoderMaps });
      return { ...namedMaps('encoder', encoderMaps), ...namedMaps('decoder', decoderMaps) };
    },
    memory: (batch, tokens) => memoryTypes(decoder.cross, batch, tokens),
    encode(bound, input) {
      const read = encoded(bound, input);
      const B = read.shape[0]!;
      const memory: Record<string, Tensor> = {};
      // A pass over one token of any id: attentions say what they make of the source. Whatever else it computes, nobody
      // reads, so it is not in the graph.
      decoded(bound, constant(new Int32Array(B), [B, 1], 'i32'), 1, wholeText(causalMask(1).reshape(1, 1, 1, 1)), {
        mask: lookingAt(input.sourceMask),
        remember: (name, rowsOf) => (memory[name] = rowsOf(read)),
      });
      return memory;
    },
    cache: (batch, capacity) => memoryTypes(decoder.self, batch, capacity),
    decode(bound, { ids, positions, places, mask, cache, memory, sourceMask }) {
      const { seen, written } = writing(mask, cache, places);
      const source: Seen = { mask: lookingAt(sourceMask), remember: name => kept(memory, name) };
      return { logits: decoded(bound, ids, positions, seen, source), cache: written };
    },
  };
}

/** For MODELS: makes the model again from the configuration that stands in a checkpoint. */
export const encoderDecoderFactory: ModelFactory = {
  name: architecture,
  create: (config, parts) => createEncoderDecoder(config as unknown as PartialEncoderDecoderConfig, parts),
};
