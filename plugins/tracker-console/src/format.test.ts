import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { count, duration, figure, oneLine, percent } from './format.js';

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [950, '950'],
    [999.4, '999'],
    [999.6, '1.0k'],
    [1234, '1.2k'],
    [18_345, '18.3k'],
    [99_960, '100k'],
    [124_000_000, '124M'],
    [999_960, '1.0M'],
    [1.5e9, '1.5G'],
    [2e13, '20000G'],
    [-1500, '-1.5k'],
    [Number.NaN, '-'],
    [Infinity, '-'],
  ])('count %d is %s', (value, text) => expect(count(value)).toBe(text));

  it.each([
    [0, '0.0s'],
    [0.44, '0.4s'],
    [9.96, '10s'],
    [12.4, '12s'],
    [59.6, '1m 00s'],
    [63, '1m 03s'],
    [3599.6, '1h 00m'],
    [7500, '2h 05m'],
    [273_600, '3d 04h'],
    [-1, '-'],
    [Number.NaN, '-'],
    [Infinity, '-'],
  ])('duration %d is %s', (value, text) => expect(duration(value)).toBe(text));

  it.each([
    [10.8312, '10.83'],
    [2.13411, '2.134'],
    [0, '0.000'],
    [0.0123, '0.0123'],
    [0.000012, '1.2e-5'],
    [123.456, '123.5'],
    [4567.8, '4568'],
    [2e7, '2.0e7'],
    [Number.NaN, 'NaN'],
    [-2.5, '-2.500'],
  ])('figure %d is %s', (value, text) => expect(figure(value)).toBe(text));

  it('percent is 100 only at the end', () => {
    expect([percent(0, 10), percent(999, 1000), percent(10, 10), percent(11, 10), percent(1, 0)]).toEqual([
      '0%',
      '99%',
      '100%',
      '100%',
      '-',
    ]);
  });

  it('stay short', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e11, noNaN: true }), value => {
        expect(count(value).length).toBeLessThanOrEqual(5);
        expect(figure(value).length).toBeLessThanOrEqual(6);
      }),
    );
  });
});

it('text from elsewhere cannot move the cursor', () => {
  expect(oneLine('\u001b[2Jred \u001b[31mtext\u001b[0m\r\nnext\u0007')).toBe('red text next');
});
