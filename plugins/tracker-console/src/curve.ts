/** The whole of a run's loss in a few characters: memory stays bounded however long the run. */

export interface Curve {
  /** Means of `stride` values each, oldest first. */
  readonly points: readonly number[];
  readonly stride: number;
  /** Values waiting to make the next point. */
  readonly waiting: readonly number[];
}

export const emptyCurve: Curve = { points: [], stride: 1, waiting: [] };

/** When so many points are full, neighbours are joined and the stride doubles. Even. */
const most = 64;

export function extend({ points, stride, waiting }: Curve, value: number): Curve {
  if (!Number.isFinite(value)) return { points, stride, waiting };
  const next = [...waiting, value];
  if (next.length < stride) return { points, stride, waiting: next };
  const grown = [...points, mean(next)];
  if (grown.length < most) return { points: grown, stride, waiting: [] };
  const joined = Array.from({ length: most / 2 }, (_, at) => (grown[at * 2]! + grown[at * 2 + 1]!) / 2);
  return { points: joined, stride: stride * 2, waiting: [] };
}

/** One character a column, the lowest value of the curve at the bottom: `█▆▄▃▂▂▁▁`. */
export function sparkline({ points, waiting }: Curve, width: number): string {
  const values = waiting.length > 0 ? [...points, mean(waiting)] : points;
  const columns = Math.min(width, values.length);
  if (columns < 2) return '';
  const shown = Array.from({ length: columns }, (_, column) =>
    mean(
      values.slice(
        Math.floor((column * values.length) / columns),
        Math.floor(((column + 1) * values.length) / columns),
      ),
    ),
  );
  const low = Math.min(...shown);
  const range = Math.max(...shown) - low;
  return shown
    .map(value => bars[range === 0 ? 0 : Math.min(bars.length - 1, Math.floor(((value - low) / range) * bars.length))])
    .join('');
}

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value / values.length, 0);
