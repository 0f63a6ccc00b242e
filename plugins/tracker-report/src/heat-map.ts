/** Numbers as coloured cells, rows by columns. */

import { escape } from './text.js';

export interface ReportHeatMap {
  readonly title: string;
  /** What a number means. */
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly (ReportCell | null)[] }[];
  /** Ends of the colours; a range over 0 has a colour for either side. Default from the numbers. */
  readonly range?: readonly [number, number];
  /** Decimals shown. Default 1. */
  readonly decimals?: number;
}

/** @field mark said behind the number, such as `*`; `hint` is shown when one points at it */
export interface ReportCell {
  readonly value: number;
  readonly mark?: string;
  readonly hint?: string;
}

/** Colours stop here, so that words on them can be read in light and dark. */
const strongest = 70;

export function heatMap({ title, note, columns, rows, range, decimals = 1 }: ReportHeatMap): string {
  const values = rows.flatMap(({ cells }) => cells.flatMap(cell => (cell && Number.isFinite(cell.value) ? [cell.value] : []))); // prettier-ignore
  const [low, high] = range ?? [Math.min(...values), Math.max(...values)];
  const twoSided = low < 0 && high > 0;
  const end = twoSided ? Math.max(-low, high) : high - low;
  const shade = (value: number): string => {
    const share = end === 0 ? 0 : Math.min(1, Math.max(0, twoSided ? Math.abs(value) / end : (value - low) / end));
    const colour = !twoSided ? '--s0' : value < 0 ? '--s4' : '--s2';
    return `background:color-mix(in srgb, var(${colour}) ${(strongest * share).toFixed(0)}%, var(--card))`;
  };
  const cellOf = (cell: ReportCell | null): string =>
    cell === null || !Number.isFinite(cell.value)
      ? '<td>–</td>'
      : `<td style="${shade(cell.value)}"${cell.hint ? ` title="${escape(cell.hint)}"` : ''}>${cell.value.toFixed(decimals)}${escape(cell.mark ?? '')}</td>`;
  return `<h2>${escape(title)}</h2><p class="hint">${escape(note)}</p><div class="table heat"><table><thead><tr><th></th>${columns.map(name => `<th>${escape(name)}</th>`).join('')}</tr></thead><tbody>${rows.map(({ name, cells }) => `<tr><td>${escape(name)}</td>${cells.map(cellOf).join('')}</tr>`).join('')}</tbody></table></div>`;
}
