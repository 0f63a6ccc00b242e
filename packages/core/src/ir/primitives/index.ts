/** Functions that make one node each. The `Tensor` methods and the gradient rules are written with these. */

export { matmul, type MatmulFlags } from './contract.js';
export {
  add,
  cast,
  cos,
  div,
  equal,
  erf,
  exp,
  floor,
  less,
  log,
  mul,
  scale,
  sin,
  sqrt,
  stopGradient,
  sub,
  tanh,
  where,
} from './elementwise.js';
export { gather, scatterAdd } from './indexed.js';
export { broadcast, concat, pad, reshape, slice, transpose } from './movement.js';
export { reduceMax, reduceSum, spread } from './reduce.js';
export { constant, full, fullLike, input, iota, random } from './source.js';
