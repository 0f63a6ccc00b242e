/** Complex numbers of two doubles, and the functions of the grader on them, on their principal branches. */

export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const complex = (re: number, im = 0): Complex => ({ re, im });
export const nothing: Complex = { re: NaN, im: NaN };
export const isNothing = (z: Complex): boolean => Number.isNaN(z.re) || Number.isNaN(z.im);
export const isFinite = (z: Complex): boolean => Number.isFinite(z.re) && Number.isFinite(z.im);

export const add = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im });
export const subtract = (a: Complex, b: Complex): Complex => ({ re: a.re - b.re, im: a.im - b.im });
export const negate = (a: Complex): Complex => ({ re: 0 - a.re, im: 0 - a.im });
export const multiply = (a: Complex, b: Complex): Complex =>
  a.im === 0 && b.im === 0
    ? { re: a.re * b.re, im: 0 }
    : { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
export const size = (a: Complex): number => (a.im === 0 ? Math.abs(a.re) : Math.hypot(a.re, a.im));

export function divide(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return b.re === 0 ? nothing : { re: a.re / b.re, im: 0 };
  const scale = b.re * b.re + b.im * b.im;
  return scale === 0 ? nothing : { re: (a.re * b.re + a.im * b.im) / scale, im: (a.im * b.re - a.re * b.im) / scale };
}

const exp = (z: Complex): Complex =>
  z.im === 0 ? complex(Math.exp(z.re)) : complex(Math.exp(z.re) * Math.cos(z.im), Math.exp(z.re) * Math.sin(z.im));
export const ln = (z: Complex): Complex =>
  z.re === 0 && z.im === 0
    ? nothing
    : z.im === 0 && z.re > 0
      ? complex(Math.log(z.re))
      : complex(Math.log(size(z)), Math.atan2(z.im, z.re));

export function sqrt(z: Complex): Complex {
  if (z.im === 0) return z.re >= 0 ? complex(Math.sqrt(z.re)) : complex(0, Math.sqrt(-z.re));
  const r = size(z);
  const re = Math.sqrt((r + z.re) / 2);
  return complex(re, Math.sign(z.im || 1) * Math.sqrt(Math.max(0, (r - z.re) / 2)));
}

export function power(base: Complex, exponent: Complex): Complex {
  if (exponent.im === 0) {
    if (base.im === 0 && (base.re >= 0 || Number.isInteger(exponent.re))) {
      if (base.re === 0 && exponent.re <= 0) return exponent.re === 0 ? complex(1) : nothing;
      return complex(base.re ** exponent.re);
    }
    if (Number.isInteger(exponent.re) && Math.abs(exponent.re) <= 64) {
      let result = complex(1);
      for (let i = 0; i < Math.abs(exponent.re); i++) result = multiply(result, base);
      return exponent.re < 0 ? divide(complex(1), result) : result;
    }
  }
  if (base.re === 0 && base.im === 0) return exponent.re > 0 ? complex(0) : nothing;
  return exp(multiply(exponent, ln(base)));
}

/** The real root where there is one: an odd root of a negative number is negative. */
export function root(z: Complex, degree: number): Complex {
  if (z.im === 0 && z.re < 0 && Number.isInteger(degree) && degree % 2 !== 0)
    return complex(-((-z.re) ** (1 / degree)));
  if (degree === 2) return sqrt(z);
  return power(z, complex(1 / degree));
}

const i: Complex = { re: 0, im: 1 };
const half = complex(0.5);
const one = complex(1);

export const sin = (z: Complex): Complex =>
  z.im === 0 ? complex(Math.sin(z.re)) : complex(Math.sin(z.re) * Math.cosh(z.im), Math.cos(z.re) * Math.sinh(z.im));
export const cos = (z: Complex): Complex =>
  z.im === 0 ? complex(Math.cos(z.re)) : complex(Math.cos(z.re) * Math.cosh(z.im), -Math.sin(z.re) * Math.sinh(z.im));
export const tan = (z: Complex): Complex => (z.im === 0 ? complex(Math.tan(z.re)) : divide(sin(z), cos(z)));
export const sinh = (z: Complex): Complex =>
  z.im === 0 ? complex(Math.sinh(z.re)) : multiply(half, subtract(exp(z), exp(negate(z))));
export const cosh = (z: Complex): Complex =>
  z.im === 0 ? complex(Math.cosh(z.re)) : multiply(half, add(exp(z), exp(negate(z))));
export const tanh = (z: Complex): Complex => (z.im === 0 ? complex(Math.tanh(z.re)) : divide(sinh(z), cosh(z)));

export function arcsin(z: Complex): Complex {
  if (z.im === 0 && Math.abs(z.re) <= 1) return complex(Math.asin(z.re));
  if (z.im === 0) {
    // SymPy and mpmath take the lower side of the cut on the right, the upper on the left.
    const a = Math.acosh(Math.abs(z.re));
    return z.re > 0 ? complex(Math.PI / 2, -a) : complex(-Math.PI / 2, a);
  }
  return multiply(negate(i), ln(add(multiply(i, z), sqrt(subtract(one, multiply(z, z))))));
}
export const arccos = (z: Complex): Complex =>
  z.im === 0 && Math.abs(z.re) <= 1 ? complex(Math.acos(z.re)) : subtract(complex(Math.PI / 2), arcsin(z));
export const arctan = (z: Complex): Complex =>
  z.im === 0
    ? complex(Math.atan(z.re))
    : multiply(multiply(half, i), subtract(ln(subtract(one, multiply(i, z))), ln(add(one, multiply(i, z)))));
export const arcsinh = (z: Complex): Complex =>
  z.im === 0 ? complex(Math.asinh(z.re)) : ln(add(z, sqrt(add(multiply(z, z), one))));
export const arccosh = (z: Complex): Complex =>
  z.im === 0 && z.re >= 1 ? complex(Math.acosh(z.re)) : ln(add(z, multiply(sqrt(add(z, one)), sqrt(subtract(z, one)))));
export function arctanh(z: Complex): Complex {
  if (z.im === 0 && Math.abs(z.re) < 1) return complex(Math.atanh(z.re));
  if (z.im === 0 && Math.abs(z.re) > 1)
    return complex(0.5 * Math.log(Math.abs((1 + z.re) / (1 - z.re))), (z.re > 0 ? -1 : 1) * (Math.PI / 2));
  return multiply(half, subtract(ln(add(one, z)), ln(subtract(one, z))));
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Lanczos, g = 7, n = 9: about 15 digits. */
export function gamma(z: Complex): Complex {
  if (z.im === 0 && z.re <= 0 && Number.isInteger(z.re)) return nothing;
  if (z.im === 0 && Number.isInteger(z.re) && z.re <= 171) {
    let product = 1;
    for (let k = 2; k < z.re; k++) product *= k;
    return complex(product);
  }
  if (z.re < 0.5)
    return divide(complex(Math.PI), multiply(sin(multiply(complex(Math.PI), z)), gamma(subtract(one, z))));
  const x = subtract(z, one);
  let sum = complex(lanczos[0]!);
  for (let k = 1; k < lanczos.length; k++) sum = add(sum, divide(complex(lanczos[k]!), add(x, complex(k))));
  const t = add(x, complex(7.5));
  return multiply(multiply(complex(Math.sqrt(2 * Math.PI)), power(t, add(x, half))), multiply(exp(negate(t)), sum));
}
