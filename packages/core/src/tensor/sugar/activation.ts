/** Activations that no engine has in one piece. The others are ops: see `../ops/activate.ts`. */

import type { Tensor } from '../tensor.js';
import { abs, maximum } from './arithmetic.js';

/** Through `tanh`: through `exp` the gradient of large inputs would be 0 * inf. */
export const sigmoid = (x: Tensor): Tensor => x.mul(0.5).tanh().add(1).mul(0.5);

/** `log(1 + exp(x))` without overflow. */
export const softplus = (x: Tensor): Tensor => maximum(x, 0).add(abs(x).neg().exp().add(1).log());
