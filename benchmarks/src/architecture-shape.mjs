/** One decoder, and what each of the two ideas makes of it: the models whose training steps are compared with PyTorch's. */

import emha from '@heddle/attention-emha';
import { createHost, host as tensor, parameterTypes } from '@heddle/core';
import partial from '@heddle/ffn-partial';
import transformer, { createDecoder, partsOf } from '@heddle/transformer';
import { generator } from './reference-step.mjs';

export const shape = { V: 2048, D: 256, L: 4, H: 8, F: 1024, E: 24, B: 8, T: 128 };
export const tiny = { V: 64, D: 16, L: 2, H: 2, F: 32, E: 4, B: 2, T: 8 };
export const rate = 1e-3;

const emhaWith = preset => ({ ffn: 'relu', attention: 'emha', options: { attention: { preset } } });
const configs = {
  plain: () => ({ ffn: 'relu' }),
  'emha-paperlike': () => emhaWith('paperlike'),
  'emha-light': () => emhaWith('light'),
  'emha-repo': () => emhaWith('repo'),
  partial: ({ E }) => ({ ffn: 'none', attention: 'partial', options: { attention: { expandHeads: E } } }),
};
export const models = Object.keys(configs);
export const titles = {
  plain: 'attention and ReLU feed-forward',
  'emha-paperlike': 'EMHA, sizes of the paper',
  'emha-light': 'EMHA, one hidden layer for both interactions',
  'emha-repo': "EMHA, sizes of the authors' code (kernels 7 and 3)",
  partial: 'PartialFormer',
};

export const host = createHost({ plugins: [transformer, emha, partial] });

export function createModel(key, dims, more = {}) {
  const { V, D, L, H, F, T } = dims;
  const { ffn, ...config } = configs[key](dims);
  const shared = {
    vocabulary: V,
    length: T,
    width: D,
    depth: L,
    heads: H,
    positions: 'learned',
    norm: 'layer',
    bias: true,
  };
  return createDecoder({ ...shared, ffn, ...(ffn === 'none' ? {} : { hidden: F }), ...config, ...more }, partsOf(host));
}

/** Names and shapes in the order in which everybody draws them. */
export const parameters = model => Object.entries(parameterTypes(model)).map(([name, type]) => [name, type.shape]);

/** Norms begin as the identity, biases at 0; tables and matrices small; convolutions and networks over heads so that maps matter. */
export function weights(model) {
  const draw = generator(42);
  return Object.fromEntries(
    parameters(model).map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (shape.length === 1) data.fill(name.endsWith('orm.weight') ? 1 : 0);
      else {
        const reach = shape.length === 2 && shape[0] > 64 ? 0.07 : 0.7;
        for (let i = 0; i < data.length; i++) data[i] = (draw() - 0.5) * reach;
      }
      return [name, tensor(shape, data)];
    }),
  );
}
