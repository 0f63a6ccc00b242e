/** `torch.nn.TransformerEncoderLayer` from the kernel's parts. */

import { attend } from '../tensor/ops/attend.js';
import { gelu, relu } from '../tensor/ops/activate.js';
import { layerNorm } from '../tensor/ops/normalise.js';
import { causalMask, joinHeads, splitHeads } from '../tensor/sugar/attention.js';
import { linear } from './functions.js';
import { compareRow, numberAt, type Family } from './row.js';
import type { Tensor } from '../tensor/tensor.js';

export const encoderLayer: Family = row =>
  compareRow(row, p => {
    const heads = numberAt(row, 'heads');
    const epsilon = numberAt(row, 'layerNormEps', numberAt(row, 'eps', 1e-5));
    const before = row.params?.['normFirst'] === true;
    const activate = row.params?.['activation'] === 'gelu' ? (x: Tensor) => gelu(x) : relu;
    const norm = (x: Tensor, name: string): Tensor =>
      layerNorm(x, p[`${name}.weight`]!, p[`${name}.bias`]!, { epsilon });
    const attention = (x: Tensor): Tensor => {
      const width = x.shape.at(-1)!;
      const all = linear(x, p['self_attn.in_proj_weight']!, p['self_attn.in_proj_bias']);
      const [q, k, v] = [0, 1, 2].map(i => splitHeads(all.slice(-1, i * width, (i + 1) * width), heads)) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const mask = row.params?.['causal'] === true ? causalMask(x.shape[1]!) : null;
      return linear(joinHeads(attend(q, k, v, mask)), p['self_attn.out_proj.weight']!, p['self_attn.out_proj.bias']);
    };
    const feed = (x: Tensor): Tensor =>
      linear(activate(linear(x, p['linear1.weight']!, p['linear1.bias'])), p['linear2.weight']!, p['linear2.bias']);
    const block = (x: Tensor, name: string, part: (x: Tensor) => Tensor): Tensor =>
      before ? x.add(part(norm(x, name))) : norm(x.add(part(x)), name);
    return { y: block(block(p['x']!, 'norm1', attention), 'norm2', feed) };
  });
