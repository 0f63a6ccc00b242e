/** What texts are read as, by their values. */

import { describe, expect, it } from 'vitest';
import { readMath, valueAt } from '../read-math.js';

const value = (text: string, at: Record<string, number> = {}): number => {
  const read = readMath(text);
  return read.ok ? (valueAt(read.node, at)?.re ?? NaN) : NaN;
};

describe('values', () => {
  it.each<[string, number, Record<string, number>?]>([
    ['-2^2', -4],
    ['2^{-1}', 0.5],
    ['2^10', 1024],
    ['2^3^2', 512],
    ['1/2x', 0.25, { x: 2 }],
    ['1/2 x', 1, { x: 2 }],
    ['2x/4', 1, { x: 2 }],
    ['6/2*3', 9],
    ['\\frac12', 0.5],
    ['\\frac1{72}', 1 / 72],
    ['\\sqrt4', 2],
    ['\\sqrt[3]{27}', 3],
    ['3!', 6],
    ['5!!', 15],
    ['|{-2}|', 2],
    ['||x||', 3, { x: -3 }],
    ['|x||y|', 6, { x: -2, y: 3 }],
    ['\\sin 2x', Math.sin(2), { x: 1 }],
    ['\\sin x \\cos x', Math.sin(1) * Math.cos(1), { x: 1 }],
    ['\\sin^{-1} 1', Math.PI / 2],
    ['\\sin^2 x', Math.sin(2) ** 2, { x: 2 }],
    ['\\log_2 8', 3],
    ['\\log 100', 2],
    ['\\ln e^2', 2],
    ['{1+2}{3-4}', -3],
    ['1{,}234.5', 1234.5],
    ['1 234 567', 1_234_567],
    ['2½', 2.5],
    ['x²', 9, { x: 3 }],
    ['√16', 4],
    ['7 \\mod 3', 1],
    ['-1 \\mod 2', 1],
    ['\\gcd(12, 18)', 6],
    ['\\max(1, 2, 3)', 3],
    ['\\sum_{i=1}^{4} i^2', 30],
    ['\\prod_{k=1}^{4} k', 24],
    ['\\int_0^1 x^2 dx', 1 / 3],
    ['\\lim_{x \\to 0} \\frac{\\sin x}{x}', 1],
    ['\\frac{d}{dx} x^2', 6, { x: 3 }],
    ['10\\%', 0.1],
    ['180^\\circ', Math.PI],
    ['FF_{16}', 255],
    ['\\binom52', 10],
    ['{5 \\choose 2}', 10],
    ['a_{12} + 1', 3, { 'a_{12}': 2 }],
    ['3 1\\frac{1}{2}', 4.5],
    ['1.5e-3', 0.0015],
    ['2\\cdot10^{3}', 2000],
    ['(1+2)(3)', 9],
    ['\\left\\lceil 1.2 \\right\\rceil', 2],
  ])('%s', (text, expected, at = {}) => expect(value(text, at)).toBeCloseTo(expected, 8));
});

describe('kinds', () => {
  it.each([
    ['(1, 2)', 'tuple'],
    ['\\{1, 2\\}', 'set'],
    ['1, 2', 'list'],
    ['x = 1', 'relation'],
    ['1 < x \\le 2', 'relation'],
    ['(0,1) \\cup (2,3)', 'setOperation'],
    ['\\{x \\mid x > 0\\}', 'builder'],
    ['1 \\pm 2', 'plusMinus'],
    ['\\begin{bmatrix} 1 & 2 \\\\ 3 & 4 \\end{bmatrix}', 'matrix'],
    ['3:4', 'ratio'],
    ['5 \\text{ cm}', 'quantity'],
    ['\\text{east}', 'text'],
    ['12_5', 'based'],
    ['\\emptyset', 'namedSet'],
    ['f(x)', 'apply'],
    ['\\begin{cases} 1 & x > 0 \\\\ 2 & \\text{otherwise} \\end{cases}', 'piecewise'],
    ['\\begin{cases} x + y = 1 \\\\ x - y = 2 \\end{cases}', 'list'],
  ])('%s is a %s', (text, kind) => expect(readMath(text)).toMatchObject({ ok: true, node: { kind } }));
});

describe('what cannot be read', () => {
  it.each([
    ['\\frac{1}{', "'}'"],
    ['1 + ', 'value'],
    ['(1, 2', "')'"],
    ['\\foo', 'command'],
    ['x^', 'value'],
    ['\\begin{pmatrix} 1 & 2 \\\\ 3 \\end{pmatrix}', 'equal length'],
  ])('%s says where and what', (text, expected) => {
    const read = readMath(text);
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.expected).toContain(expected);
  });
});
