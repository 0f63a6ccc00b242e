/** A stack of blocks: what decoders and encoders have in common, from names in a configuration to numbers. */

import {
  embedding,
  f32,
  fail,
  iota,
  normal,
  type Layer,
  type Params,
  type PartSource,
  type Tensor,
  type Types,
} from '@heddle/core';
import { transformerBlock, type BlockParts, type BlockView } from './block.js';
import type { EncoderDecoderConfig, PartOptions, StackConfig } from './config.js';
import { spread } from './parts/dense.js';
import type { AttentionPart, AttentionRole, AttentionView } from './parts/attention.js';
import type { FeedForwardPart } from './parts/feed-forward.js';
import type { NormPart } from './parts/norm.js';
import type { PositionPart, Positions, PositionSignals } from './parts/positions.js';

/** The attentions of one block, by where their memory stands in the model's: `0` of the first block, `0.cross`. */
type Attentions = Readonly<Record<string, AttentionPart>>;

/** The blocks of one stack, declared. */
export interface Stack {
  readonly blocks: readonly Layer<Params, [x: Tensor, view: BlockView], Tensor>[];
  /** Attention of each block to its own tokens, and to a source. */
  readonly self: Attentions;
  readonly cross: Attentions;
  /** After the last block, where norms stand before the parts. */
  readonly norm: { readonly norm?: NormPart };
}

/** @param role `decoder` with `cross`: blocks look at a source too */
export function declareStack(
  config: StackConfig,
  depth: number,
  make: PartMaker,
  role: 'encoder' | 'decoder',
  looksAtSource = false,
): Stack {
  const self: Record<string, AttentionPart> = {};
  const cross: Record<string, AttentionPart> = {};
  const blocks = Array.from({ length: depth }, (_, block) => {
    const attention = (self[block] = make.attention(role, block, depth));
    const parts: BlockParts = {
      attentionNorm: make.norm(),
      attention,
      ...(looksAtSource
        ? { crossNorm: make.norm(), cross: (cross[`${block}.cross`] = make.attention('cross', block, depth)) }
        : {}),
      ...(config.ffn === 'none' ? {} : { ffnNorm: make.norm(), ffn: make.feedForward(block, depth) }),
    };
    return transformerBlock(parts, config);
  });
  return { blocks, self, cross, norm: config.normFirst ? { norm: make.norm() } : {} };
}

/** What one side of a pass reads. */
export interface Seen {
  /** Added to the scores. @shape [B | 1, 1, N, S] */
  readonly mask: Tensor;
  /** @param make rows of the layer's own input, or of a source that it is given @returns all rows that may be looked at */
  readonly remember: (name: string, make: (source?: Tensor) => Tensor) => Tensor;
}

/** A stack, bound: what `runStack` calls. */
export interface WiredStack {
  readonly drop: (x: Tensor) => Tensor;
  readonly blocks: readonly ((x: Tensor, view: BlockView) => Tensor)[];
  readonly norm?: (x: Tensor) => Tensor;
  readonly positions: (at: Positions) => PositionSignals;
}

/**
 * From embedded tokens to what the last block gives; only positions, masks and memory differ between a whole text and a
 * step over a cache.
 *
 * @param maps filled with what attentions look at, by block
 * @shape embedded [B, N, D] -> [B, N, D]
 */
export function runStack(
  { self, cross }: Stack,
  { drop, blocks, norm, positions: signalsOf }: WiredStack,
  embedded: Tensor,
  at: Positions,
  own: Seen,
  source: Seen | null = null,
  maps: Map<string, Tensor> | null = null,
): Tensor {
  const positions = signalsOf(at);
  const standing = typeof at === 'number' ? iota([1, at], 1, 'f32') : at.cast('f32');
  let x = drop(positions.embedding ? embedded.add(positions.embedding) : embedded);
  const handed = new Map([['embedded', x]]);
  blocks.forEach((block, i) => {
    const mine = watched(self[i]!, `${i}`, own, positions, standing, handed, maps);
    // A source has places of its own: angles of the text's positions mean nothing there.
    const theirs = source
      ? watched(cross[`${i}.cross`]!, `${i}.cross`, source, { embedding: null, angles: null }, standing, handed, maps)
      : null;
    x = block(x, { self: mine.view, ...(theirs ? { cross: theirs.view } : {}) });
    mine.finish();
    theirs?.finish();
  });
  return norm ? norm(x) : x;
}

/** By stack: `encoder.0`. */
export const namedMaps = (stack: string, maps: ReadonlyMap<string, Tensor>): Readonly<Record<string, Tensor>> =>
  Object.fromEntries([...maps].map(([block, of]) => [`${stack}.${block}`, of]));

/** `blocks.0.key`: the memory of one block's attention. */
const memoryName = (attention: string, name: string): string => `blocks.${attention}.${name}`;

/** What an attention sees, and a check afterwards that it remembered what it had declared. */
function watched(
  part: AttentionPart,
  place: string,
  { mask, remember }: Seen,
  positions: PositionSignals,
  at: Tensor,
  handed: Map<string, Tensor>,
  maps: Map<string, Tensor> | null,
): { readonly view: AttentionView; readonly finish: () => void } {
  const remembered = new Set<string>();
  return {
    view: {
      mask,
      positions,
      at,
      handed,
      ...(maps ? { show: (of: Tensor) => void maps.set(place, of) } : {}),
      remember(name, make) {
        expectDeclared(part, name, remembered);
        return remember(memoryName(place, name), source => {
          const rows = make(source);
          expectRows(part, name, rows);
          return rows;
        });
      },
    },
    finish() {
      for (const name of Object.keys(part.memory)) {
        if (!remembered.has(name))
          fail(
            'E_CACHE',
            `${part.name}: memory '${name}': expected one call of remember in each pass, received none. Call it, or do not declare it.`,
            { name },
          );
      }
    },
  };
}

/** Names and types of what attentions keep of `tokens` tokens in each of `batch` rows. */
export const memoryTypes = (attentions: Attentions, batch: number, tokens: number): Types =>
  Object.fromEntries(
    Object.entries(attentions).flatMap(([place, { memory }]) =>
      Object.entries(memory).map(
        ([name, { heads, width }]) => [memoryName(place, name), f32(batch, heads, tokens, width)] as const,
      ),
    ),
  );

function expectDeclared({ name: part, memory }: AttentionPart, name: string, remembered: Set<string>): void {
  if (!memory[name])
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
  remembered.add(name);
}

function expectRows({ name: part, memory }: AttentionPart, name: string, rows: Tensor): void {
  const declared = memory[name]!;
  const [, heads, , width] = rows.shape;
  if (rows.rank !== 4 || heads !== declared.heads || width !== declared.width) {
    fail(
      'E_CACHE',
      `${part}: remember('${name}'): expected rows [B, ${declared.heads}, N, ${declared.width}], received [${rows.shape.join(', ')}]. Make \`memory\` and \`apply\` agree.`,
      { name, declared, shape: rows.shape },
    );
  }
}

/** Tokens to vectors, scaled if asked; a scaled table begins so much smaller. */
export const embeddingOf = ({ vocabulary, width, scaleEmbedding }: StackConfig) =>
  embedding(vocabulary, width, { init: normal(scaleEmbedding ? width ** -0.5 : spread) });

/** @shape ids i32[B, N] -> [B, N, D] */
export const embedded = ({ width, scaleEmbedding }: StackConfig, embed: (ids: Tensor) => Tensor, ids: Tensor): Tensor =>
  scaleEmbedding ? embed(ids).mul(Math.sqrt(width)) : embed(ids);

/** Finds the parts that a configuration names, and tells each what it needs to know. */
export interface PartMaker {
  attention(role: AttentionRole, block: number, depth: number): AttentionPart;
  feedForward(block: number, depth: number): FeedForwardPart;
  norm(): NormPart;
  positions(length: number): PositionPart;
}

/** @throws E_UNKNOWN, E_PART */
export function partMaker(
  config: StackConfig & Partial<Pick<EncoderDecoderConfig, 'cross'>>,
  parts: PartSource,
): PartMaker {
  const { width, heads, keyHeads, hidden, bias, dropout, length, epsilon, ropeBase, options } = config;
  type Field = 'attention' | 'cross' | 'ffn' | 'norm' | 'positions';
  const make = (field: Field, given: PartOptions): unknown => {
    const name = config[field] ?? config.attention;
    const own =
      field === 'cross' && options.cross === undefined && name === config.attention
        ? options.attention
        : options[field];
    const part = parts.part(field === 'cross' ? 'attention' : field, name, { ...given, ...own });
    if ((part as { readonly is?: unknown } | null)?.is !== 'layer') {
      fail(
        'E_PART',
        `${field} '${name}': expected a layer, received ${typeof part}. Make it with defineLayer or defineAttention.`,
        { point: field, name },
      );
    }
    return part;
  };
  // What a name stands for is known only by contract; the shape rules of the first trace find the rest.
  return {
    attention(role, block, depth) {
      const told = { width, heads, keyHeads, bias, dropout, role, block, depth, length };
      const part = make(role === 'cross' ? 'cross' : 'attention', told) as AttentionPart;
      if (typeof (part as Partial<AttentionPart>).memory !== 'object') {
        fail(
          'E_PART',
          `attention '${part.name}': expected a layer that declares its memory, received one without. Make it with defineAttention.`,
          { name: part.name },
        );
      }
      return part;
    },
    feedForward: (block, depth) => make('ffn', { width, hidden, bias, dropout, block, depth }) as FeedForwardPart,
    norm: () => make('norm', { width, epsilon }) as NormPart,
    positions: longest =>
      make('positions', { width, headWidth: width / heads, length: longest, base: ropeBase }) as PositionPart,
  };
}
