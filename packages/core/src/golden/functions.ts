/** Functions of tensors: activations, norms, softmax, rotary positions, gated MLP, low-rank linear. */

import { gelu, relu, silu } from '../tensor/ops/activate.js';
import { layerNorm, rmsNorm } from '../tensor/ops/normalise.js';
import { rotate } from '../tensor/ops/rotate.js';
import { logSoftmax, softmax } from '../tensor/ops/softmax.js';
import { sigmoid, softplus } from '../tensor/sugar/activation.js';
import { ropeTables } from '../tensor/sugar/attention.js';
import { constant, full, type Tensor } from '../tensor/tensor.js';
import { compareRow, numberAt, type Family, type Row } from './row.js';

type Inputs = Readonly<Record<string, Tensor>>;

const one =
  (fn: (x: Tensor) => Tensor): Family =>
  row =>
    compareRow(row, ({ x }) => ({ y: fn(x!) }));

/** Our softmax works on the last axis; another one is moved there and back. */
const overAxis =
  (fn: (x: Tensor) => Tensor): Family =>
  row =>
    compareRow(row, ({ x }) => {
      const dim = numberAt(row, 'dim', -1);
      const axis = dim < 0 ? x!.rank + dim : dim;
      const order = [...x!.shape.keys()].filter(a => a !== axis).concat(axis);
      const back = order.map((_, a) => order.indexOf(a));
      return { y: fn(x!.transpose(...order)).transpose(...back) };
    });

/** x W, W as PyTorch keeps it. @shape x [..., in], weight [out, in] -> [..., out] */
export const linear = (x: Tensor, weight: Tensor, bias?: Tensor): Tensor => {
  const y =
    x.rank === 1
      ? x.reshape(1, -1).matmul(weight, { transposeRight: true }).reshape(-1)
      : x.matmul(weight, { transposeRight: true });
  return bias ? y.add(bias) : y;
};

const epsilonOf = (row: Row, fallback: number): number => numberAt(row, 'eps', fallback);
const gain = (x: Inputs): Tensor => x['w'] ?? x['weight'] ?? full([x['x']!.shape.at(-1)!], 1);
const shift = (x: Inputs): Tensor => x['b'] ?? x['bias'] ?? full([x['x']!.shape.at(-1)!], 0);

const rope =
  (layout: 'half' | 'interleaved'): Family =>
  row =>
    compareRow(row, ({ x }) => {
      const [length, width] = x!.shape.slice(-2) as [number, number];
      const positions =
        (row.params?.['positions'] as readonly number[] | undefined) ?? Array.from({ length }, (_, i) => i);
      const { cos, sin } = ropeTables(Math.max(...positions) + 1, width, numberAt(row, 'theta', 10_000));
      const at = constant(positions, [length], 'i32');
      return { y: rotate(x!, cos.gather(at), sin.gather(at), { layout }) };
    });

const swiglu: Family = row =>
  compareRow(row, ({ x, gate, up, down }) => ({ y: linear(silu(linear(x!, gate!)).mul(linear(x!, up!)), down!) }));

const lora: Family = row =>
  compareRow(row, ({ x, w, a, b, bias }) => {
    const scale =
      row.params?.['scaling'] === undefined ? numberAt(row, 'alpha') / numberAt(row, 'rank') : numberAt(row, 'scaling');
    return { y: linear(x!, w!, bias).add(linear(linear(x!, a!), b!).mul(scale)) };
  });

export const functions: Readonly<Record<string, Family>> = {
  relu: one(relu),
  sigmoid: one(sigmoid),
  softplus: one(softplus),
  tanh: one(x => x.tanh()),
  silu: one(silu),
  gelu: one(x => gelu(x)),
  'gelu-erf': one(x => gelu(x)),
  'gelu-tanh': one(x => gelu(x, 'tanh')),
  softmax: overAxis(softmax),
  log_softmax: overAxis(logSoftmax),
  layernorm: row =>
    compareRow(row, x => ({ y: layerNorm(x['x']!, gain(x), shift(x), { epsilon: epsilonOf(row, 1e-5) }) })),
  rmsnorm: row => compareRow(row, x => ({ y: rmsNorm(x['x']!, gain(x), { epsilon: epsilonOf(row, 1e-6) }) })),
  'rope-llama-half': rope('half'),
  'rope-interleaved': rope('interleaved'),
  'swiglu-mlp': swiglu,
  'lora-linear': lora,
};
