/** What attentions look at, of every attention and every kind of model: shares, of what may be seen. */

import { bind, createHost, evaluateAll, host as tensor, initialise, parameterTypes, type AnyLayer, type HostTensor, type Tensor } from '@heddle/core'; // prettier-ignore
import emha from '@heddle/attention-emha';
import partial from '@heddle/ffn-partial';
import transformer, { createClassifier, createDecoder, createEncoderDecoder, partsOf } from '@heddle/transformer';
import { afterAll, describe, expect, it } from 'vitest';

const parts = {
  standard: { attention: 'standard' },
  grouped: { attention: 'standard', keyHeads: 1 },
  emha: { attention: 'emha' },
  partial: { attention: 'partial', ffn: 'none' },
} as const;
const shape = { width: 16, depth: 2, heads: 2, length: 6 };
const host = createHost({ plugins: [transformer, emha, partial] });
afterAll(() => host.close());

/** Maps of a model, computed. */
function look<M extends AnyLayer & { readonly maps?: unknown }>(
  model: M,
  inputs: readonly HostTensor[],
  of: (bound: never, all: readonly Tensor[]) => Readonly<Record<string, Tensor>>,
): Readonly<Record<string, HostTensor>> {
  // prettier-ignore
  const names = Object.keys(parameterTypes(model));
  const params = initialise(model, 3);
  const values = names.map(name => ({ ...params[name]!, data: Float32Array.from(params[name]!.data, x => 6 * x) }));
  return evaluateAll(
    (...all) => {
      const bound = bind(model, Object.fromEntries(names.map((name, i) => [name, all[i]!])), { training: false });
      return of(bound as never, all.slice(names.length));
    },
    [...values, ...inputs],
  ) as Readonly<Record<string, HostTensor>>;
}

/** Each row adds up to 1, and nothing of it stands where `hidden` says so. */
function expectShares(
  { shape: [B, H, T, S], data }: HostTensor,
  hidden: (b: number, t: number, s: number) => boolean,
): void {
  // prettier-ignore
  for (let b = 0; b < B!; b++)
    for (let h = 0; h < H!; h++)
      for (let t = 0; t < T!; t++) {
        let sum = 0;
        for (let s = 0; s < S!; s++) {
          const x = data[((b * H! + h) * T! + t) * S! + s]!;
          if (hidden(b, t, s)) expect(x).toBe(0);
          sum += x;
        }
        expect(sum).toBeCloseTo(1, 4);
      }
}
const later = (_: number, t: number, s: number): boolean => s > t;
const ids = (...rows: number[][]): HostTensor => tensor([rows.length, rows[0]!.length], rows.flat(), 'i32');
const mask = tensor([2, 4], [1, 1, 1, 1, 1, 1, 0, 0]);
const padded = (b: number, _: number, s: number): boolean => b === 1 && s >= 2;

describe.each(Object.entries(parts))('maps of %s attention', (name, own) => {
  it('of a decoder: earlier tokens', () => {
    const model = createDecoder({ vocabulary: 9, ...shape, ...own }, partsOf(host));
    const maps = look(model, [ids([1, 2, 3, 4], [5, 6, 7, 8])], (bound, [x]) => model.maps!(bound, x!));
    expect(Object.keys(maps)).toEqual(['decoder.0', 'decoder.1']);
    for (const of of Object.values(maps)) expectShares(of, later);
    if (name === 'standard') expect(maps['decoder.0']!.shape).toEqual([2, 2, 4, 4]);
  });

  it('of an encoder-decoder: tokens of the source, earlier ones of the text, and between them', () => {
    const model = createEncoderDecoder({ vocabulary: 9, ...shape, ...own }, partsOf(host));
    const maps = look(model, [ids([1, 2, 3, 4], [5, 6, 0, 0]), mask, ids([1, 2, 3], [4, 5, 6])], (bound, [source, sourceMask, text]) => model.maps!(bound, { source: source!, sourceMask: sourceMask!, ids: text! })); // prettier-ignore
    expect(Object.keys(maps).toSorted()).toEqual(['decoder.0', 'decoder.0.cross', 'decoder.1', 'decoder.1.cross', 'encoder.0', 'encoder.1']); // prettier-ignore
    for (const [block, of] of Object.entries(maps)) expectShares(of, /^decoder\.\d$/.test(block) ? later : padded);
    expect(maps['decoder.1.cross']!.shape.slice(2)).toEqual([3, 4]);
  });

  it('of a classifier: tokens that are there', () => {
    const model = createClassifier({ vocabulary: 9, classes: 2, ...shape, ...own }, partsOf(host));
    const maps = look(model, [ids([1, 2, 3, 4], [5, 6, 0, 0]), mask], (bound, [x, m]) => model.maps!(bound, x!, m!));
    expect(Object.keys(maps)).toEqual(['encoder.0', 'encoder.1']);
    for (const of of Object.values(maps)) expectShares(of, padded);
  });
});

it('without queries, every token looks at all alike', () => {
  const model = createDecoder({ vocabulary: 9, ...shape }, partsOf(host));
  const names = Object.keys(parameterTypes(model));
  const params = initialise(model, 3);
  const values = names.map(name => (name.endsWith('query.weight') ? { ...params[name]!, data: new Float32Array(params[name]!.data.length) } : params[name]!)); // prettier-ignore
  const maps = evaluateAll((...all) => model.maps!(bind(model, Object.fromEntries(names.map((name, i) => [name, all[i]!])), { training: false }) as never, all.at(-1)!), [...values, ids([1, 2, 3])]); // prettier-ignore
  const near = [1, 0, 0, 1 / 2, 1 / 2, 0, 1 / 3, 1 / 3, 1 / 3];
  for (const [i, x] of Array.from(maps['decoder.0']!.data.slice(0, 9)).entries()) expect(x).toBeCloseTo(near[i]!, 5);
});
