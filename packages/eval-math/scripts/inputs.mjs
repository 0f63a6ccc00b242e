/** Inputs that nobody wrote: random bytes, LaTeX out of a grammar, real answers with damage. Deterministic by their seed. */

/** Mulberry32: small, fast, good enough to make inputs. */
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pick = (draw, list) => list[Math.floor(draw() * list.length)];

const atoms = [
  '0',
  '1',
  '2',
  '7',
  '10',
  '3.14',
  '.5',
  '1,000',
  '0.\\overline{3}',
  '99999999999999999999',
  '1e9',
  'x',
  'y',
  'n',
  'a_1',
  '\\pi',
  'e',
  'i',
  '\\theta',
  '\\infty',
  '\\text{cm}',
  '50\\%',
  '30^\\circ',
  '12:30',
  '2516_8',
  '\\emptyset',
  '\\mathbb{R}',
  'AB',
  '\\ldots',
  '\\$5',
];
const wraps = [
  (a, b) => `\\frac{${a}}{${b}}`,
  (a, b) => `${a}+${b}`,
  (a, b) => `${a}-${b}`,
  (a, b) => `${a}\\cdot ${b}`,
  (a, b) => `${a}/${b}`,
  (a, b) => `(${a})^{${b}}`,
  (a, b) => `${a}^${b}`,
  a => `\\sqrt{${a}}`,
  (a, b) => `\\sqrt[${a}]{${b}}`,
  a => `\\left(${a}\\right)`,
  a => `|${a}|`,
  a => `-${a}`,
  a => `${a}!`,
  a => `\\sin ${a}`,
  a => `\\log_2(${a})`,
  (a, b) => `\\binom{${a}}{${b}}`,
  (a, b) => `(${a}, ${b}]`,
  (a, b) => `\\{${a}, ${b}\\}`,
  (a, b) => `${a} \\cup ${b}`,
  (a, b) => `${a} = ${b}`,
  (a, b) => `${a} \\le ${b}`,
  (a, b) => `${a} \\pm ${b}`,
  (a, b) => `\\begin{pmatrix} ${a} \\\\ ${b} \\end{pmatrix}`,
  (a, b) => `\\sum_{k=1}^{${a}} ${b}`,
  (a, b) => `\\int_0^{${a}} ${b} dx`,
  a => `\\boxed{${a}}`,
  (a, b) => `\\boxed{${a}} and \\boxed{${b}}`,
  a => `$${a}$`,
  (a, b) => `${a}, ${b}`,
  (a, b) => `${a} \\text{ or } ${b}`,
  (a, b) => `${a} \\mod ${b}`,
  a => `\\lfloor ${a} \\rfloor`,
  (a, b) => `\\lim_{x \\to ${a}} ${b}`,
  (a, b) => `${a}:${b}`,
  (a, b) => `\\gcd(${a}, ${b})`,
  a => `\\frac{d}{dx} ${a}`,
  (a, b) => `\\{x \\mid ${a} < x < ${b}\\}`,
  (a, b) => `\\begin{cases} ${a} & x > 0 \\\\ ${b} & \\text{otherwise} \\end{cases}`,
  (a, b) => `${a} ${b}`,
  (a, b) => `10**(${a}**(${b}))`,
];
const bits = [
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  '\\',
  '$',
  '^',
  '_',
  '|',
  ',',
  '.',
  '!',
  '&',
  '\\\\',
  '\\frac',
  '\\left',
  '\\right',
  '\\boxed{',
  '\\begin{array}',
  '\\end{',
  ' ',
  '\n',
  '%',
  "'",
  '"',
  '=',
  '<',
  '∈',
  '½',
  '²',
  '\u0000',
  '\ud83d',
  'and',
  'dx',
  'Final Answer: ',
];

function grammar(draw, depth) {
  if (depth <= 0 || draw() < 0.15) return pick(draw, atoms);
  return pick(draw, wraps)(grammar(draw, depth - 1), grammar(draw, depth - 1));
}

function damaged(draw, text) {
  let result = text;
  for (let n = 1 + Math.floor(draw() * 4); n > 0; n--) {
    const at = Math.floor(draw() * (result.length + 1));
    const kind = draw();
    if (kind < 0.35) result = result.slice(0, at) + pick(draw, bits) + result.slice(at);
    else if (kind < 0.65) result = result.slice(0, at) + result.slice(at + 1 + Math.floor(draw() * 3));
    else if (kind < 0.8) result = result.slice(at) + result.slice(0, at);
    else if (kind < 0.9) result = result.slice(0, at) + result.slice(Math.max(0, at - 12), at) + result.slice(at);
    else result = result.slice(0, at) + pick(draw, atoms) + result.slice(at);
  }
  return result;
}

/** One input. `real` holds answers to damage. */
export function makeInput(draw, real) {
  const kind = draw();
  if (kind < 0.2) {
    const length = Math.floor(draw() ** 3 * 200);
    let text = '';
    for (let i = 0; i < length; i++)
      text += draw() < 0.3 ? pick(draw, bits) : String.fromCharCode(Math.floor(draw() * (draw() < 0.9 ? 128 : 65_536)));
    return text;
  }
  if (kind < 0.6) return grammar(draw, 1 + Math.floor(draw() * 5));
  if (kind < 0.998) return damaged(draw, pick(draw, real));
  // Long ones, up to 100 kB: the same piece over and over, or many pieces.
  const size = Math.floor(draw() * 100_000);
  if (draw() < 0.5) {
    const piece = draw() < 0.5 ? pick(draw, bits) : grammar(draw, 1);
    return piece.repeat(Math.ceil(size / Math.max(1, piece.length))).slice(0, size);
  }
  let text = '';
  while (text.length < size) text += `${pick(draw, bits)}${pick(draw, atoms)}`;
  return text;
}

/** Answers to damage where there is no file of real ones. */
export const someAnswers = [
  '\\frac{1}{2}',
  '3\\sqrt{13}',
  '\\left( 3, \\frac{\\pi}{2} \\right)',
  'x \\in [-2,7]',
  '\\begin{pmatrix} 0 & 3 \\\\ 0 & -1 \\end{pmatrix}',
  '2516_8',
  '11,\\! 111,\\! 100',
  '(-\\infty, 2) \\cup (3, \\infty)',
  'p - q',
  '\\text{Evelyn}',
  '6r^2-4r-24',
  '90^\\circ',
  '\\frac{3 \\pm \\sqrt{5}}{2}',
  'y = 2x + 3',
  '5.4 \\text{ cm}',
  '1,-2',
  '\\$32,\\!348',
  '10\\%',
  'The answer is $\\boxed{42}$.',
  'f(x) = x^2 + 1',
  '\\{1\\pm\\sqrt{5},-2\\}',
  '-\\frac{\\sin 2x}{4} + C',
  '2^{2010}',
  'A:B = 3:4',
  '\\binom{10}{3}',
  'e^{i\\pi/3}',
];
