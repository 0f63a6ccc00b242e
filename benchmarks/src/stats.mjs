/** Medians, paired ratios, and a line through noisy points. */

const sorted = numbers => numbers.toSorted((a, b) => a - b);

function quantile(numbers, share) {
  if (numbers.length === 0) return Number.NaN;
  const all = sorted(numbers);
  const at = (all.length - 1) * share;
  const low = Math.floor(at);
  return all[low] + (all[Math.min(low + 1, all.length - 1)] - all[low]) * (at - low);
}

export const median = numbers => quantile(numbers, 0.5);
export const least = numbers => (numbers.length === 0 ? Number.NaN : Math.min(...numbers));

/**
 * How many times faster `ours` is. Where both ran in the same rounds, the median of the rounds' ratios: what slowed
 * a round down slowed both. Otherwise the ratio of medians.
 */
export function speedup(ours, theirs) {
  if (ours.length === 0 || theirs.length === 0) return Number.NaN;
  if (ours.length === theirs.length) return median(theirs.map((t, i) => t / ours[i]));
  return median(theirs) / median(ours);
}

/** Student's t for a two-sided interval of 95 %, by degrees of freedom (Cornish-Fisher; 0.3 % off at 5). */
function t95(freedom) {
  const z = 1.959964;
  const n = freedom;
  return (
    z +
    (z ** 3 + z) / (4 * n) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * n ** 3)
  );
}

/**
 * Least squares, with a 95 % interval for the slope that allows for neighbours being alike: the number of points
 * counted is cut down by the autocorrelation of what the line leaves over.
 */
export function slope(xs, ys) {
  const n = xs.length;
  const mean = all => all.reduce((a, b) => a + b, 0) / n;
  const [mx, my] = [mean(xs), mean(ys)];
  const sxx = xs.reduce((s, x) => s + (x - mx) ** 2, 0);
  const value = xs.reduce((s, x, i) => s + (x - mx) * (ys[i] - my), 0) / sxx;
  const rest = ys.map((y, i) => y - my - value * (xs[i] - mx));
  const squares = rest.reduce((s, r) => s + r * r, 0);
  const alike = squares === 0 ? 0 : rest.slice(1).reduce((s, r, i) => s + r * rest[i], 0) / squares;
  const rho = Math.min(Math.max(alike, 0), 0.9);
  const counted = Math.max(4, (n * (1 - rho)) / (1 + rho));
  const error = Math.sqrt((squares / (n - 2) / sxx) * (n / counted));
  const half = t95(counted - 2) * error;
  return { value, low: value - half, high: value + half, points: n, counted };
}
