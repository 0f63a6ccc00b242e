/** The laws of merge methods. */

import type { HostTensor } from '../ir/types.js';
import type { MergeArray, MergeMethod, MergePiece, MergeTask } from '../plugin/contributions.js';
import { evaluate, host } from '../tensor/evaluate.js';
import type { Tensor } from '../tensor/tensor.js';
import { conform, wordsOf, type Check } from './checks.js';

/** Values for the parameters of a method, beside its defaults. */
export interface MergeValues {
  readonly options?: Readonly<Record<string, number>>;
  /** For each model; the last one serves the models that follow. */
  readonly each?: readonly Readonly<Record<string, number>>[];
}

export interface MergeOptions extends MergeValues {
  /** Values under which one model alone comes back, where the usual ones scale or trim. */
  readonly alone?: MergeValues;
  /** Largest difference allowed, relative to the largest element. */
  readonly tolerance?: number;
}

export const conformMerge = (method: MergeMethod, options: MergeOptions = {}): void =>
  conform(`merge method ${method.name}`, mergeChecks(method, options));

/** Models of one tensor [4, 3], all different, with zeros, ties and both signs. */
const models: readonly HostTensor[] = [
  host([4, 3], [0.5, -1.25, 0, 2, 0.75, -0.5, 1, 1, -3, 0.125, 0, 0.25]),
  host([4, 3], [-0.5, -0.25, 1, 2, 0.5, 0.5, 1, -1, -2, 0.5, 0, 0.75]),
  host([4, 3], [1.5, 0.25, -1, 2, -0.75, 1.5, 1, 0.5, 3, -0.125, 0, 1.25]),
];
const base = host([4, 3], [0.25, -0.5, 0.5, 1, 0.5, 0.25, 1, 0.25, -1, 0.25, 0, 0.5]);
const zeros = host(
  [4, 3],
  Array.from({ length: 12 }, () => 0),
);
/** Numbers in [0, 1) for any model: what matters is that both ways to compute get the same. */
const uniformsOf = (tensor: HostTensor, model: number): HostTensor =>
  host(
    tensor.shape,
    Array.from(tensor.data, (_, at) => ((at * 7 + model * 5 + 3) % 13) / 13),
  );

interface Case {
  readonly tensors: readonly HostTensor[];
  readonly base: HostTensor | null;
  readonly options: Readonly<Record<string, number>>;
  readonly each: readonly Readonly<Record<string, number>>[];
}

export function mergeChecks(method: MergeMethod, options: MergeOptions = {}): readonly Check[] {
  const { alone = options, tolerance = 1e-5 } = options;
  const { orderIndependent, needsBase, selective = false, skipsZeroWeight = false } = method.laws;
  const { least = 1, most = models.length } = method.laws.models ?? {};
  const from = needsBase ? base : null;
  const several = models.slice(0, Math.min(models.length, most));
  const random = method.random === true;

  const caseOf = (
    tensors: readonly HostTensor[],
    values: MergeValues,
    start: HostTensor | null = from,
    order: readonly number[] = tensors.map((_, at) => at),
  ): Case => ({
    tensors,
    base: start,
    options: { ...defaultsOf(method, 'merge'), ...values.options },
    each: order.map(at => ({ ...defaultsOf(method, 'model'), ...values.each?.[Math.min(at, values.each.length - 1)] })),
  });
  const merged = (tensors: readonly HostTensor[], values: MergeValues, start: HostTensor | null = from): HostTensor =>
    throughGraph(method, caseOf(tensors, values, start));

  const law = (name: string, find: () => readonly string[]): Check => ({
    law: name,
    find: async () => {
      try {
        return find();
      } catch (error) {
        return [`throws: ${wordsOf(error)}`];
      }
    },
  });

  const opposite = host(
    [4, 3],
    Array.from(models[0]!.data, x => -x),
  );
  const awkward: readonly (readonly [string, readonly HostTensor[]])[] =
    most === 1
      ? [
          ['zeros', [zeros]],
          ['a model equal to the base', [base]],
          [
            'the opposite of the base',
            [
              host(
                [4, 3],
                Array.from(base.data, x => -x),
              ),
            ],
          ],
        ]
      : [
          ['zeros', [zeros, zeros]],
          ['equal models', [models[0]!, models[0]!]],
          ['opposite models', [models[0]!, opposite]],
        ];

  return [
    selective
      ? law('one model in gives it or the base, element by element', () =>
          models.flatMap((model, index) =>
            merged([model], alone).data.every((x, at) => x === model.data[at] || x === base.data[at])
              ? []
              : [`model ${index}: a number that neither has`],
          ),
        )
      : law('one model in gives it back', () =>
          models.flatMap((model, index) => apart(`model ${index}`, model, merged([model], alone), tolerance)),
        ),
    law('keeps shape and dtype', () => {
      const out = merged(several, options);
      const right = out.dtype === 'f32' && out.shape.join() === '4,3';
      return right ? [] : [`expected f32 [4, 3], received ${out.dtype} [${out.shape.join(', ')}]`];
    }),
    law('gives the same answer for the same input', () =>
      apart('the second answer', merged(several, options), merged(several, options), 0),
    ),
    law('stays finite on zeros, equal and opposite models', () =>
      awkward.flatMap(([what, tensors]) =>
        merged(tensors, options).data.every(Number.isFinite)
          ? []
          : [`${what}: expected finite numbers, received NaN or infinity`],
      ),
    ),
    // Random numbers belong to the place of a model, so another order draws others.
    ...(orderIndependent && !random && several.length > 1
      ? [
          law('does not mind the order of models, as declared', () => {
            const first = merged(several, options);
            const orders = several.length === 2 ? [[1, 0]] : [[1, 2, 0], [2, 1, 0], [1, 0, 2]]; // prettier-ignore
            return orders.flatMap((order, index) => {
              const moved = caseOf(order.map(at => several[at]!), options, from, order); // prettier-ignore
              return apart(`order ${index + 1}`, first, throughGraph(method, moved), tolerance);
            });
          }),
        ]
      : []),
    ...(skipsZeroWeight
      ? [
          law('a model of weight 0 changes nothing, as declared', () => {
            const rest = options.each ?? [];
            const weighted = [...several.keys()].map(at => ({ ...rest[Math.min(at, rest.length - 1)], weight: 1 }));
            const without = merged(several.slice(0, -1), { ...options, each: weighted });
            const each = weighted.map((values, at) => (at === several.length - 1 ? { ...values, weight: 0 } : values));
            return apart('with it', without, merged(several, { ...options, each }), tolerance);
          }),
        ]
      : []),
    law(needsBase ? 'refuses to work without a base, as declared' : 'works without a base, as declared', () => {
      try {
        merged(several, options, null);
        return needsBase ? ['declares needsBase, but takes null for a base'] : [];
      } catch (error) {
        return needsBase ? [] : [`throws without a base: ${wordsOf(error)}`];
      }
    }),
    law('declares parameters whose defaults are within their bounds', () =>
      Object.entries(method.parameters ?? {}).flatMap(([name, { default: value, least: low, most: high }]) =>
        value === undefined || (value >= (low ?? -Infinity) && value <= (high ?? Infinity))
          ? []
          : [`${name}: its default ${value} is none of its own values`],
      ),
    ),
    ...(method.stream === undefined
      ? []
      : [
          law('gives in pieces what its graph gives', () => {
            const cases: readonly (readonly [string, Case])[] = [
              ['several models', caseOf(several, options)],
              ...(least <= 1 ? [['one model', caseOf([models[1]!], alone)] as const] : []),
              ...awkward.map(([what, tensors]) => [what, caseOf(tensors, options)] as const),
              ...(method.laws.takesBase === 'base' ? [['a base', caseOf(several, options, base)] as const] : []),
            ];
            return cases.flatMap(([what, one]) => {
              const expected = throughGraph(method, one);
              return [1, 2, 4].flatMap(rows =>
                [Float32Array, Float64Array].flatMap(kind =>
                  apart(
                    `${what}, ${rows} rows at a time, ${kind.name}`,
                    expected,
                    throughPieces(method, one, rows, kind),
                    tolerance,
                  ),
                ),
              );
            });
          }),
        ]),
  ];
}

const defaultsOf = (method: MergeMethod, per: 'model' | 'merge'): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(method.parameters ?? {}).flatMap(([name, parameter]) =>
      parameter.per === per ? [[name, parameter.default ?? 1]] : [],
    ),
  );

function throughGraph(method: MergeMethod, { tensors, base: start, options, each }: Case): HostTensor {
  const drawn = method.random === true ? tensors.map(uniformsOf) : [];
  return evaluate(
    (...inputs: Tensor[]) => {
      const rest = start === null ? inputs : inputs.slice(1);
      return method.merge({
        models: rest.slice(0, tensors.length),
        base: start === null ? null : inputs[0]!,
        options,
        each,
        uniforms: rest.slice(tensors.length),
      });
    },
    ...(start === null ? [] : [start]),
    ...tensors,
    ...drawn,
  );
}

/** Some rows at a time, each piece in arrays of its own, which are spoilt beyond their length. */
function throughPieces(
  method: MergeMethod,
  { tensors, base: start, options, each }: Case,
  rows: number,
  kind: typeof Float32Array | typeof Float64Array,
): HostTensor {
  const { shape, data } = tensors[0]!;
  const columns = shape.at(-1)!;
  const size = rows * columns + 1;
  const scratches = new Map<string, MergeArray>();
  const task: MergeTask = {
    shape,
    elements: data.length,
    columns,
    models: tensors.length,
    hasBase: start !== null,
    options,
    each,
    scratch(name) {
      const known = scratches.get(name) ?? new kind(size).fill(NaN);
      scratches.set(name, known);
      return known;
    },
  };
  const cut = (tensor: HostTensor, at: number, length: number): MergeArray => {
    const piece = new kind(size).fill(NaN);
    piece.set(tensor.data.subarray(at, at + length));
    return piece;
  };
  const pieces: MergePiece[] = [];
  for (let at = 0; at < data.length; at += rows * columns) {
    const length = Math.min(rows * columns, data.length - at);
    pieces.push({
      start: at,
      length,
      models: tensors.map(tensor => cut(tensor, at, length)),
      base: start === null ? null : cut(start, at, length),
      uniforms: model => cut(uniformsOf(tensors[model]!, model), at, length),
    });
  }
  const passes = method.stream!(task);
  for (const look of passes.looks) for (const piece of pieces) look(piece);
  const out = new Float32Array(data.length);
  for (const piece of pieces) {
    const part = new kind(size);
    passes.write(piece, part);
    out.set(part.subarray(0, piece.length), piece.start);
  }
  return { dtype: 'f32', shape, data: out };
}

function apart(what: string, expected: HostTensor, found: HostTensor, tolerance: number): readonly string[] {
  if (expected.data.length !== found.data.length)
    return [`${what}: expected ${expected.data.length} numbers, received ${found.data.length}`];
  const scale = Math.max(1e-30, ...Array.from(expected.data, Math.abs));
  const gaps = Array.from(expected.data, (x, index) => Math.abs(x - found.data[index]!));
  const worst = gaps.some(Number.isNaN) ? Infinity : Math.max(...gaps);
  return worst <= tolerance * scale ? [] : [`${what}: differs by ${worst}, allowed ${tolerance * scale}`];
}
