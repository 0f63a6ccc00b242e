/** How many numbers and multiplications a configuration takes, in closed form: nothing is built. */

import { headWidth, partialConfig, scoreHeads, type PartialConfig, type PartialOptions } from './config.js';
import {
  blockOf,
  partialFormerConfig,
  type PartialFormerConfig,
  type PartialFormerOptions,
  type StackConfig,
} from './model-config.js';

const linear = (from: number, to: number, bias: boolean): number => (from + (bias ? 1 : 0)) * to;

export interface BlockCount {
  readonly query: number;
  readonly key: number;
  readonly value: number;
  readonly gate: number;
  /** The network that mixes heads. */
  readonly mix: number;
  readonly up: number;
  readonly down: number;
  readonly output: number;
  /** What only ablations have: norms, the inner gate, the interaction of heads. */
  readonly extra: number;
  readonly total: number;
}

/** Trainable numbers of one block, without the norm before it: what `countParameters(partialBlock(options))` gives. */
export function blockParameters(options: PartialOptions): BlockCount {
  const config = partialConfig(options);
  const { width: C, expandHeads: E, coreHeads: G, ratio, bias, interaction: j } = config;
  const [d, H] = [headWidth(config), scoreHeads(config)];
  const copies = { shared: 1, perHead: E, none: 0 }[config.feed];
  const parts = {
    query: linear(C, d * H, bias),
    key: linear(C, d * H, bias),
    value: linear(C, d * E, bias),
    gate: config.gate === 'none' ? 0 : linear(C, d * E, bias),
    mix: config.scaling === 'complex' ? linear(G, E, bias) + linear(E, E, bias) : 0,
    up: copies * linear(d, ratio * d, bias),
    down: copies * linear(ratio * d, d, bias),
    output: linear(d * E, C, bias),
    extra:
      (config.norms ? 4 * d * H + (config.feed === 'none' ? 0 : 2 * d) : 0) +
      (config.innerGate ? linear(d, d, bias) : 0) +
      (j > 0 ? linear(E, j * E, bias) + linear(j * E, E, bias) : 0),
  };
  return { ...parts, total: Object.values(parts).reduce((a, b) => a + b) };
}

/** Trainable numbers of a global map with its norm. */
export const mapParameters = ({
  width: C,
  heads,
  expandHeads: E,
  bias = true,
  distance = 0,
}: {
  readonly width: number;
  readonly heads: number;
  readonly expandHeads: number;
  readonly bias?: boolean;
  readonly distance?: number;
}): number => 2 * linear(C, (C / heads) * E, bias) + 2 * C + (distance > 0 ? (2 * distance + 1) * (C / heads) : 0);

export interface ModelCount {
  readonly embeddings: number;
  /** One layer with its norms. */
  readonly encoderLayer: number;
  readonly decoderLayer: number;
  readonly encoderMap: number;
  readonly decoderMap: number;
  /** The norm that ends a stack. */
  readonly finalNorm: number;
  /** The stack without the embedding. */
  readonly encoder: number;
  readonly decoder: number;
  readonly total: number;
}

/** Trainable numbers of a whole model: what `countParameters(partialFormer(options))` gives. */
export function modelParameters(options: PartialFormerOptions): ModelCount {
  const config = partialFormerConfig(options);
  const { vocabulary, width: C, heads, encoder, decoder, preNorm, distance } = config;
  const sublayer = (stack: StackConfig): number => blockParameters(blockOf(config, stack)).total + 2 * C;
  const map = ({ globalMap, expandHeads }: StackConfig): number =>
    globalMap ? mapParameters({ width: C, heads, expandHeads, bias: config.block.bias, distance }) : 0;
  const embeddings = vocabulary * C;
  const finalNorm = preNorm ? 2 * C : 0;
  const [encoderLayer, decoderLayer] = [sublayer(encoder), 2 * sublayer(decoder)];
  const [encoderMap, decoderMap] = [map(encoder), map(decoder)];
  const encoderTotal = encoder.depth * encoderLayer + encoderMap + finalNorm;
  const decoderTotal = decoder.depth * decoderLayer + decoderMap + finalNorm;
  return {
    embeddings,
    encoderLayer,
    decoderLayer,
    encoderMap,
    decoderMap,
    finalNorm,
    encoder: encoderTotal,
    decoder: decoderTotal,
    total: embeddings + encoderTotal + decoderTotal,
  };
}

/**
 * Multiply-adds of a block for T queries over S keys, as the authors count: biases count as a multiplication, the
 * network over heads, norms and softmax as none, and scores as though G * d were C.
 *
 * @param among `self`: keys are made of the T tokens; `cross`: of the S tokens of a source
 */
export function blockMacs(options: PartialOptions, T: number, S: number, among: 'self' | 'cross' = 'self'): number {
  const config: PartialConfig = partialConfig(options);
  const { width: C, expandHeads: E } = config;
  const count = blockParameters(config);
  const feeds = config.feed === 'perHead' ? 1 : E;
  const sources = among === 'self' ? T : S;
  return (
    T * S * C +
    T * S * E * headWidth(config) +
    T * (count.query + count.gate + count.output) +
    sources * (count.key + count.value) +
    feeds * T * (count.up + count.down)
  );
}

/** Multiply-adds of a global map over T tokens. */
export const mapMacs = (
  { width, heads, expandHeads }: Pick<PartialConfig, 'width' | 'heads' | 'expandHeads'>,
  T: number,
  bias = true,
): number => {
  const wide = (width / heads) * expandHeads;
  return T * T * wide + 2 * T * linear(width, wide, bias);
};

export interface ModelMacs {
  /** Reading a source of S tokens. */
  readonly encoder: number;
  /** One pass over all T target tokens, with the output layer. */
  readonly decoder: number;
  /** Passes over 1, 2… T tokens, added up: decoding without a cache. */
  readonly decoderSteps: number;
  readonly encoderMap: number;
  readonly encoderLayer: number;
  readonly decoderLayer: number;
}

/** Multiply-adds of a whole model for S source and T target tokens, as the authors count. */
export function modelMacs(options: PartialFormerOptions, S: number, T: number): ModelMacs {
  const config: PartialFormerConfig = partialFormerConfig(options);
  const { vocabulary, width: C, heads, encoder, decoder, block } = config;
  const map = ({ globalMap, expandHeads }: StackConfig, n: number): number =>
    globalMap ? mapMacs({ width: C, heads, expandHeads }, n, block.bias) : 0;
  const encoderLayer = blockMacs(blockOf(config, encoder), S, S);
  const layerAt = (t: number): number =>
    blockMacs(blockOf(config, decoder), t, t) + blockMacs(blockOf(config, decoder), t, S, 'cross');
  const decoderAt = (t: number): number => decoder.depth * layerAt(t) + map(decoder, t) + t * vocabulary * C;
  return {
    encoder: encoder.depth * encoderLayer + map(encoder, S),
    decoder: decoderAt(T),
    decoderSteps: Array.from({ length: T }, (_, i) => decoderAt(i + 1)).reduce((a, b) => a + b, 0),
    encoderMap: map(encoder, S),
    encoderLayer,
    decoderLayer: layerAt(T),
  };
}
