/** A graph for each of core's ops, with gradients of everything that has one. */

import * as core from '@heddle/core';
import {
  attend,
  bool,
  causalMask,
  crossEntropy,
  f32,
  grad,
  i32,
  ropeTables,
  rotate,
  trace,
  type Graph,
  type Tensor,
  type Types,
} from '@heddle/core';

type Inputs = Readonly<Record<string, Tensor>>;

/** The value, a scalar of it, and the gradients of that scalar. */
function withGradients(types: Types, body: (inputs: Inputs) => Tensor): Graph {
  return trace(types, inputs => {
    const value = body(inputs);
    const wrt = Object.entries(inputs).filter(([, t]) => t.dtype === 'f32');
    const slopes = grad(
      value.square().sum(),
      wrt.map(([, t]) => t),
    );
    return { value, ...Object.fromEntries(wrt.map(([name], i) => [`gradient.${name}`, slopes[i]!])) };
  });
}

/** Names of the ops that core exports. */
export const opNames = (): readonly string[] =>
  Object.values(core)
    .filter(thing => typeof thing === 'function' && 'decompose' in thing && 'infer' in thing)
    .map(op => op.name);

/** By name of the op. Integers are drawn below 3. */
export const opCases: Readonly<Record<string, Graph>> = {
  attend: withGradients({ q: f32(2, 4, 5, 6), k: f32(2, 2, 5, 6), v: f32(2, 2, 5, 3) }, ({ q, k, v }) =>
    attend(q!, k!, v!, causalMask(5)),
  ),
  softmax: withGradients({ x: f32(3, 2, 5) }, ({ x }) => core.softmax(x!)),
  logSoftmax: withGradients({ x: f32(3, 5) }, ({ x }) => core.logSoftmax(x!)),
  softmaxMatmul: withGradients({ x: f32(2, 3, 5), v: f32(2, 5, 4), k: bool(2, 3, 5) }, ({ x, v, k }) => {
    const { out, probabilities } = core.softmaxMatmul(x!, v!, k!);
    return core
      .softmaxMatmul(x!, v!)
      .out.add(out)
      .mul(probabilities.square().sum(-1, { keep: true }));
  }),
  relu: withGradients({ x: f32(3, 8) }, ({ x }) => core.relu(x!)),
  reluGrad: withGradients({ y: f32(3, 8), ct: f32(3, 8) }, ({ y, ct }) => core.reluGrad(y!, ct!)),
  // Windows of either direction, more channels out than in and fewer, a ReLU that engines take into the convolution.
  convolve: withGradients(
    { x: f32(2, 4, 3, 6), up: f32(2, 3, 1, 5, 2), b: f32(6), down: f32(1, 2, 3, 1, 6) },
    ({ x, up, b, down }) => core.convolve(core.relu(core.convolve(x!, up!, b!)), down!),
  ),
  gelu: withGradients({ x: f32(3, 8) }, ({ x }) => core.gelu(x!).add(core.gelu(x!, 'tanh'))),
  geluGrad: withGradients(
    { x: f32(3, 8), ct: f32(3, 8) },
    ({ x, ct }) => core.geluGradOp([x!, ct!], { form: 'erf' })[0]!,
  ),
  silu: withGradients({ x: f32(9) }, ({ x }) => core.silu(x!)),
  layerNorm: withGradients({ x: f32(2, 3, 8), g: f32(8), b: f32(8) }, ({ x, g, b }) => core.layerNorm(x!, g!, b!)),
  rmsNorm: withGradients({ x: f32(3, 8), g: f32(8) }, ({ x, g }) => core.rmsNorm(x!, g!)),
  pick: withGradients({ x: f32(4, 3), i: i32(4) }, ({ x, i }) => core.pick(x!, i!)),
  addAt: withGradients({ x: f32(2, 2, 3), i: i32(2, 2), a: f32(2, 2) }, ({ x, i, a }) => core.addAt(x!, i!, a!)),
  logProbability: withGradients({ x: f32(6, 9), t: i32(6) }, ({ x, t }) => core.logProbability(x!, t!)),
  logProbabilities: withGradients({ x: f32(6, 9), t: i32(6) }, ({ x, t }) => {
    const { own, total } = core.logProbabilities(x!, t!);
    return own.add(total.mul(0.3));
  }),
  rotate: withGradients({ x: f32(2, 3, 4, 6) }, ({ x }) => {
    const { cos, sin } = ropeTables(4, 6);
    return rotate(x!, cos, sin).add(rotate(x!, cos, sin, { layout: 'interleaved' }));
  }),
  'cross entropy': withGradients(
    { x: f32(6, 9), t: i32(6), w: f32(6) },
    ({ x, t, w }) => crossEntropy(x!, t!, w!, { labelSmoothing: 0.1 }).sum,
  ),
};
