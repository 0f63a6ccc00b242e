/** Distances between tokens: against sums by hand, and what must not matter. */

import { bind, evaluateAll, host, initialise, iota, parameterTypes, uniforms, type HostTensor, type Tensor } from '@heddle/core'; // prettier-ignore
import { expect, it } from 'vitest';
import { relativeAttention } from './relative.js';

const [width, heads, d, reach, T] = [4, 2, 2, 2, 5];
const config = { width, heads, keyHeads: 2, bias: false, dropout: 0, role: 'encoder', block: 0, depth: 1, length: 8, reach } as const; // prettier-ignore
const part = relativeAttention(config);
const draw = uniforms(5, 1);
const random = (...shape: number[]): HostTensor => host(shape, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * draw() - 1)); // prettier-ignore
const names = Object.keys(parameterTypes(part));
const params = Object.fromEntries(names.map(name => [name, random(...initialise(part, 0)[name]!.shape)]));

function run(x: HostTensor, from = 0, own = params) {
  const { y, maps } = evaluateAll(
    (...all) => {
      const shown: Tensor[] = [];
      const bound = bind(part, Object.fromEntries(names.map((name, i) => [name, all[i]!])), { training: false });
      const y = bound(all.at(-1)!, {
        mask: iota([1, 1, T, T], 3, 'f32').mul(0),
        positions: { embedding: null, angles: null },
        at: iota([1, T], 1, 'f32').add(from),
        remember: (_, make) => make(),
        handed: new Map(),
        show: of => void shown.push(of),
      });
      return { y, maps: shown[0]! };
    },
    [...names.map(name => own[name]!), x],
  );
  return { y: Array.from(y!.data), maps: Array.from(maps!.data) };
}

const x = random(1, T, width);

it('adds to the score of a key what the query gives for its distance, cut at the reach', () => {
  const times = (weight: HostTensor): number[] => Array.from({ length: T * width }, (_, i) => {
    const [t, j] = [Math.floor(i / width), i % width];
    let sum = 0;
    for (let k = 0; k < width; k++) sum += x.data[t * width + k]! * weight.data[k * width + j]!;
    return sum;
  }); // prettier-ignore
  const [q, k] = [times(params['query.weight']!), times(params['key.weight']!)];
  const table = params['distance']!.data;
  const expected: number[] = [];
  for (let h = 0; h < heads; h++)
    for (let n = 0; n < T; n++) {
      const scores = Array.from({ length: T }, (_, s) => {
        const row = Math.max(-reach, Math.min(reach, s - n)) + reach;
        let sum = 0;
        for (let i = 0; i < d; i++)
          sum += q[n * width + h * d + i]! * (k[s * width + h * d + i]! + table[row * d + i]!);
        return Math.exp(sum / Math.sqrt(d));
      });
      const all = scores.reduce((a, b) => a + b, 0);
      expected.push(...scores.map(e => e / all));
    }
  for (const [i, p] of run(x).maps.entries()) expect(p).toBeCloseTo(expected[i]!, 5);
});

it('does not mind where a text begins, and without distances sees no order', () => {
  const { y } = run(x);
  for (const [i, value] of run(x, 100).y.entries()) expect(value).toBeCloseTo(y[i]!, 5);
  const blind = { ...params, distance: host([2 * reach + 1, d], new Float32Array((2 * reach + 1) * d)) };
  const turned = host([1, T, width], Float32Array.from({ length: T * width }, (_, i) => x.data[(T - 1 - Math.floor(i / width)) * width + (i % width)]!)); // prettier-ignore
  const [forward, backward] = [run(x, 0, blind).y, run(turned, 0, blind).y];
  for (let t = 0; t < T; t++) for (let j = 0; j < width; j++) expect(backward[(T - 1 - t) * width + j]).toBeCloseTo(forward[t * width + j]!, 5); // prettier-ignore
  expect(run(turned).y.some((value, i) => Math.abs(value - y[(T - 1 - Math.floor(i / width)) * width + (i % width)]!) > 1e-3)).toBe(true); // prettier-ignore
});

it('a reach below 1 is refused', () => {
  expect(() => relativeAttention({ ...config, reach: 0 })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  expect(relativeAttention({ ...config, role: 'cross' }).name).toBe('attention');
});
