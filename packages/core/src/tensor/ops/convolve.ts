/** Grouped convolution over maps: engines have it with its bias, and an activation behind it, in one pass. */

import { refuse } from '../../ir/path.js';
import { showTypes } from '../../ir/shape.js';
import { defineOp } from '../op.js';
import { concat, type Tensor } from '../tensor.js';

type Shape4 = readonly [number, number, number, number];
type Weight = readonly [groups: number, out: number, rows: number, columns: number, into: number];

/** Inputs: x [B, C, T, S], weight [G, O / G, rows, columns, C / G] with odd windows, and optionally bias [O]. */
export const convolveOp = defineOp({
  name: 'convolve',
  version: 1,
  infer(types) {
    const [x, weight, bias] = types;
    const [B, C, T, S] = x!.shape as Shape4;
    const [G = 0, o = 0, rows = 0, columns = 0, c = 0] = weight?.shape ?? [];
    const lawful =
      (types.length === 2 || types.length === 3) &&
      x!.shape.length === 4 &&
      weight!.shape.length === 5 &&
      G * c === C &&
      rows % 2 === 1 &&
      columns % 2 === 1 &&
      (!bias || (bias.shape.length === 1 && bias.shape[0] === G * o));
    if (!lawful) {
      refuse(
        'convolve',
        'E_SHAPE',
        `expected x [B, C, T, S], weight [G, O / G, rows, columns, C / G] with odd windows, and optionally bias [O], received ${showTypes(types)}.`,
        { types },
      );
    }
    return [{ dtype: 'f32', shape: [B, G * o, T, S] }];
  },
  decompose([x, weight, bias]) {
    const [B, , T, S] = x!.shape as Shape4;
    const [G, o, rows, columns, c] = weight!.shape as unknown as Weight;
    const at = weight!.transpose(2, 3, 0, 1, 4).reshape(rows * columns, G, o, c);
    // One offset of the window after another: all of them beside each other would be so many times the input.
    const sum = shifted(x!, rows, columns)
      .map((view, i) => at.slice(0, i, i + 1).matmul(view.reshape(B, G, c, T * S))) // [B, G, O / G, T * S]
      .reduce((left, right) => left.add(right))
      .reshape(B, G * o, T, S);
    return [bias ? sum.add(bias.reshape(G * o, 1, 1)) : sum];
  },
  vjp({ cts: [ct], inputs: [x, weight, bias] }) {
    const [B, , T, S] = x!.shape as Shape4;
    const [G, o, rows, columns, c] = weight!.shape as unknown as Weight;
    const given = (t: Tensor): Tensor => t.reshape(B, G, c, T * S);
    const made = (t: Tensor): Tensor => t.reshape(B, G, o, T * S);
    // Cells that stand apart by an offset meet whichever side is moved: the one of fewer channels is.
    const pairs: readonly (readonly [Tensor, Tensor])[] =
      c <= o
        ? shifted(x!, rows, columns).map(t => [made(ct!), given(t)])
        : shifted(ct!, rows, columns)
            .toReversed()
            .map(t => [made(t), given(x!)]);
    const byOffset = pairs.map(([left, right]) =>
      left.matmul(right, { transposeRight: true }).sum(0).reshape(1, G, o, c),
    );
    return [
      convolve(ct!, reversed(reversed(weight!, 2), 3).transpose(0, 4, 2, 3, 1)),
      concat(byOffset, 0).reshape(rows, columns, G, o, c).transpose(2, 3, 0, 1, 4),
      ...(bias ? [ct!.sum([0, 2, 3])] : []),
    ];
  },
});

/** What each offset of a window sees, zeros beyond the edges. @shape x [B, C, T, S] -> rows * columns of the same */
function shifted(x: Tensor, rows: number, columns: number): readonly Tensor[] {
  const [, , T, S] = x.shape as Shape4;
  const [top, left] = [(rows - 1) / 2, (columns - 1) / 2];
  const padded = x.pad(2, top, top).pad(3, left, left);
  return Array.from({ length: rows * columns }, (_, offset) => {
    const [i, j] = [Math.floor(offset / columns), offset % columns];
    return i === top && j === left ? x : padded.slice(2, i, i + T).slice(3, j, j + S);
  });
}

const reversed = (x: Tensor, axis: number): Tensor => {
  const size = x.shape[axis]!;
  return size === 1
    ? x
    : concat(
        Array.from({ length: size }, (_, i) => x.slice(axis, size - 1 - i, size - i)),
        axis,
      );
};

/**
 * "Same" convolution, stride 1; channel `g * C / G + c` is the c-th of group g.
 *
 * @shape x [B, C, T, S], weight [G, O / G, rows, columns, C / G], bias [O] -> [B, O, T, S]
 */
export const convolve = (x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor =>
  convolveOp(bias ? [x, weight, bias] : [x, weight], {})[0]!;
