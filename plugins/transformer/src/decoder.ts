/** The decoder-only Transformer: ids to logits, over a whole text or over a cache. */

import {
  causalMask,
  defineLayer,
  dropout,
  embedding,
  f32,
  fail,
  normal,
  type Bound,
  type DecodeInput,
  type DecodeOutput,
  type DecoderModel,
  type ModelFactory,
  type Params,
  type PartSource,
  type ReadInput,
  type Tensor,
  type Types,
} from '@heddle/core';
import { attentionBlock, preNormBlock } from './block.js';
import { cacheWrite } from './cache-write.js';
import { decoderConfig, type DecoderConfig, type PartialDecoderConfig, type PartOptions } from './config.js';
import { builtInSource } from './parts/built-in.js';
import { dense, spread } from './parts/dense.js';
import type { AttentionPart, AttentionView } from './parts/attention.js';
import type { FeedForwardPart } from './parts/feed-forward.js';
import type { NormPart } from './parts/norm.js';
import type { PositionPart, Positions, PositionSignals } from './parts/positions.js';

const architecture = 'decoder';

/** The parameter tree, bound: what `forward` calls. */
interface Wired {
  readonly embed: ((ids: Tensor) => Tensor) & { readonly weight: Tensor };
  readonly positions: (at: Positions) => PositionSignals;
  readonly drop: (x: Tensor) => Tensor;
  readonly blocks: readonly ((x: Tensor, view: AttentionView) => Tensor)[];
  readonly norm: (x: Tensor) => Tensor;
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
  const { vocabulary, length, width, depth, dropout: rate, tied } = config;
  const make = makers(config, parts);
  const attentions = Array.from({ length: depth }, (_, block) => make.attention(block));
  const blocks = attentions.map((attention, block) =>
    config.ffn === 'none'
      ? attentionBlock({ attentionNorm: make.norm(), attention }, rate)
      : preNormBlock(
          { attentionNorm: make.norm(), attention, ffnNorm: make.norm(), ffn: make.feedForward(block) },
          rate,
        ),
  );
  const params: Params = {
    embed: embedding(vocabulary, width, { init: normal(spread) }),
    positions: make.positions(),
    drop: dropout(rate),
    blocks,
    norm: make.norm(),
    ...(tied ? {} : { head: dense(width, vocabulary) }),
  };

  /** Both ways through the model; only positions, mask and memory differ. */
  const through = (
    bound: Bound<Params>,
    ids: Tensor,
    at: Positions,
    mask: Tensor,
    remember: (name: string, rows: Tensor) => Tensor,
  ): Tensor => {
    const { embed, positions, drop, blocks: wired, norm, head } = bound as unknown as Wired;
    const signals = positions(at);
    const embedded = embed(ids); // [B, N, D]
    let x = drop(signals.embedding ? embedded.add(signals.embedding) : embedded);
    const handed = new Map([['embedded', x]]);
    wired.forEach((block, i) => {
      const remembered = new Set<string>();
      const view: AttentionView = {
        mask,
        positions: signals,
        handed,
        remember(name, rows) {
          expectMemory(attentions[i]!, name, rows, remembered);
          return remember(cacheName(i, name), rows);
        },
      };
      x = block(x, view);
      for (const name of Object.keys(attentions[i]!.memory)) {
        if (!remembered.has(name))
          fail(
            'E_CACHE',
            `${attentions[i]!.name}: memory '${name}': expected one call of remember in each pass, received none. Call it, or do not declare it.`,
            { name },
          );
      }
    });
    const last = norm(x);
    return head ? head(last) : last.matmul(embed.weight, { transposeRight: true }); // [B, N, V]
  };

  const core = defineLayer<Params, [Tensor], Tensor>({
    name: architecture,
    params,
    apply(bound, ids) {
      const T = ids.shape[1]!;
      if (ids.rank !== 2 || T > length) {
        fail(
          'E_LENGTH',
          `decoder: expected ids i32[B, T] with T up to ${length}, received ${ids.dtype}[${ids.shape.join(', ')}]. Cut the text, or raise \`length\`.`,
          { length, shape: ids.shape },
        );
      }
      return through(bound, ids, T, causalMask(T).reshape(1, 1, T, T), (_, rows) => rows);
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
      return through(bound, ids, positions, mask.reshape(B, 1, T, T), (_, rows) => rows);
    },
    cache: (batch, capacity) => cacheTypes(attentions, batch, capacity),
    decode(bound, { ids, positions, places, mask, cache }: DecodeInput): DecodeOutput {
      const [B, N, C] = mask.shape as readonly [number, number, number];
      const written: Record<string, Tensor> = {};
      const remember = (name: string, rows: Tensor): Tensor => {
        const before =
          cache[name] ??
          fail(
            'E_CACHE',
            `cache '${name}': expected a tensor, received none. Feed what model.cache(batch, capacity) names.`,
            { name },
          );
        return (written[name] = cacheWrite(before, rows, places));
      };
      const logits = through(bound, ids, positions, mask.reshape(B, 1, N, C), remember);
      return { logits, cache: written };
    },
  };
}

/** `blocks.0.key`: the cache of one block. */
const cacheName = (block: number, name: string): string => `blocks.${block}.${name}`;

const cacheTypes = (attentions: readonly AttentionPart[], batch: number, capacity: number): Types =>
  Object.fromEntries(
    attentions.flatMap(({ memory }, block) =>
      Object.entries(memory).map(
        ([name, { heads, width }]) => [cacheName(block, name), f32(batch, heads, capacity, width)] as const,
      ),
    ),
  );

function expectMemory(
  { name: part, memory }: AttentionPart,
  name: string,
  rows: Tensor,
  remembered: Set<string>,
): void {
  const declared = memory[name];
  if (!declared)
    fail(
      'E_CACHE',
      `${part}: remember('${name}'): expected one of ${Object.keys(memory).join(', ') || 'none'}. Declare it in \`memory\`.`,
      { name },
    );
  if (remembered.has(name))
    fail(
      'E_CACHE',
      `${part}: remember('${name}'): expected one call in each pass, received a second. Give each tensor a memory of its own.`,
      { name },
    );
  const [, heads, , width] = rows.shape;
  if (rows.rank !== 4 || heads !== declared.heads || width !== declared.width) {
    fail(
      'E_CACHE',
      `${part}: remember('${name}'): expected rows [B, ${declared.heads}, N, ${declared.width}], received [${rows.shape.join(', ')}]. Make \`memory\` and \`apply\` agree.`,
      { name, declared, shape: rows.shape },
    );
  }
  remembered.add(name);
}

function makers(config: DecoderConfig, parts: PartSource) {
  const { width, heads, keyHeads, hidden, bias, dropout: rate, depth, length, epsilon, ropeBase, options } = config;
  const make = (point: 'attention' | 'ffn' | 'norm' | 'positions', given: PartOptions): unknown => {
    const part = parts.part(point, config[point], { ...given, ...options[point] });
    if ((part as { readonly is?: unknown } | null)?.is !== 'layer') {
      fail(
        'E_PART',
        `${point} '${config[point]}': expected a layer, received ${typeof part}. Make it with defineLayer or defineAttention.`,
        { point, name: config[point] },
      );
    }
    return part;
  };
  // What a name stands for is known only by contract; the shape rules of the first trace find the rest.
  return {
    attention(block: number): AttentionPart {
      const part = make('attention', {
        width,
        heads,
        keyHeads,
        bias,
        dropout: rate,
        block,
        depth,
        length,
      }) as Partial<AttentionPart>;
      if (typeof part.memory !== 'object') {
        fail(
          'E_PART',
          `attention '${config.attention}': expected a layer that declares its memory, received one without. Make it with defineAttention.`,
          { name: config.attention },
        );
      }
      return part as AttentionPart;
    },
    feedForward: (block: number) =>
      make('ffn', { width, hidden, bias, dropout: rate, block, depth }) as FeedForwardPart,
    norm: () => make('norm', { width, epsilon }) as NormPart,
    positions: () => make('positions', { width, headWidth: width / heads, length, base: ropeBase }) as PositionPart,
  };
}

/** For MODELS: makes a decoder again from the configuration that stands in a checkpoint. */
export const decoderFactory: ModelFactory = {
  name: architecture,
  create: (config, parts) => createDecoder(config as unknown as PartialDecoderConfig, parts),
};
