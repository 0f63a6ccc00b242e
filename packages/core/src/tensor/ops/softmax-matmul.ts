/** Values weighed by a softmax: what every attention ends in, whichever way it comes to its logits. */

import { refuse } from '../../ir/path.js';
import { showTypes } from '../../ir/shape.js';
import { defineOp } from '../op.js';
import type { Tensor } from '../tensor.js';
import { softmax } from './softmax.js';

/**
 * Inputs: logits [..., T, S], values [..., S, e], and optionally which probabilities count, bool [..., T, S]. Outputs: the
 * result [..., T, e], and the probabilities [..., T, S], all of them.
 */
export const softmaxMatmulOp = defineOp({
  name: 'softmaxMatmul',
  version: 1,
  infer(types) {
    const [logits, values, kept] = types;
    const lead = logits!.shape.slice(0, -2).join();
    const lawful =
      (types.length === 2 || types.length === 3) &&
      logits!.shape.length >= 2 &&
      values!.shape.slice(0, -2).join() === lead &&
      values!.shape.at(-2) === logits!.shape.at(-1) &&
      (!kept || (kept.dtype === 'bool' && kept.shape.join() === logits!.shape.join()));
    if (!lawful) {
      refuse(
        'softmaxMatmul',
        'E_SHAPE',
        `expected logits [..., T, S], values [..., S, e] and optionally bools as the logits, received ${showTypes(types)}.`,
        { types },
      );
    }
    return [{ dtype: 'f32', shape: [...logits!.shape.slice(0, -1), values!.shape.at(-1)!] }, logits!];
  },
  decompose([logits, values, kept]) {
    const probabilities = softmax(logits!);
    return [counted(probabilities, kept).matmul(values!), probabilities];
  },
  vjp({ cts: [ct = null, ctProbabilities = null], inputs: [, values, kept], outputs: [y, p] }) {
    const towards = ct && counted(ct.matmul(values!, { transposeRight: true }), kept); // [..., T, S]
    return [
      softmaxSlope(p!, towards, ctProbabilities, ct && ct.mul(y!)),
      ct && counted(p!, kept).matmul(ct, { transposeLeft: true }),
      ...(kept ? [null] : []),
    ];
  },
});

const counted = (cells: Tensor, kept: Tensor | undefined): Tensor => (kept ? cells.mul(kept.cast('f32')) : cells);

/**
 * The gradient of logits from that of probabilities, in few passes over the maps: the row sums of p * towards are those of
 * ct * y, which is narrower. A gradient of the probabilities themselves breaks that identity.
 *
 * @param towards what comes through the values
 * @param given what comes to the probabilities themselves
 * @param narrow ct * y @shape [..., T, e]
 * @shape -> [..., T, S]
 */
export function softmaxSlope(p: Tensor, towards: Tensor | null, given: Tensor | null, narrow: Tensor | null): Tensor {
  const slope = towards && given ? towards.add(given) : (towards ?? given!);
  return p.mul(slope.sub((given ? p.mul(slope) : narrow!).sum(-1, { keep: true })));
}

/**
 * @param kept which probabilities count, for dropout: the others weigh nothing. Scale the values up for them
 * @shape logits [..., T, S], values [..., S, e], kept bool [..., T, S] -> out [..., T, e], probabilities [..., T, S]
 */
export function softmaxMatmul(
  logits: Tensor,
  values: Tensor,
  kept: Tensor | null = null,
): { readonly out: Tensor; readonly probabilities: Tensor } {
  const [out, probabilities] = softmaxMatmulOp(kept ? [logits, values, kept] : [logits, values], {});
  return { out: out!, probabilities: probabilities! };
}
