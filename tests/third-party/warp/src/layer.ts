import { affine, defineLayer, fail, type Tensor } from '@heddle/core';
import { mish } from './op.js';

/** A feed-forward over Mish. @shape x [..., width] -> [..., width] */
export function warpFfn({ width, inner = 4 * width }: { readonly width: number; readonly inner?: number }) {
  if (!(width >= 1)) fail('E_CONFIG', `warp: width: expected a number from 1 up, received ${width}.`, { width });
  return defineLayer({
    name: 'warp',
    params: { up: affine(width, inner), down: affine(inner, width) },
    apply: ({ up, down }, x: Tensor): Tensor => down(mish(up(x))),
  });
}
