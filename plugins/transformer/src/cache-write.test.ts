import { constant, evaluate, host, uniforms } from '@heddle/core';
import { checkGradient } from '@heddle/core/testing';
import { describe, expect, it } from 'vitest';
import { cacheWrite } from './cache-write.js';

const [B, G, C, d] = [2, 3, 5, 2] as const;
const draw = uniforms(7, 1);
const cells = (n: number): Float32Array => Float32Array.from({ length: n }, () => draw() - 0.5);

describe.each([1, 3])('cacheWrite of %i rows', N => {
  const cache = cells(B * G * C * d);
  const rows = cells(B * G * N * d);
  const places = N === 1 ? [4, 0] : [4, 0, 2, 1, 2, 3];

  it('puts each row at its place, bit for bit, and leaves the rest', () => {
    const expected = cache.slice();
    for (let b = 0; b < B; b++)
      for (let g = 0; g < G; g++)
        for (let n = 0; n < N; n++)
          for (let i = 0; i < d; i++)
            expected[((b * G + g) * C + places[b * N + n]!) * d + i] = rows[((b * G + g) * N + n) * d + i]!;
    const out = evaluate(cacheWrite, host([B, G, C, d], cache), host([B, G, N, d], rows), host([B, N], places, 'i32'));
    expect(out.data).toEqual(expected);
  });

  it('has the gradient that finite differences give', async () => {
    const at = constant(places, [B, N], 'i32');
    const gap = await checkGradient(
      (x, y) => cacheWrite(x, y, at).tanh(),
      [
        [B, G, C, d],
        [B, G, N, d],
      ],
    );
    expect(gap.worst).toBeLessThan(1e-6);
  });
});

it('refuses shapes that do not fit, naming them', () => {
  const attempt = () =>
    evaluate(cacheWrite, host([1, 1, 2, 1], [0, 0]), host([1, 2, 1, 1], [1, 1]), host([1, 1], [0], 'i32'));
  expect(attempt).toThrow(
    expect.objectContaining({ code: 'E_SHAPE', message: expect.stringContaining('[1, 2, 1, 1]') as string }),
  );
});
