/** Log-probability and entropy of chosen tokens, with a gradient that stores nothing of the size of the vocabulary. */

import {
  addAt,
  defineOp,
  logSoftmax,
  pick,
  refuse,
  sameShape,
  showTypes,
  type Attrs,
  type Tensor,
  type TensorType,
} from '@heddle/core';

export type TemperatureAttrs = Attrs & { readonly temperature: number };

const column = (x: Tensor): Tensor => x.reshape(...x.shape, 1);
/** At temperature 1 nothing is divided: a pass over the vocabulary less. */
const cooled = (x: Tensor, temperature: number): Tensor => (temperature === 1 ? x : x.div(temperature));

function expectRows(op: string, types: readonly TensorType[]): readonly TensorType[] {
  const [logits, tokens, ...rows] = types;
  const rank = logits?.shape.length ?? 0;
  const isRow = (type: TensorType | undefined, dtype: string): boolean =>
    type !== undefined && type.dtype === dtype && sameShape(type.shape, logits!.shape.slice(0, -1));
  if (rank < 1 || logits!.dtype !== 'f32' || !isRow(tokens, 'i32') || !rows.every(type => isRow(type, 'f32')))
    refuse(op, 'E_SHAPE', `expected logits [..., V], tokens i32[...] and rows [...], received ${showTypes(types)}.`, { types }); // prettier-ignore
  return rows;
}

/**
 * Inputs: logits [..., V], tokens i32[...]. Outputs [...] each: log-probability of the token at a temperature, entropy of
 * what it was chosen from, and the logarithm of the sum of exponentials, from which the gradient makes probabilities anew.
 */
export const tokenScoresOp = defineOp<TemperatureAttrs>({
  name: 'rl.tokenScores',
  version: 1,
  infer(types) {
    if (expectRows('rl.tokenScores', types).length > 0 || types.length !== 2)
      refuse('rl.tokenScores', 'E_SHAPE', `expected logits and tokens, received ${showTypes(types)}.`, { types });
    const row: TensorType = { dtype: 'f32', shape: types[1]!.shape };
    return [row, row, row];
  },
  decompose([logits, tokens], { temperature }) {
    const scaled = cooled(logits!, temperature);
    const all = logSoftmax(scaled);
    const first = scaled.slice(-1, 0, 1).sub(all.slice(-1, 0, 1)); // of any column
    return [pick(all, tokens!), all.exp().mul(all).sum(-1).neg(), first.reshape(...tokens!.shape)];
  },
  vjp({ cts: [logp = null, entropy = null, total = null], inputs: [logits, tokens], outputs: [, spread, sum], attrs }) {
    const rows = [sum!, logp ?? sum!.mul(0), ...(entropy ? [spread!, entropy] : [])];
    const own = tokenScoresGradientOp([logits!, tokens!, ...rows], attrs)[0]!;
    // Only a second derivative asks for the gradient of the sum.
    const more =
      total && logits!.div(attrs.temperature).sub(column(sum!)).exp().mul(column(total)).div(attrs.temperature);
    return [more ? own.add(more) : own, null];
  },
});

/**
 * Inputs: logits [..., V], tokens i32[...], the logarithm of the sum of exponentials [...], what flows back to the
 * log-probability [...], and, where something flows back to the entropy, the entropy [...] and that. Output [..., V].
 */
export const tokenScoresGradientOp = defineOp<TemperatureAttrs>({
  name: 'rl.tokenScoresGradient',
  version: 1,
  infer(types) {
    const rows = expectRows('rl.tokenScoresGradient', types);
    if (rows.length !== 2 && rows.length !== 4)
      refuse('rl.tokenScoresGradient', 'E_SHAPE', `expected two or four rows, received ${showTypes(types)}.`, {
        types,
      });
    return [types[0]!];
  },
  decompose([logits, tokens, total, logp, entropy, toEntropy], { temperature }) {
    const surprise = cooled(logits!, temperature).sub(column(total!)); // logarithms of the probabilities
    const push = toEntropy
      ? surprise.add(column(entropy!)).mul(column(toEntropy.neg())).sub(column(logp!))
      : column(logp!.neg());
    return [cooled(addAt(surprise.exp().mul(push), tokens!, logp!), temperature)];
  },
});
