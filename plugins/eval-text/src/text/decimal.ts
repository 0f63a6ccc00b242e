/** Numbers as Python writes them: a tie goes to the even digit, where `toFixed` goes up. */

/** Digits after which a double near a tie is told from the tie itself. */
const certain = 40;

/** `f'{value:.{digits}f}'`. */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  const up = value.toFixed(digits);
  const exact = Math.abs(value) < 1e21 ? value.toFixed(Math.min(100, digits + certain)) : up;
  const point = exact.indexOf('.');
  if (point < 0) return up;
  const cut = point + digits + (digits === 0 ? 0 : 1);
  const rest = exact.slice(cut).replace('.', '');
  if (!/^50*$/.test(rest)) return up;
  const down = digits === 0 ? exact.slice(0, point) : exact.slice(0, cut);
  return Number(down.at(-1)) % 2 === 0 ? down : up;
}

/** Python's `round(value, digits)`. */
export const rounded = (value: number, digits: number): number => Number(fixed(value, digits));
