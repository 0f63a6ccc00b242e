/** The whole PartialFormer: encoder and decoder of blocks, one embedding for source, target and output. */

import {
  causalMask,
  defineLayer,
  dropout,
  fail,
  layerNormLayer,
  normal,
  param,
  where,
  type Bound,
  type Initialiser,
  type Layer,
  type Params,
  type Tensor,
} from '@heddle/core';
import { globalMap } from './global-map.js';
import { partialDecoderLayer, partialSublayer, type DecoderView, type SublayerResult } from './layers.js';
import { blockOf, partialFormerConfig, type PartialFormerConfig, type PartialFormerOptions } from './model-config.js';
import { keysAndValues, lookAt, type KeysAndValues, type PartialView } from './block.js';
import type { GlobalMapView } from './global-map.js';
import { sinusoids, tokenPositions } from './positions.js';

/** A source that was read. */
export interface Encoded {
  /** @shape [B, S, C] */
  readonly out: Tensor;
  /** What each layer gave. @shape [B, S, C] each */
  readonly states: readonly Tensor[];
  /** Hides padding. @shape [B, 1, 1, S] */
  readonly mask: Tensor;
}

/** What is left out when a target is read as a whole. */
export interface DecodeStep {
  /** Position of each token: `tokenPositions`. @shape i32[B, N] */
  readonly positions: Tensor;
  /** Added to the scores of targets. @shape [B | 1, 1, N, S] */
  readonly mask: Tensor;
  /** Keeps rows by name (`layers.0.key`, `layers.0.value`, `map.key`) and gives back all that may be looked at. */
  readonly remember: (name: string, rows: Tensor) => Tensor;
  /** Keys and values of the source, one for each layer: `crossKeysAndValues`. */
  readonly cross?: readonly KeysAndValues[];
  /** Position of the first token among remembered ones; only distances ask for it. */
  readonly start?: number;
}

export interface Decoded {
  /** @shape [B, N, V] */
  readonly logits: Tensor;
  /** The embedded input, and what each layer gave. @shape [B, N, C] each */
  readonly states: readonly Tensor[];
}

export interface PartialFormer extends Layer<Params, [source: Tensor, target: Tensor], Tensor> {
  readonly config: PartialFormerConfig;
  /** @shape source i32[B, S] */
  encode(bound: Bound<Params>, source: Tensor): Encoded;
  /** A whole target, or, with `step`, some tokens over what is remembered of earlier ones. @shape target i32[B, N] */
  decode(bound: Bound<Params>, target: Tensor, encoded: Encoded, step?: DecodeStep): Decoded;
  /** What every decoder layer needs of the source: worked out once, not at each step. */
  crossKeysAndValues(bound: Bound<Params>, encoded: Encoded): readonly KeysAndValues[];
}

interface WiredStack {
  readonly map?: (x: Tensor, view?: GlobalMapView) => Tensor;
  readonly norm?: (x: Tensor) => Tensor;
  readonly drop: (x: Tensor) => Tensor;
}
interface Wired {
  readonly embedding: Tensor;
  readonly encoder: WiredStack & { readonly layers: readonly ((x: Tensor, view: PartialView) => SublayerResult)[] };
  readonly decoder: WiredStack & { readonly layers: readonly ((x: Tensor, view: DecoderView) => Tensor)[] };
}

const hidden = -1e9;

/** Hides keys at padding. @shape ids i32[B, S] -> [B, 1, 1, S] */
export const paddingMask = (ids: Tensor, padding: number): Tensor =>
  where(ids.equal(padding), hidden, 0).reshape(ids.shape[0]!, 1, 1, ids.shape[1]!);

/** N(0, C^-1/2), and zeros for padding. */
const embeddingStart = (width: number, padding: number): Initialiser => ({
  name: 'partialformer.embedding',
  fill(shape, draw) {
    const table = normal(width ** -0.5).fill(shape, draw);
    return table.fill(0, padding * width, (padding + 1) * width);
  },
});

/**
 * Builds a model.
 *
 * @shape source i32[B, S], target i32[B, T] -> logits [B, T, V]
 * @throws E_CONFIG
 *
 * @example
 * const model = partialFormer({ vocabulary: 1000, ...presets.tiny });
 */
export function partialFormer(options: PartialFormerOptions): PartialFormer {
  const config = partialFormerConfig(options);
  const { vocabulary, width, heads, length, encoder, decoder, preNorm, epsilon, distance, padding, block } = config;
  const wiring = { preNorm, epsilon, dropout: config.dropout };
  const shared = (stack: typeof encoder): Params => ({
    ...(stack.globalMap
      ? {
          map: globalMap({
            width,
            heads,
            expandHeads: stack.expandHeads,
            preNorm,
            distance,
            epsilon,
            bias: block.bias,
          }),
        }
      : {}),
    ...(preNorm ? { norm: layerNormLayer(width, { epsilon }) } : {}),
    drop: dropout(config.dropout),
  });
  const repeat = <T>(count: number, make: () => T): readonly T[] => Array.from({ length: count }, make);
  const crossConfig = partialDecoderLayer(blockOf(config, decoder), wiring).config;
  const params: Params = {
    embedding: param([vocabulary, width], embeddingStart(width, padding)),
    encoder: {
      layers: repeat(encoder.depth, () => partialSublayer(blockOf(config, encoder), wiring)),
      ...shared(encoder),
    },
    decoder: {
      layers: repeat(decoder.depth, () => partialDecoderLayer(blockOf(config, decoder), wiring)),
      ...shared(decoder),
    },
  };
  const table = (): Tensor => sinusoids(length, width, padding);

  const expectIds = (what: string, ids: Tensor): void => {
    if (ids.rank !== 2 || ids.dtype !== 'i32' || ids.shape[1]! > length) {
      fail(
        'E_LENGTH',
        `partialformer: expected ${what} i32[B, N] with N up to ${length}, received ${ids.dtype}[${ids.shape.join(', ')}]. Cut the text, or raise \`length\`.`,
        { length, shape: ids.shape },
      );
    }
  };

  /** Embedded and placed. No gradient reaches the row of padding through a token. @shape i32[B, N] -> [B, N, C] */
  const embedded = ({ embedding }: Wired, ids: Tensor, positions: Tensor): Tensor => {
    const rows = embedding.gather(ids);
    const real = ids.equal(padding).cast('i32').equal(0);
    const trained = where(real.reshape(...ids.shape, 1), rows, rows.stopGradient());
    return trained.mul(Math.sqrt(width)).add(table().gather(positions));
  };

  const encode = (bound: Bound<Params>, source: Tensor): Encoded => {
    const wired = bound as unknown as Wired;
    const { layers, map, norm, drop } = wired.encoder;
    expectIds('source', source);
    const x = drop(embedded(wired, source, tokenPositions(source, padding)));
    const mask = paddingMask(source, padding);
    const view: PartialView = { mask, map: map ? map(x) : null };
    const states: Tensor[] = [];
    for (const layer of layers) states.push(layer(states.at(-1) ?? x, view).out);
    const last = states.at(-1)!;
    return { out: norm ? norm(last) : last, states, mask };
  };

  const decode = (bound: Bound<Params>, target: Tensor, encoded: Encoded, step?: DecodeStep): Decoded => {
    const wired = bound as unknown as Wired;
    const { layers, map, norm, drop } = wired.decoder;
    expectIds('target', target);
    const T = target.shape[1]!;
    const { positions, mask, remember, cross, start } = step ?? {
      positions: tokenPositions(target, padding),
      mask: causalMask(T).reshape(1, 1, T, T).add(paddingMask(target, padding)),
      remember: (_name: string, rows: Tensor) => rows,
    };
    const x = drop(embedded(wired, target, positions));
    const seen = map
      ? map(x, { remember: (name, rows) => remember(`map.${name}`, rows), ...(start === undefined ? {} : { start }) })
      : null;
    const states = [x];
    layers.forEach((layer, i) => {
      const known = cross?.[i];
      const next = layer(states.at(-1)!, {
        self: { mask, map: seen, remember: (name, make) => remember(`layers.${i}.${name}`, make()) },
        cross: { mask: encoded.mask, remember: known ? name => known[name] : lookAt(encoded.out) },
      });
      states.push(next);
    });
    const last = states.at(-1)!;
    const features = norm ? norm(last) : last;
    return { logits: features.matmul(wired.embedding, { transposeRight: true }), states };
  };

  const layer = defineLayer<Params, [source: Tensor, target: Tensor], Tensor>({
    name: 'partialformer',
    params,
    apply: (bound, source, target) => decode(bound, target, encode(bound, source)).logits,
  });
  return {
    ...layer,
    config,
    encode,
    decode,
    crossKeysAndValues(bound, { out }) {
      const { layers } = (bound as unknown as Wired).decoder;
      return layers.map(one =>
        keysAndValues(crossConfig, (one as unknown as { cross: { block: unknown } }).cross.block, out),
      );
    },
  };
}
