/** A product as a kernel: one thread adds up one cell. For modes without a tuned product. */

import type { Place, Product, ProductOperand } from './lower.js';

export function productText({ batch, m, n, k, left, right }: Product): string {
  const at = ({ offset, row, column, batch: digits }: ProductOperand, i: string, j: string): string =>
    [
      ...digits.map(({ factor, divisor, modulus }) => {
        const whole = divisor === 1 ? 'b' : `Math.floor((b + 0.5) * ${1 / divisor})`;
        return `${factor} * ${modulus === null ? whole : `(${whole} - ${modulus} * Math.floor((${whole} + 0.5) * ${1 / modulus}))`}`;
      }),
      `${row} * ${i}`,
      `${column} * ${j}`,
      String(offset),
    ].join(' + ');
  return `function (a, c) {
  const x = this.thread.x;
  const rows = ${wholePart('x', n, batch * m * n)};
  const j = x - rows * ${n};
  const b = ${wholePart('rows', m, batch * m)};
  const i = rows - b * ${m};
  const from = ${at(left, 'i', '0')};
  const to = ${at(right, '0', 'j')};
  let total = 0;
  for (let q = 0; q < ${k}; q++) {
    total += a[from + q * ${left.column}] * c[to + q * ${right.row}];
  }
  return total;
}`;
}

/** Exact in floats below 2^21, see print.ts; beyond it the division of the mode must be exact, as it is on CPUs. */
const wholePart = (whole: string, d: number, below: number): string =>
  below <= 2 ** 21 ? `Math.floor((${whole} + 0.5) * ${1 / d})` : `Math.floor(${whole} / ${d})`;

/** Both operands in one array are one argument too many for gpu.js on WebGL; it reads the same texture twice. */
export const productReads = ({ left, right }: Product): readonly Place[] => [left.from, right.from];
