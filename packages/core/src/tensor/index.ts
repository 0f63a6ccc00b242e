/** The language of tensors: what layers, losses and rules are written in. */

export { Tensor, concat, constant, full, iota, random, where, type Keep, type Operand } from './tensor.js';
export { grad, placeholder, trace } from './trace.js';
export { defineKernel, defineOp, type OpFunction } from './op.js';
export { evaluate, evaluateAll, host, hostZeros } from './evaluate.js';
export { abs, and, clip, maximum, minimum, not, or, sign } from './sugar/arithmetic.js';
export { sigmoid, softplus } from './sugar/activation.js';
export { causalMask, distanceScores, joinHeads, ropeTables, splitHeads } from './sugar/attention.js';
export { argmax, cumsum, nucleus, sampleToken } from './sugar/choose.js';
export { gelu, geluGradOp, geluOp, relu, reluGrad, reluGradOp, reluOp, silu, siluOp } from './ops/activate.js';
export { attend, attendOp } from './ops/attend.js';
export { convolve, convolveOp } from './ops/convolve.js';
export { layerNorm, layerNormOp, rmsNorm, rmsNormOp } from './ops/normalise.js';
export {
  addAt,
  addAtOp,
  logProbabilities,
  logProbabilitiesOp,
  logProbability,
  logProbabilityOp,
  pick,
  pickOp,
} from './ops/pick.js';
export { rotate, rotateOp } from './ops/rotate.js';
export { softmaxMatmul, softmaxMatmulOp } from './ops/softmax-matmul.js';
export { logSoftmax, logSoftmaxOp, logSumExp, softmax, softmaxOp } from './ops/softmax.js';
