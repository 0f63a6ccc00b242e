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
export {
  affine,
  dropout,
  embedding,
  keptCells,
  layerNorm as layerNormLayer,
  linear,
  rmsNorm as rmsNormLayer,
} from './layers.js';
export type { AttentionMemory, AttentionPart, AttentionRole, AttentionView, PositionSignals } from './parts.js';
export type {
  DecodeInput,
  DecodeOutput,
  ClassifierModel,
  DecoderModel,
  EncoderDecoderModel,
  GenerativeModel,
  Model,
  ModelFactory,
  PartSource,
  ReadInput,
  SourceInput,
} from './model.js';
export { selectPaths } from './select.js';
export {
  bind,
  countParameters,
  initialise,
  layersOf,
  mapLayers,
  parametersOf,
  parameterTypes,
  type Mode,
} from './tree.js';
