/** Texts side by side on a terminal. */

/** Each text a column, as wide as its longest line; lines between them. */
export function beside(texts: readonly string[]): string {
  const columns = texts.map(text => text.split('\n'));
  const widths = columns.map(lines => Math.max(...lines.map(({ length }) => length)));
  const rows = Math.max(0, ...columns.map(({ length }) => length));
  return Array.from({ length: rows }, (_, row) =>
    columns
      .map((lines, column) => `│ ${(lines[row] ?? '').padEnd(widths[column]!)}`)
      .join(' ')
      .trimEnd(),
  ).join('\n');
}
