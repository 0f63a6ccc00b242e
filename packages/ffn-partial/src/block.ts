/**
 * The PartialFormer block: attention whose every head ends in a small feed-forward of its own, gated by a projection of
 * the block's input. One block takes the place of attention and feed-forward together.
 */

import {
  defineLayer,
  dropout,
  full,
  joinHeads,
  keptCells,
  layerNormLayer,
  param,
  relu,
  softmaxMatmul,
  splitHeads,
  type Context,
  type Layer,
  type Param,
  type Params,
  type Tensor,
} from '@heddle/core';
import { headWidth, partialConfig, refuse, scoreHeads, type PartialConfig, type PartialOptions } from './config.js';
import { fanIn } from './initialisers.js';
import { linear, outward, projection, type Linear } from './linear.js';
import { feedHeads } from './ops/feed-heads.js';
import { mixHeads, type Mixing } from './ops/mix-heads.js';

/** What a block sees beside its input of T tokens in each of B rows. */
export interface PartialView {
  /** Added to the scores: 0 where a token may look, a large negative number where not. Broadcasts to [B, E, T, S]. */
  readonly mask?: Tensor | null;
  /** Residual-like attention: the global map, added to the scores. @shape [B, E, T, S] */
  readonly map?: Tensor | null;
  /**
   * Where keys and values come from: `make` makes them of the block's input, or of a source that it is given. Gives all
   * that may be looked at. By default they are those of the block's input.
   *
   * @shape source [B, S, C], what `make` gives [B, H, T, d] -> [B, H, S, d]
   */
  readonly remember?: (name: 'key' | 'value', make: (source?: Tensor) => Tensor) => Tensor;
  /** Turns queries and keys by their position. @shape [B, H, T, d] -> the same */
  readonly turn?: (rows: Tensor) => Tensor;
}

export interface KeysAndValues {
  /** @shape [B, H, S, d] */
  readonly key: Tensor;
  /** @shape [B, E, S, d] */
  readonly value: Tensor;
}

export interface PartialResult {
  /** @shape [B, T, C] */
  readonly out: Tensor;
  /** Scores with map and mask, before the softmax. @shape [B, E, T, S] */
  readonly logits: Tensor;
  /** @shape [B, E, T, S] */
  readonly probabilities: Tensor;
}

/** One network over heads. */
interface Network {
  readonly up: Linear;
  readonly down: Linear;
}

/** A feed-forward for each head. */
interface FeedPerHead {
  readonly up: Param;
  readonly upBias?: Param;
  readonly down: Param;
  readonly downBias?: Param;
}

interface Maps {
  readonly weight: Tensor;
  readonly bias?: Tensor;
}

type LinearMap = ((x: Tensor) => Tensor) & Maps;

/** The parameter tree, bound. What the configuration leaves out is not there. */
interface Wired {
  readonly query: LinearMap;
  readonly key: LinearMap;
  readonly value: LinearMap;
  readonly gate: LinearMap;
  readonly output: LinearMap;
  readonly queryNorm: (x: Tensor) => Tensor;
  readonly keyNorm: (x: Tensor) => Tensor;
  readonly mix: { readonly up: LinearMap; readonly down: LinearMap };
  readonly scores?: (query: Tensor, key: Tensor, mask: Tensor | null) => Tensor;
  readonly interact: { readonly up: LinearMap; readonly down: LinearMap };
  readonly feedNorm: (x: Tensor) => Tensor;
  readonly feed: { readonly up: LinearMap; readonly down: LinearMap };
  readonly feedPerHead: {
    readonly up: Tensor;
    readonly upBias?: Tensor;
    readonly down: Tensor;
    readonly downBias?: Tensor;
  };
  readonly inner: LinearMap;
  readonly activationDrop: (x: Tensor) => Tensor;
  readonly feedDrop: (x: Tensor) => Tensor;
  readonly context: Context;
}

/**
 * What makes scores of queries and keys in place of the scaling of heads: another attention's maps.
 *
 * @shape query [B, G, T, d], key [B, G, S, d], mask broadcasts to [B, G, T, S] or null -> [B, E, T, S]
 */
export type ScoreLayer = Layer<Params, [query: Tensor, key: Tensor, mask: Tensor | null], Tensor>;

/** A block: a layer that also says what it is made of. */
export interface PartialBlock extends Layer<Params, [x: Tensor, view?: PartialView], PartialResult> {
  readonly config: PartialConfig;
}

/**
 * Declares a block: encoder self-attention, decoder self-attention with a causal mask, or, with a `source`, attention
 * to an encoder.
 *
 * @shape x [B, T, C] -> out [B, T, C]
 * @throws E_CONFIG for a configuration that cannot be
 */
export function partialBlock(options: PartialOptions, { scores }: { readonly scores?: ScoreLayer } = {}): PartialBlock {
  const config = partialConfig(options);
  if (scores && config.scaling === 'naive')
    refuse('partial block', 'scaling', "'complex', which a layer of scores takes the place of", 'naive');
  const { width: C, expandHeads: E, coreHeads: G, bias } = config;
  const d = headWidth(config);
  const H = scoreHeads(config);
  const R = config.ratio * d;
  const network = (from: number, hidden: number, to: number): Network => ({
    up: linear(from, hidden, { bias }),
    down: linear(hidden, to, { bias }),
  });
  const params: Params = {
    query: projection(C, d * H, bias),
    key: projection(C, d * H, bias),
    value: projection(C, d * E, bias),
    ...(config.gate === 'none' ? {} : { gate: projection(C, d * E, bias) }),
    ...(config.norms ? { queryNorm: layerNormLayer(d * H), keyNorm: layerNormLayer(d * H) } : {}),
    ...(scores ? { scores } : config.scaling === 'complex' ? { mix: { ...network(G, E, E) } } : {}),
    ...(config.interaction > 0 ? { interact: { ...network(E, config.interaction * E, E) } } : {}),
    ...(config.norms && config.feed !== 'none' ? { feedNorm: layerNormLayer(d) } : {}),
    ...(config.feed === 'shared' ? { feed: { ...network(d, R, d) } } : {}),
    ...(config.feed === 'perHead' ? { feedPerHead: { ...feedPerHead(E, d, R, bias) } } : {}),
    ...(config.innerGate ? { inner: linear(d, d, { bias }) } : {}),
    output: outward(d * E, C, bias),
    activationDrop: dropout(config.activationDropout),
    feedDrop: dropout(config.feedDropout),
  };
  const layer = defineLayer<Params, [x: Tensor, view?: PartialView], PartialResult>({
    name: 'partial',
    params,
    apply: (bound, x, view = {}) => through(config, bound as unknown as Wired, x, view),
  });
  return { ...layer, config };
}

/** Each head's own, begun as a linear map of its own. */
const feedPerHead = (E: number, d: number, R: number, bias: boolean): FeedPerHead => ({
  up: param([E, d, R], fanIn(d)),
  ...(bias ? { upBias: param([E, 1, R], fanIn(d)) } : {}),
  down: param([E, R, d], fanIn(R)),
  ...(bias ? { downBias: param([E, 1, d], fanIn(R)) } : {}),
});

/** @shape from [B, S, C] -> [B, H, S, d] */
const keysOf = (config: PartialConfig, { key, keyNorm }: Wired, from: Tensor): Tensor =>
  splitHeads(config.norms ? keyNorm(key(from)) : key(from), scoreHeads(config));

/** @shape from [B, S, C] -> [B, E, S, d] */
const valuesOf = (config: PartialConfig, { value }: Wired, from: Tensor): Tensor =>
  splitHeads(value(from), config.expandHeads);

/** Keys and values of a source, once for all tokens that look at it. @shape source [B, S, C] */
export const keysAndValues = (config: PartialConfig, bound: unknown, source: Tensor): KeysAndValues => ({
  key: keysOf(config, bound as Wired, source),
  value: valuesOf(config, bound as Wired, source),
});

/** Attention to a source: what a block's `remember` is there. @shape source [B, S, C] */
export const lookAt =
  (source: Tensor): NonNullable<PartialView['remember']> =>
  (_, make) =>
    make(source);

function through(config: PartialConfig, bound: Wired, x: Tensor, view: PartialView): PartialResult {
  const { mask = null, map = null, turn = rows => rows, remember = (_, make) => make() } = view;
  const key = remember('key', (from = x) => turn(keysOf(config, bound, from)));
  const value = remember('value', (from = x) => valuesOf(config, bound, from));
  const rawQuery = config.norms ? bound.queryNorm(bound.query(x)) : bound.query(x);
  const query = turn(splitHeads(rawQuery, scoreHeads(config))); // [B, H, T, d]

  const own = scoresOf(config, bound, query, key, mask); // [B, E, T, S]
  // Map and mask first: their sum is the same for all blocks of a stack, and engines then make it once.
  const added = map && mask ? map.add(mask) : (map ?? mask);
  const logits = added ? own.add(added) : own;
  const kept = keptCells(bound.context, config.attentionDropout, logits.shape);
  const { out: attended, probabilities } = softmaxMatmul(logits, scaled(value, kept, config.attentionDropout), kept);

  return { out: bound.output(afterAttention(config, bound, x, attended)), logits, probabilities };
}

/** @shape query [B, H, T, d], key [B, H, S, d] -> [B, E, T, S] */
function scoresOf(config: PartialConfig, bound: Wired, query: Tensor, key: Tensor, mask: Tensor | null): Tensor {
  if (bound.scores) return bound.scores(query, key, mask);
  const scores = query.matmul(key, { transposeRight: true }).mul(headWidth(config) ** -0.5);
  return config.scaling === 'complex' ? mixHeads(scores, mixingOf(bound.mix)) : scores;
}

/** Everything between the heads' sums of values and the map that ends the block. @shape o [B, E, T, d] -> [B, T, E * d] */
function afterAttention(config: PartialConfig, bound: Wired, x: Tensor, attended: Tensor): Tensor {
  const { expandHeads: E, gate, feed, residual } = config;
  const opening = (): Tensor => bound.gate(x); // [B, T, E * d]
  const gated = gate === 'before' ? attended.mul(splitHeads(relu(opening()), E)) : attended;
  const heads = config.interaction > 0 ? interacting(config, bound, gated) : gated;
  const plain = feed === 'shared' && residual && !config.norms && !config.innerGate && config.feedDropout === 0;
  if (plain && gate === 'after') {
    const joined = joinHeads(heads);
    const d = headWidth(config);
    const rate = config.activationDropout;
    const kept = keptCells(bound.context, rate, [joined.size / d, config.ratio * d]);
    const feeding = feedingOf(bound.feed);
    return feedHeads(joined, opening(), { ...feeding, down: scaled(feeding.down, kept, rate) }, kept);
  }
  const fed = joinHeads(feed === 'none' ? heads : feeding(config, bound, heads));
  return gate === 'after' ? fed.mul(relu(opening())) : fed;
}

function interacting(config: PartialConfig, bound: Wired, heads: Tensor): Tensor {
  const [B, E, T, d] = heads.shape as readonly [number, number, number, number];
  const rate = config.activationDropout;
  const kept = keptCells(bound.context, rate, [B, config.interaction * E, T, d]);
  const mixing = mixingOf(bound.interact);
  const mixed = mixHeads(heads, { ...mixing, down: scaled(mixing.down, kept, rate) }, kept);
  return config.residual ? mixed.add(heads) : mixed;
}

/** The feed-forward of each head with what ablations change in it. @shape [B, E, T, d] -> the same */
function feeding(config: PartialConfig, bound: Wired, heads: Tensor): Tensor {
  const given = config.norms ? bound.feedNorm(heads) : heads;
  const perHead = bound.feedPerHead;
  const plus = (rows: Tensor, bias: Tensor | undefined): Tensor => (bias ? rows.add(bias) : rows);
  const raised = config.feed === 'shared' ? bound.feed.up(given) : plus(given.matmul(perHead.up), perHead.upBias);
  const active = relu(raised); // [B, E, T, r * d]
  const hidden = bound.activationDrop(active);
  const lowered =
    config.feed === 'shared' ? bound.feed.down(hidden) : plus(hidden.matmul(perHead.down), perHead.downBias);
  const dropped = bound.feedDrop(lowered);
  const opened = config.innerGate ? dropped.mul(relu(bound.inner(heads))) : dropped;
  return config.residual ? opened.add(heads) : opened;
}

/** What dropped cells are to be multiplied with, scaled in their place: it is smaller than they are. */
const scaled = (factor: Tensor, kept: Tensor | null, rate: number): Tensor =>
  kept ? factor.mul(1 / (1 - rate)) : factor;

const biasOf = ({ weight, bias }: Maps): Tensor => bias ?? full([weight.shape[1]!], 0);

const mixingOf = ({ up, down }: { readonly up: Maps; readonly down: Maps }): Mixing => ({
  up: up.weight,
  upBias: biasOf(up),
  down: down.weight,
  downBias: biasOf(down),
});
const feedingOf = mixingOf;
