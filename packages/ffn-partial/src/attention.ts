/** PartialFormer for models assembled from named parts: `attention: 'partial'`, with `ffn: 'none'`. */

import {
  defineLayer,
  rotate,
  type AttentionMemory,
  type AttentionPart,
  type AttentionRole,
  type AttentionView,
  type Params,
  type PartFactory,
  type Tensor,
} from '@heddle/core';
import { partialBlock, type PartialResult, type PartialView, type ScoreLayer } from './block.js';
import {
  expectKnown,
  headWidth,
  partialNames,
  refuse,
  scoreHeads,
  type PartialConfig,
  type PartialOptions,
} from './config.js';
import { globalMap, type GlobalMapView } from './global-map.js';

/** Where later layers of the same pass find the global map [B, E, N, S]. */
export const handedMap = 'partial.map';

/** Where they find the probabilities [B, E, N, S] of the last block before them. */
export const handedProbabilities = 'partial.probabilities';

/** What a model tells every attention, and what stands in `options.attention` of its configuration. */
export type PartialAttentionOptions = Omit<PartialOptions, 'bias'> &
  Partial<PartialConfig> & {
    /** Scores of the embedded input are added to those of every block. Default true. */
    readonly globalMap?: boolean;
    readonly keyHeads?: number;
    /** Share of cells dropped while training, wherever no dropout of its own is given. */
    readonly dropout?: number;
    /** Between a text and its source there is no global map. Default `decoder`. */
    readonly role?: AttentionRole;
    /** Number of this block, and of blocks. */
    readonly block?: number;
    readonly depth?: number;
    readonly length?: number;
  };

const told = ['keyHeads', 'dropout', 'role', 'block', 'depth', 'length', 'globalMap'];

/**
 * Attention and feed-forward in one, over a whole text or over a cache. The first block works out the global map and
 * hands it on.
 *
 * @param parts.scores another attention's maps in place of the scaling of heads
 * @throws E_CONFIG
 */
export function partialAttention(
  options: PartialAttentionOptions,
  parts: { readonly scores?: ScoreLayer } = {},
): AttentionPart {
  expectKnown('partial', options, [...partialNames, ...told]);
  const {
    keyHeads,
    dropout = 0,
    role = 'decoder',
    block: number = 0,
    depth: _d,
    length: _l,
    globalMap: wanted = true,
    ...rest
  } = options;
  if (keyHeads !== undefined && keyHeads !== options.heads) {
    refuse(
      'partial',
      'keyHeads',
      `the number of heads, ${options.heads}`,
      keyHeads,
      'Queries and keys have `coreHeads` heads: set it in options.attention.',
    );
  }
  if (typeof wanted !== 'boolean') refuse('partial', 'globalMap', 'true or false', wanted);
  const mapped = wanted && role !== 'cross';
  const block = partialBlock({ attentionDropout: dropout, activationDropout: dropout, ...rest }, parts);
  const { config } = block;
  const { width, heads, expandHeads, bias } = config;
  const first = mapped && number === 0;
  const d = headWidth(config);
  const memory: Record<string, AttentionMemory> = {
    key: { heads: scoreHeads(config), width: d },
    value: { heads: expandHeads, width: d },
    ...(first ? { map: { heads: expandHeads, width: d } } : {}),
  };
  const layer = defineLayer<Params, [x: Tensor, view: AttentionView], Tensor>({
    name: 'partial',
    params: { ...(first ? { map: globalMap({ width, heads, expandHeads, bias }) } : {}), inner: block },
    apply(bound, x, { mask, positions: { angles }, remember, handed, show }) {
      const { map, inner } = bound as unknown as {
        readonly map?: (x: Tensor, view: GlobalMapView) => Tensor;
        readonly inner: (x: Tensor, view: PartialView) => PartialResult;
      };
      if (map)
        handed.set(handedMap, map(handed.get('embedded') ?? x, { remember: (_, rows) => remember('map', () => rows) }));
      const added = mapped ? handed.get(handedMap) : null;
      if (added === undefined) {
        refuse(
          'partial',
          'globalMap',
          'a map that block 0 handed on',
          undefined,
          'Make block 0 of the same attention, or set globalMap to false.',
        );
      }
      const result = inner(x, {
        mask,
        map: added,
        remember,
        ...(angles ? { turn: (rows: Tensor): Tensor => rotate(rows, angles.cos, angles.sin) } : {}),
      });
      handed.set(handedProbabilities, result.probabilities);
      show?.(result.probabilities);
      return result.out;
    },
  });
  return { ...layer, memory };
}

/** For ATTENTION. */
export const partialFactory: PartFactory = {
  name: 'partial',
  create: config => partialAttention(config as unknown as PartialAttentionOptions),
};
