/** The norms. */

import { layerNormLayer, rmsNormLayer, type Layer, type Params, type Tensor } from '@heddle/core';

/** @shape [B, N, D] -> [B, N, D] */
export type NormPart<P extends Params = Params> = Layer<P, [x: Tensor], Tensor>;

/** What every norm is told; `options.norm` of the model's configuration is added to it. */
export type NormConfig = { readonly width: number; readonly epsilon: number };

export const rms = ({ width, epsilon }: NormConfig) => rmsNormLayer(width, { epsilon });
export const layer = ({ width, epsilon }: NormConfig) => layerNormLayer(width, { epsilon });
