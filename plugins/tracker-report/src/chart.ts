/** Lines over steps as SVG. */

import { escape, figure } from './text.js';
import { smooth, thin, type Places } from './thin.js';

export interface Line {
  readonly name: string;
  readonly places: Places;
  readonly exact: boolean;
  /** Of the page's colours. */
  readonly colour: number;
}

const [width, height] = [560, 300];
const edge = { left: 58, right: 14, top: 12, bottom: 30 };

/** @param lines with finite values, one place at least in all; `along`: what the x axis counts; `legend`: names the lines */
export function chart(title: string, lines: readonly Line[], { along = 'step', legend = false } = {}): string {
  const all = lines.flatMap(({ places }) => places);
  const [x0, x1] = rangeOf(all.map(([x]) => x));
  const [y0, y1] = rangeOf(shownRange(lines));
  const px = (x: number): number => edge.left + ((x - x0) / (x1 - x0)) * (width - edge.left - edge.right);
  const py = (y: number): number => height - edge.bottom - ((y - y0) / (y1 - y0)) * (height - edge.top - edge.bottom);
  const path = (places: Places): string =>
    places.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join('');
  const rows = ticks(y0, y1, 5).map(
    y =>
      `<line class="grid" x1="${edge.left}" x2="${width - edge.right}" y1="${py(y).toFixed(1)}" y2="${py(y).toFixed(1)}"/><text class="tick" x="${edge.left - 8}" y="${(py(y) + 4).toFixed(1)}" text-anchor="end">${figure(y)}</text>`,
  );
  const columns = ticks(x0, x1, 6)
    .filter(Number.isInteger)
    .map(
      x =>
        `<text class="tick" x="${px(x).toFixed(1)}" y="${height - edge.bottom + 18}" text-anchor="middle">${figure(x)}</text>`,
    );
  const drawn = lines.map(({ name, places, exact, colour }) => {
    const style = `style="stroke:var(--s${colour})"`;
    const last = places.at(-1)!;
    const hint = `<title>${escape(name)}: ${figure(last[1])} at ${escape(along)} ${figure(last[0])}</title>`;
    if (exact)
      return `<g>${hint}<path class="line" ${style} d="${path(places)}"/>${places.map(([x, y]) => `<circle style="fill:var(--s${colour})" cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="2.6"><title>${escape(name)}: ${figure(y)} at ${escape(along)} ${figure(x)}</title></circle>`).join('')}</g>`;
    const few = thin(places, 600);
    const faint = few.length > 20 ? `<path class="line faint" ${style} d="${path(clipped(few, y0, y1))}"/>` : '';
    return `<g>${hint}${faint}<path class="line" ${style} d="${path(clipped(smooth(few, few.length > 20 ? few.length / 25 : 1), y0, y1))}"/></g>`;
  });
  const names = legend
    ? `<p class="hint">${lines.map(({ name, colour }) => `<span class="mark" style="background:var(--s${colour})"></span>${escape(name)} `).join('')}</p>`
    : '';
  return `<figure><figcaption>${escape(title)}</figcaption>${names}<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)} over ${escape(along)}">${[...rows, ...columns, ...drawn].join('')}</svg></figure>`;
}

/** Values that the axis must hold: a few wild ones of a noisy line do not flatten all others. */
function shownRange(lines: readonly Line[]): readonly number[] {
  return lines.flatMap(({ places, exact }) => {
    const values = places.map(([, y]) => y).toSorted((a, b) => a - b);
    if (exact || values.length < 50) return values;
    const at = (share: number): number => values[Math.floor(share * (values.length - 1))]!;
    return [at(0.005), at(0.995)];
  });
}

const clipped = (places: Places, low: number, high: number): Places =>
  places.map(([x, y]) => [x, Math.min(high, Math.max(low, y))] as const);

function rangeOf(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const room = (high - low) * 0.04 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

/** Round numbers between two others, about so many. */
export function ticks(low: number, high: number, about: number): readonly number[] {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough) ?? rough;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
