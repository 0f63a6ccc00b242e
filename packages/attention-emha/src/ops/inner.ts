/** Many-to-many mapping with inner-subspace interaction: the maps of one query head and every key head, mixed. */

import { concat, defineOp, fail, full, relu, type Attrs, type Tensor, type TensorType } from '@heddle/core';
import { convolveAlong, convolveMaps } from '../convolve.js';
import { zeroFill } from '../zero-fill.js';

export type InnerAttrs = Attrs & {
  /** Whether the last input is the mask, to be zero-filled by: before the first convolution only, or each time. */
  readonly fill: 'none' | 'first' | 'every';
};

type Shape4 = readonly [number, number, number, number];

/**
 * Inputs: query [B, H, T, d] (already scaled) and key [B, G, S, d]; weight [g, o, k, H * G / g] and bias of the hidden
 * maps; optionally weight [g, H / g, k, o] and bias that bring them down to one map a head; with a `fill`, the mask
 * [B | 1, 1, T | 1, S]. Output: maps [B, H, T, S], or without the second convolution the hidden ones, after their ReLU.
 */
export const innerOp = defineOp<InnerAttrs>({
  name: 'emha.inner',
  version: 1,
  infer(types, { fill }) {
    const { q, k, expand, expandBias, reduce, reduceBias, mask } = named(types, fill);
    const [B, H, T] = q!.shape as Shape4;
    const [, G, S] = k!.shape as Shape4;
    const [groups = 0, o = 0, kernel = 0, into = 0] = expand?.shape ?? [];
    expect(
      q?.shape.length === 4 && k?.shape.length === 4 && q.shape[3] === k.shape[3] && q.shape[0] === k.shape[0],
      'query [B, H, T, d] and key [B, G, S, d]',
      types,
    );
    expect(
      groups * into === H * G && H % groups === 0 && kernel % 2 === 1,
      `a weight for ${H} * ${G} maps: [g, o, k, ${H * G} / g], k odd`,
      types,
    );
    expect(sameSize(expandBias, groups * o), `a bias [${groups * o}]`, types);
    if (reduce) {
      const [g, out, , c] = reduce.shape as Shape4;
      expect(g === groups && g * out === H && c === o, `a second weight [${groups}, ${H / groups}, k, ${o}]`, types);
      expect(sameSize(reduceBias, H), `a second bias [${H}]`, types);
    }
    if (fill !== 'none') expectMask(mask, B, T, S, types);
    return [{ dtype: 'f32', shape: [B, reduce ? H : groups * o, T, S] }];
  },
  decompose(tensors, { fill }) {
    const { q, k, expand, mask = null, ...rest } = named(tensors, fill);
    const weights = { expand: expand!, ...rest } as InnerWeights;
    return [fromHidden(hiddenMaps(q!, k!, weights, mask), weights, fill === 'every' ? mask : null)];
  },
});

/** Weights of the two inner convolutions; without the second, hidden maps are the result. */
export interface InnerWeights {
  readonly expand: Tensor;
  readonly expandBias: Tensor;
  readonly reduce?: Tensor | undefined;
  readonly reduceBias?: Tensor | undefined;
}

/**
 * The same from maps that exist, such as those with relative positions in them.
 *
 * @shape maps [B, H * G, T, S], mask [B | 1, 1, T | 1, S] -> [B, H, T, S]
 */
export const innerOfMaps = (
  maps: Tensor,
  weights: InnerWeights,
  mask: Tensor | null,
  fill: InnerAttrs['fill'],
): Tensor =>
  fromHidden(
    convolveMaps(zeroFill(maps, fill === 'none' ? null : mask), weights.expand, weights.expandBias),
    weights,
    fill === 'every' ? mask : null,
  );

/** @param hidden before its ReLU */
function fromHidden(hidden: Tensor, { reduce, reduceBias }: InnerWeights, mask: Tensor | null): Tensor {
  const active = zeroFill(relu(hidden), mask);
  return reduce ? zeroFill(convolveMaps(active, reduce, reduceBias!), mask) : active;
}

/** Names of the inputs: how many there are says which. */
function named<T>(inputs: readonly T[], fill: InnerAttrs['fill']) {
  const [q, k, expand, expandBias, ...rest] = inputs;
  const mask = fill === 'none' ? undefined : rest.pop();
  const [reduce, reduceBias] = rest;
  return { q, k, expand, expandBias, reduce, reduceBias, mask };
}

/**
 * The hidden maps before their ReLU, by the cheaper of two equal ways.
 *
 * A map is a product with keys, and so linear in them, as is the convolution over key heads and neighbouring keys. So
 * keys can be convolved instead of maps: a query head then meets `o` mixed keys, and the H * G maps never exist.
 *
 * @shape -> [B, hidden, T, S]
 */
function hiddenMaps(q: Tensor, k: Tensor, { expand, expandBias }: InnerWeights, mask: Tensor | null): Tensor {
  if (!mixesKeys(q.type, k.type, expand.type, mask?.type ?? null))
    return convolveMaps(zeroFill(pairMaps(q, k), mask), expand, expandBias);
  if (mask === null && expand.shape[2] === 1) return mixedWithBias(q, k, expand, expandBias);
  const [B, H, T, d] = q.shape as Shape4;
  const [, G, S] = k.shape as Shape4;
  const [, o, kernel] = expand.shape as Shape4;
  // The same for every query, the mask can hide keys before they are mixed; else, with a kernel of 1, cells after.
  const early = kernel > 1 && mask !== null;
  const keys = early ? zeroFill(k, mask.reshape(mask.shape[0]!, 1, S, 1)) : k;
  const mixed = convolveAlong(2, keys, expand.reshape(1, H * o, kernel, G)).reshape(B, H, o, S, d);
  const maps = q
    .reshape(B, H, 1, T, d)
    .matmul(mixed, { transposeRight: true })
    .reshape(B, H * o, T, S);
  return (early ? maps : zeroFill(maps, mask)).add(expandBias.reshape(H * o, 1, 1));
}

/**
 * The same for kernels of 1 that nothing hides. The bias rides along as one more coordinate, 1 in every query, which
 * saves a pass over hidden maps and one over their gradient.
 *
 * @shape -> [B, hidden, T, S]
 */
function mixedWithBias(q: Tensor, k: Tensor, expand: Tensor, bias: Tensor): Tensor {
  const [B, H, T, d] = q.shape as Shape4;
  const [, G, S] = k.shape as Shape4;
  const o = expand.shape[1]!;
  // [B, G + 1, S, d + 1]: a last key head that only has the last coordinate, which the others have not.
  const keys = concat([k.pad(3, 0, 1), full([B, 1, S, 1], 1).pad(3, d, 0)], 1);
  const weights = concat([expand.reshape(H * o, G), bias.reshape(H * o, 1)], 1);
  const mixed = weights.matmul(keys.reshape(B, G + 1, S * (d + 1))).reshape(B, H, o, S, d + 1);
  return concat([q, full([B, H, T, 1], 1)], 3)
    .reshape(B, H, 1, T, d + 1)
    .matmul(mixed, { transposeRight: true })
    .reshape(B, H * o, T, S);
}

/** What it costs to keep one cell of a map for the gradient, in multiplications. */
const costOfCell = 16;

/** Whether keys are mixed rather than maps: lawful, and cheaper for this many queries. */
export function mixesKeys(q: TensorType, k: TensorType, expand: TensorType, mask: TensorType | null): boolean {
  const [, H, T, d] = q.shape as Shape4;
  const G = k.shape[1]!;
  const [groups, o, kernel] = expand.shape as Shape4;
  const lawful = groups === H && (kernel === 1 || mask === null || mask.shape[2] === 1);
  // Multiplications for each key and query head.
  const byKeys = o * d * (kernel * G + T) + costOfCell * T * o;
  const byMaps = T * (G * d + o * G * kernel) + costOfCell * T * ((kernel === 1 ? 1 : kernel + 1) * G + o);
  return lawful && byKeys <= byMaps;
}

/**
 * Every query head against every key head; map `i * G + j` is of query head i and key head j.
 *
 * @shape q [B, H, T, d], k [B, G, S, d] -> [B, H * G, T, S]
 */
export function pairMaps(q: Tensor, k: Tensor): Tensor {
  const [B, H, T, d] = q.shape as Shape4;
  const [, G, S] = k.shape as Shape4;
  return q
    .reshape(B, H, 1, T, d)
    .matmul(k.reshape(B, 1, G, S, d), { transposeRight: true })
    .reshape(B, H * G, T, S);
}

const sameSize = (type: TensorType | undefined, size: number): boolean =>
  type?.shape.length === 1 && type.shape[0] === size;

function expectMask(mask: TensorType | undefined, B: number, T: number, S: number, types: readonly TensorType[]): void {
  const [b, one, t, s] = mask?.shape ?? [];
  const lawful = (b === B || b === 1) && one === 1 && (t === T || t === 1) && s === S && mask?.shape.length === 4;
  expect(lawful, `a mask [${B} or 1, 1, ${T} or 1, ${S}]`, types);
}

function expect(met: boolean, expected: string, types: readonly TensorType[]): void {
  if (met) return;
  const list = types.map(({ shape }) => `[${shape.join(', ')}]`).join(', ');
  fail('E_SHAPE', `emha.inner: expected ${expected}, received ${list}. Make query, key and weights agree.`, { types });
}
