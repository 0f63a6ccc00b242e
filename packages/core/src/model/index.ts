/** Layers and models as values. */

export { normal, ones, xavier, zeros, type Initialiser } from './initialisers.js';
export {
  defineLayer,
  param,
  type AnyLayer,
  type Bound,
  type Context,
  type Layer,
  type Param,
  type Params,
  type ParamTree,
} from './layer.js';
export { affine, dropout, embedding, layerNorm as layerNormLayer, linear, rmsNorm as rmsNormLayer } from './layers.js';
export type { AttentionMemory, AttentionPart, AttentionView, PositionSignals } from './parts.js';
export type { DecodeInput, DecodeOutput, DecoderModel, ModelFactory, PartSource, ReadInput } from './model.js';
export { bind, countParameters, initialise, parametersOf, parameterTypes, type Mode } from './tree.js';
