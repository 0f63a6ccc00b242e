/** Markdown tables and numbers in them. */

/** @param {string[]} head first column left, the rest right @param {(string | number)[][]} rows */
export function table(head, rows) {
  const line = cells => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Three digits that matter, four above 1000. */
export const digits = x => {
  if (x === null || x === undefined || Number.isNaN(x)) return '–';
  if (!Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  if (size >= 1000) return Math.round(x).toString();
  if (size >= 100) return x.toFixed(0);
  if (size >= 10) return x.toFixed(1);
  return size >= 0.1 || size === 0 ? x.toFixed(2) : x.toPrecision(2);
};

export const ratio = x => (Number.isFinite(x) ? `${x.toFixed(x >= 10 ? 0 : 2)}×` : '–');
export const megabytes = bytes => (bytes > 0 ? (bytes / 1e6).toFixed(0) : '–');
export const plural = (n, word) => `${n} ${word}${n === 1 ? '' : 's'}`;
