/** The laws of merge methods. */

import type { HostTensor } from '../ir/types.js';
import type { MergeMethod } from '../plugin/contributions.js';
import { evaluate, host } from '../tensor/evaluate.js';
import { conform, wordsOf, type Check } from './checks.js';

export interface MergeOptions {
  /** Options for all laws. */
  readonly options?: Readonly<Record<string, number>>;
  /** Options under which one model alone comes back, where the usual ones scale or trim. */
  readonly alone?: Readonly<Record<string, number>>;
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

export function mergeChecks(
  method: MergeMethod,
  { options = {}, alone = options, tolerance = 1e-5 }: MergeOptions = {},
): readonly Check[] {
  const { orderIndependent, needsBase } = method.laws;
  const from = needsBase ? base : null;

  const merged = (
    tensors: readonly HostTensor[],
    using: Readonly<Record<string, number>>,
    start: HostTensor | null,
  ): HostTensor =>
    start === null
      ? evaluate((...inputs) => method.merge(inputs, using, null), ...tensors)
      : evaluate((first, ...inputs) => method.merge(inputs, using, first!), start, ...tensors);

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

  return [
    law('one model in gives it back', () =>
      models.flatMap((model, index) => apart(`model ${index}`, model, merged([model], alone, from), tolerance)),
    ),
    law('keeps shape and dtype', () => {
      const out = merged(models, options, from);
      const right = out.dtype === 'f32' && out.shape.join() === '4,3';
      return right ? [] : [`expected f32 [4, 3], received ${out.dtype} [${out.shape.join(', ')}]`];
    }),
    law('gives the same answer for the same input', () =>
      apart('the second answer', merged(models, options, from), merged(models, options, from), 0),
    ),
    law('stays finite on zeros, equal and opposite models', () => {
      const opposite = host(
        [4, 3],
        Array.from(models[0]!.data, x => -x),
      );
      const cases: readonly (readonly [string, readonly HostTensor[]])[] = [
        ['zeros', [zeros, zeros]],
        ['equal models', [models[0]!, models[0]!]],
        ['opposite models', [models[0]!, opposite]],
      ];
      return cases.flatMap(([what, tensors]) =>
        merged(tensors, options, from).data.every(Number.isFinite)
          ? []
          : [`${what}: expected finite numbers, received NaN or infinity`],
      );
    }),
    ...(orderIndependent
      ? [
          law('does not mind the order of models, as declared', () => {
            const [a, b, c] = models as readonly [HostTensor, HostTensor, HostTensor];
            const first = merged([a, b, c], options, from);
            return [
              [b, c, a],
              [c, b, a],
              [b, a, c],
            ].flatMap((order, index) => apart(`order ${index + 1}`, first, merged(order, options, from), tolerance));
          }),
        ]
      : []),
    law(needsBase ? 'refuses to work without a base, as declared' : 'works without a base, as declared', () => {
      try {
        merged(models, options, null);
        return needsBase ? ['declares needsBase, but takes null for a base'] : [];
      } catch (error) {
        return needsBase ? [] : [`throws without a base: ${wordsOf(error)}`];
      }
    }),
  ];
}

function apart(what: string, expected: HostTensor, found: HostTensor, tolerance: number): readonly string[] {
  if (expected.data.length !== found.data.length)
    return [`${what}: expected ${expected.data.length} numbers, received ${found.data.length}`];
  const scale = Math.max(1e-30, ...Array.from(expected.data, Math.abs));
  const gaps = Array.from(expected.data, (x, index) => Math.abs(x - found.data[index]!));
  const worst = gaps.some(Number.isNaN) ? Infinity : Math.max(...gaps);
  return worst <= tolerance * scale ? [] : [`${what}: differs by ${worst}, allowed ${tolerance * scale}`];
}
