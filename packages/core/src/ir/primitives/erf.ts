/**
 * The error function to double precision: its Maclaurin series near 0, the continued fraction of
 * erfc beyond (Abramowitz and Stegun, 7.1.6 and 7.1.14).
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (a > 6) return Math.sign(x);
  const value = a < 2.5 ? series(a) : 1 - (Math.exp(-a * a) / Math.sqrt(Math.PI)) * fraction(a);
  return x < 0 ? -value : value;
}

function series(a: number): number {
  let term = a;
  let sum = a;
  for (let n = 1; Math.abs(term) > 1e-17 * sum && n < 200; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
}

function fraction(a: number): number {
  let tail = 0;
  for (let n = 60; n > 0; n--) tail = n / 2 / (a + tail);
  return 1 / (a + tail);
}
