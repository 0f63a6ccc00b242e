/** Kind `emha`: maps, outputs and gradients of the authors' modules, through this package on the reference backend. */

import {
  causalMask,
  expandOps,
  grad,
  interpret,
  splitHeads,
  trace,
  type HostTensor,
  type Shape,
  type Tensor,
  type Types,
} from '@heddle/core';
import {
  caseOf,
  goldenNumber,
  parseGolden,
  relativeError,
  type GoldenCase,
  type GoldenKind,
} from '@heddle/core/testing/golden';
import { readByMaps } from '../layer.js';
import { mixedMaps, type MixingWeights } from '../mixing.js';
import { emhaSizes, type EmhaConfig, type EmhaSizes } from '../options.js';
import { pairMaps } from '../ops/inner.js';
import { emhaParameters } from '../shapes.js';

interface Stored {
  readonly shape: Shape;
  readonly data: readonly unknown[];
}
type Entry = Stored | number | boolean | string | null;

interface File {
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, Entry>>;
  readonly weights: Readonly<Record<string, Stored>>;
  readonly outputs: Readonly<Record<string, Entry>>;
  readonly gradients: {
    readonly inputs?: Readonly<Record<string, Stored | null>>;
    readonly weights?: Readonly<Record<string, Stored | null>>;
  };
}

type Tensors = Readonly<Record<string, Tensor>>;
/** @returns outputs by their names in the file, in its shapes */
type Family = (file: File) => (inputs: Tensors, weights: Tensors) => Tensors;

/** By the start of the file's name. */
const families: Readonly<Record<string, Family>> = {
  eit_causal_safe_map: mapFamily('every'),
  eit_plain_map: mapFamily('first'),
  eit_light_map: lightFamily,
  eit_emha: attentionFamily,
};

const starts = [...Object.keys(families), 'eit_params'];
const startOf = (name: string): string | undefined => starts.find(start => name.split('/').at(-1)!.startsWith(start));

export const emha: GoldenKind = {
  name: 'emha',
  recognises: name => name.endsWith('.json') && startOf(name) !== undefined,
  async *check({ name, text }) {
    const json = parseGolden(await text());
    const files = (Array.isArray(json) ? json : [json]) as readonly File[];
    for (const [i, file] of files.entries()) {
      const id = files.length === 1 ? startOf(name)! : `${startOf(name)!}#${i}`;
      yield startOf(name) === 'eit_params' ? counts(id, file) : compare(id, file, families[startOf(name)!]!);
    }
  },
};

const isStored = (entry: unknown): entry is Stored =>
  typeof entry === 'object' && entry !== null && 'shape' in entry && 'data' in entry;

const hostOf = ({ shape, data }: Stored): HostTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(data, goldenNumber),
});

/** Forward within 1e-5, gradients within 1e-4 of the largest element. */
function compare(id: string, file: File, family: Family): GoldenCase {
  const stored = {
    ...prefixed('in.', file.inputs),
    ...prefixed('w.', file.weights),
  };
  const feeds = Object.fromEntries(Object.entries(stored).map(([name, entry]) => [name, hostOf(entry)]));
  const types: Types = Object.fromEntries(
    Object.entries(feeds).map(([name, { shape }]) => [name, { dtype: 'f32', shape }]),
  );
  const expected = Object.entries(file.outputs).flatMap(([name, entry]) =>
    isStored(entry) ? [[name, entry] as const] : [],
  );
  const slopes = [
    ...Object.entries(file.gradients.inputs ?? {}).map(([name, entry]) => [`in.${name}`, entry] as const),
    ...Object.entries(file.gradients.weights ?? {}).map(([name, entry]) => [`w.${name}`, entry] as const),
  ].filter(([name]) => name in feeds);
  const graph = trace(types, x => {
    const outputs = family(file)(without('in.', x), without('w.', x));
    const weight = (x as Tensors)['in.loss_weight'];
    const loss = weight ? outputs['out']!.mul(weight).sum() : outputs['out']!.sum();
    const found = grad(
      loss,
      slopes.map(([name]) => (x as Tensors)[name]!),
    );
    return {
      ...Object.fromEntries(Object.entries(outputs).map(([name, t]) => [`out.${name}`, t])),
      ...Object.fromEntries(slopes.map(([name], i) => [`d.${name}`, found[i]!])),
    };
  });
  const found = interpret(expandOps(graph), feeds, 'f32');
  const rounding = roundingOf(slopes.map(([, entry]) => entry));
  return caseOf(id, [
    ...expected.map(([name, entry]) => ({ name, error: outputError(entry, found[`out.${name}`]), tolerance: 1e-5 })),
    ...slopes.map(([name, entry]) => ({
      name: `d ${name}`,
      error: slopeError(entry, found[`d.${name}`]!, rounding),
      tolerance: 1e-4,
    })),
  ]);
}

const prefixed = (prefix: string, entries: Readonly<Record<string, Entry>>): Record<string, Stored> =>
  Object.fromEntries(
    Object.entries(entries).flatMap(([name, entry]) => (isStored(entry) ? [[`${prefix}${name}`, entry] as const] : [])),
  );

const without = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])),
  );

/** Masks here are finite: what they hide is minus infinity in the files. */
function outputError(expected: Stored, found: HostTensor | undefined): number {
  if (!found || found.shape.join() !== expected.shape.join()) return Infinity;
  const numbers = expected.data.map(goldenNumber);
  const data = Array.from(found.data, (x, i) => (numbers[i] === -Infinity && x < -1e8 ? -Infinity : x));
  return relativeError(numbers, data);
}

/**
 * null: not in the graph, so nothing may flow there.
 *
 * Some gradients are zero by algebra (softmax does not see what is added to a whole row, such as the last bias): the
 * file then holds what cancellation left over. Such a tensor, all below the rounding of the largest gradient of the
 * file, must be as small here.
 */
function slopeError(expected: Stored | null, found: HostTensor, rounding: number): number {
  const numbers = expected ? expected.data.map(goldenNumber) : Array.from(found.data, () => 0);
  if (expected && expected.shape.join() !== found.shape.join()) return Infinity;
  const vanishes = expected !== null && largest(numbers) <= rounding && largest(found.data) <= rounding;
  return vanishes ? 0 : relativeError(numbers, found.data);
}

const largest = (numbers: ArrayLike<number>): number =>
  Array.from(numbers).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** Float32 keeps 2 ** -24 of a sum's largest term; a few such roundings add up. */
const roundingOf = (slopes: readonly (Stored | null)[]): number =>
  2 ** -21 * Math.max(0, ...slopes.map(entry => (entry ? largest(entry.data.map(goldenNumber)) : 0)));

const numberAt = ({ config }: File, name: string, fallback?: number): number => {
  const n = goldenNumber(config[name] ?? fallback);
  if (Number.isNaN(n)) throw new Error(`config.${name}: expected a number, received ${JSON.stringify(config[name])}`);
  return n;
};

/** The options of a file: its names are the authors'. */
function optionsOf(file: File): EmhaConfig {
  return {
    width: numberAt(file, 'C'),
    heads: numberAt(file, 'M'),
    form: 'full',
    innerExpansion: numberAt(file, 'isi_expansion'),
    innerKernel: numberAt(file, 'kernel'),
    crossExpansion: numberAt(file, 'csi_expansion'),
    crossKernel: numberAt(file, 'csi_kernel'),
  };
}

/** Torch's layout to ours. @shape (out, into / groups, 1, k) -> [groups, out / groups, k, into / groups] */
function convolution(weights: Tensors, name: string, groups: number) {
  const weight = weights[`${name}.weight`]!;
  const [out, into, , k] = weight.shape as readonly [number, number, number, number];
  return {
    weight: weight.reshape(groups, out / groups, into, k).transpose(0, 1, 3, 2),
    bias: weights[`${name}.bias`]!,
  };
}

/** The classes spell the layer in two ways. */
const mixingOf = (weights: Tensors, heads: number): MixingWeights => ({
  inner: { expand: convolution(weights, 'local_model1', heads), reduce: convolution(weights, 'local_model2', heads) },
  cross: {
    expand: convolution(weights, 'head_expansion.weight' in weights ? 'head_expansion' : 'head_expandation', 1),
    reduce: convolution(weights, 'head_reduction', 1),
  },
});

/** @shape x (T, B, C) -> [B, T, to] */
function project(x: Tensor, weights: Tensors, name: string): Tensor {
  const bias = weights[`${name}.bias`];
  const rows = x.transpose(1, 0, 2).matmul(weights[`${name}.weight`]!, { transposeRight: true });
  return bias ? rows.add(bias) : rows;
}

const hidden = -1e9;

/** Padded keys and, where asked, later ones. @shape x (T, B, C) -> [B | 1, 1, T | 1, S] */
function maskOf({ x, padding_mask: padded }: Tensors, causal: boolean): Tensor | null {
  const [T, B] = x!.shape as readonly [number, number];
  const keys = padded ? padded.mul(hidden).reshape(B, 1, 1, T) : null;
  const later = causal ? causalMask(T).reshape(1, 1, T, T) : null;
  return keys && later ? keys.add(later) : (keys ?? later);
}

/** @shape x (T, B, C) -> queries and keys [B, M, T, d] */
function headsOf({ x }: Tensors, weights: Tensors, heads: number) {
  const rows = (name: string): Tensor => splitHeads(project(x!, weights, name), heads);
  return { q: rows('q_proj'), k: rows('k_proj') };
}

function mapFamily(zeroFill: EmhaSizes['zeroFill']): Family {
  return file => (inputs, weights) => {
    const heads = numberAt(file, 'M');
    const T = inputs['x']!.shape[0]!;
    const sizes = emhaSizes({ ...optionsOf(file), zeroFill });
    const { q, k } = headsOf(inputs, weights, heads);
    // The encoder's class looks at no attention mask.
    const mask = maskOf(inputs, zeroFill === 'every' && file.config['causal'] === true);
    const logits = mixedMaps(q.mul(sizes.headWidth ** -0.5), k, mixingOf(weights, heads), sizes, mask);
    return { out: logits.reshape(-1, T, T) };
  };
}

/** Heads are of width C / h, and there are M of them, which need not fill C. Without `isi`, the raw maps of all pairs. */
function lightFamily(file: File) {
  return (inputs: Tensors, weights: Tensors): Tensors => {
    const heads = numberAt(file, 'M');
    const T = inputs['x']!.shape[0]!;
    const { q, k } = headsOf(inputs, weights, heads);
    const scaled = q.mul(q.shape[3]! ** -0.5);
    if (!('isi.0.weight' in weights)) return { out: pairMaps(scaled, k).reshape(-1, T, T) };
    const mixing = { inner: { expand: convolution(weights, 'isi.0', heads) }, cross: {} };
    const kind = { form: 'map', inner: 'mix', cross: false, zeroFill: 'none' } as const;
    return { out: mixedMaps(scaled, k, mixing, kind).reshape(-1, T, T) };
  };
}

/**
 * The whole attention. Its logits are (1 + lamb1) * maps + (1 + lamb2) * global, head by head; without a global
 * structure the second term is zero.
 */
function attentionFamily(file: File) {
  return (inputs: Tensors, weights: Tensors): Tensors => {
    const heads = numberAt(file, 'M');
    const [T, B] = inputs['x']!.shape as readonly [number, number];
    const sizes = emhaSizes({ ...optionsOf(file), zeroFill: 'none' });
    const { q, k } = headsOf(inputs, weights, heads);
    const v = splitHeads(project(inputs['x']!, weights, 'v_proj'), heads);
    const mask = maskOf(inputs, file.config['causal'] === true);
    const factor = (name: string): Tensor => weights[name]!.reshape(heads, 1, 1).add(1);
    const maps = mixedMaps(q.mul(sizes.headWidth ** -0.5), k, mixingOf(weights, heads), sizes, mask);
    const global = inputs['global_structure']?.reshape(B, heads, T, T);
    const own = maps.mul(factor('lamb1'));
    const logits = global ? own.add(global.mul(factor('lamb2'))) : own;
    const projected = (x: Tensor): Tensor =>
      x.matmul(weights['out_proj.weight']!, { transposeRight: true }).add(weights['out_proj.bias']!);
    const { output, probabilities } = readByMaps({ output: projected }, logits, v, mask);
    return {
      out: output.transpose(1, 0, 2),
      probs: probabilities.transpose(1, 0, 2, 3),
      logits_after_mask: (mask ? logits.add(mask) : logits).reshape(B * heads, T, T),
    };
  };
}

const partsOfCount = {
  local_model1: 'innerExpand',
  local_model2: 'innerReduce',
  head_expansion: 'crossExpand',
  head_expandation: 'crossExpand',
  head_reduction: 'crossReduce',
  extra: 'extra',
} as const;

/** Parameter counts are exact. */
function counts(id: string, file: File): GoldenCase {
  const found = emhaParameters(optionsOf(file));
  const of = (name: string): number =>
    // A quarter of the four projections each.
    /^[qkv]_proj$|^out_proj$/.test(name) ? found.projections / 4 : found[partsOfCount[name as 'extra']];
  const wrong = Object.entries(file.outputs).filter(([name, n]) => of(name) !== n);
  const detail = (wrong.length > 0 ? wrong : Object.entries(file.outputs)).map(
    ([name, n]) => `${name} ${of(name)}${wrong.length > 0 ? `, expected ${JSON.stringify(n)}` : ''}`,
  );
  return { id, passed: wrong.length === 0 && detail.length > 0, detail: detail.join('; ') };
}
