/** The laws of layers. */

import { interpret } from '../backend/reference.js';
import { expandOps } from '../lower/expand-ops.js';
import { showType, showTypes, stridesOf } from '../ir/shape.js';
import { bind, initialise, parameterTypes, type Mode } from '../model/tree.js';
import { uniforms } from '../random/philox.js';
import { constant, type Tensor } from '../tensor/tensor.js';
import { grad, trace } from '../tensor/trace.js';
import type { AnyLayer } from '../model/layer.js';
import type { HostTensor, Shape, TensorType, Types } from '../ir/types.js';
import { conform, wordsOf, type Check } from './checks.js';
import { differencesAll, typeOf } from './compare.js';
import { sample as sampled, type Sampling } from './fixtures.js';

export interface LayerSample extends Sampling {
  readonly inputs: readonly (TensorType | HostTensor)[];
  /** Shape of the output. */
  readonly output: Shape;
}

export interface LayerLaws {
  /** Batches and lengths that cover the layer: a batch of 1, a length of 1, unequal lengths. */
  readonly samples: readonly LayerSample[];
  /** How to call the layer; by default with the inputs as they are. For attention: `(attend, [x]) => attend(x, x, causalMask(…))`. */
  readonly call?: (layer: (...inputs: unknown[]) => Tensor, inputs: readonly Tensor[]) => Tensor;
  /** No output may depend on a later cell of the first input; both have time on axis 1. */
  readonly causal?: boolean;
  /** The same layer without dropout, if it has any. */
  readonly withoutDropout?: AnyLayer;
  /** Parameters that may go without a gradient. */
  readonly idle?: readonly string[];
}

/**
 * Tests a layer: shape, gradients, mode, and that a causal one does not look ahead.
 *
 * @example
 * conformLayer(attention, { causal: true, samples: [{ inputs: [f32(2, 5, 8)], output: [2, 5, 8] }] });
 */
export const conformLayer = (layer: AnyLayer, laws: LayerLaws): void =>
  conform(`layer ${layer.name}`, layerChecks(layer, laws));

export function layerChecks(layer: AnyLayer, laws: LayerLaws): readonly Check[] {
  const { samples, causal = false, withoutDropout = layer } = laws;
  const each =
    (find: (given: LayerSample, seed: number) => readonly string[]) => async (): Promise<readonly string[]> => {
      if (samples.length === 0) return ['no samples were given'];
      return samples.flatMap((given, seed) => {
        const title = `sample ${seed}, ${showTypes(given.inputs.map(typeOf))}`;
        try {
          return find(given, seed).map(words => `${title}: ${words}`);
        } catch (error) {
          return [`${title}: throws: ${wordsOf(error)}`];
        }
      });
    };
  const still: Mode = { training: false };
  return [
    { law: 'gives the shape that it promises', find: each((given, seed) => shapeFindings(layer, laws, given, seed)) },
    {
      law: 'is finite with its parameters as they begin',
      find: each((given, seed) =>
        Object.values(run(layer, laws, given, seed, still)).flatMap(t =>
          t.data.every(Number.isFinite) ? [] : ['holds NaN or infinity'],
        ),
      ),
    },
    { law: 'gives every parameter a gradient', find: async () => idleParameters(layer, laws) },
    {
      law: 'gives in training without dropout what it gives in evaluation',
      find: each((given, seed) =>
        differencesAll(
          run(withoutDropout, laws, given, seed, still),
          run(withoutDropout, laws, given, seed, 'training'),
          0,
        ),
      ),
    },
    ...(causal
      ? [{ law: 'does not look ahead', find: each((given, seed) => lookingAhead(withoutDropout, laws, given, seed)) }]
      : []),
  ];
}

const valuesOf = ({ inputs, ...sampling }: LayerSample, seed: number): HostTensor[] => {
  const draw = uniforms(seed, 41);
  return inputs.map(given => ('data' in given ? given : sampled(given, draw, sampling)));
};

const typesFor = (layer: AnyLayer, values: readonly HostTensor[]): Types => ({
  ...Object.fromEntries(Object.entries(parameterTypes(layer)).map(([name, type]) => [`params.${name}`, type])),
  ...Object.fromEntries(values.map((t, i) => [`in${i}`, typeOf(t)])),
  key: { dtype: 'i32', shape: [2] },
});

const feedsFor = (layer: AnyLayer, values: readonly HostTensor[], seed: number): Record<string, HostTensor> => ({
  ...Object.fromEntries(Object.entries(startOf(layer, seed)).map(([name, t]) => [`params.${name}`, t])),
  ...Object.fromEntries(values.map((t, i) => [`in${i}`, t])),
  key: { dtype: 'i32', shape: [2], data: Int32Array.of(seed, 1) },
});

/** As they begin, but moved a little: zeros and ones hide mistakes and stop gradients. */
function startOf(layer: AnyLayer, seed: number): Record<string, HostTensor> {
  const draw = uniforms(seed, 43);
  return Object.fromEntries(
    Object.entries(initialise(layer, seed)).map(([name, t]) => [
      name,
      { ...t, data: Float32Array.from(t.data, x => x + 0.2 * (draw() - 0.5)) },
    ]),
  );
}

function apply(
  layer: AnyLayer,
  { call = (fn, inputs) => fn(...inputs) }: LayerLaws,
  x: Readonly<Record<string, Tensor>>,
  count: number,
  mode: Mode,
): Tensor {
  const params = Object.fromEntries(
    Object.entries(x).flatMap(([name, t]) => (name.startsWith('params.') ? [[name.slice(7), t]] : [])),
  );
  const bound = bind(layer, params, mode) as unknown as (...inputs: unknown[]) => Tensor;
  return call(
    bound,
    Array.from({ length: count }, (_, i) => x[`in${i}`]!),
  );
}

function run(
  layer: AnyLayer,
  laws: LayerLaws,
  given: LayerSample,
  seed: number,
  mode: Mode | 'training',
  values = valuesOf(given, seed),
): Record<string, HostTensor> {
  const graph = trace(typesFor(layer, values), x => ({
    out: apply(
      layer,
      laws,
      x,
      values.length,
      mode === 'training' ? { training: true, key: (x as Record<string, Tensor>)['key']! } : mode,
    ),
  }));
  return interpret(expandOps(graph), feedsFor(layer, values, seed), 'f32');
}

function shapeFindings(layer: AnyLayer, laws: LayerLaws, given: LayerSample, seed: number): readonly string[] {
  const out = run(layer, laws, given, seed, { training: false })['out']!;
  return out.shape.join() === given.output.join()
    ? []
    : [`expected an output [${given.output.join(', ')}], received ${showType(out)}`];
}

/** A parameter counts as used when its gradient is not zero in some sample. */
function idleParameters(layer: AnyLayer, laws: LayerLaws): readonly string[] {
  const names = Object.keys(parameterTypes(layer));
  const used = new Set<string>(laws.idle ?? []);
  for (const [seed, given] of laws.samples.entries()) {
    const values = valuesOf(given, seed);
    const draw = uniforms(seed, 47);
    const graph = trace(typesFor(layer, values), x => {
      const out = apply(layer, laws, x, values.length, { training: true, key: (x as Record<string, Tensor>)['key']! });
      const loss = out
        .mul(
          constant(
            Float64Array.from({ length: out.size }, () => 2 * draw() - 1),
            out.shape,
          ),
        )
        .sum();
      const gradients = grad(
        loss,
        names.map(n => (x as Record<string, Tensor>)[`params.${n}`]!),
      );
      return Object.fromEntries(names.map((n, i) => [n, gradients[i]!]));
    });
    for (const [name, { data }] of Object.entries(interpret(expandOps(graph), feedsFor(layer, values, seed), 'f32'))) {
      if (data.some(v => v !== 0 && Number.isFinite(v))) used.add(name);
    }
  }
  return names.flatMap(name => (used.has(name) ? [] : [`parameter '${name}' gets no gradient`]));
}

/** Changes one place in time after another and looks whether an earlier output moves. */
function lookingAhead(layer: AnyLayer, laws: LayerLaws, given: LayerSample, seed: number): readonly string[] {
  const values = valuesOf(given, seed);
  const first = values[0]!;
  const length = first.shape[1];
  if (length === undefined) return ['expected a first input with time on axis 1'];
  const before = run(layer, laws, given, seed, { training: false }, values)['out']!;
  if (before.shape[1] !== length) return [`expected time on axis 1 of the output, received ${showType(before)}`];
  for (let time = length - 1; time >= 1; time--) {
    const step = stridesOf(first.shape)[1]!;
    const changed = first.data.map((x, cell) =>
      Math.floor(cell / step) % length === time ? (first.dtype === 'f32' ? x + 1 : (x + 1) % (given.below ?? 2)) : x,
    );
    const after = run(layer, laws, given, seed, { training: false }, [{ ...first, data: changed }, ...values.slice(1)])[
      'out'
    ]!;
    const size = stridesOf(before.shape)[1]!;
    const moved = [...before.data.keys()]
      .map(cell => ({ cell, at: Math.floor(cell / size) % length }))
      .find(({ cell, at }) => at < time && !Object.is(before.data[cell], after.data[cell]));
    if (moved) return [`changing token ${time} changed output ${moved.at}`];
  }
  return [];
}
