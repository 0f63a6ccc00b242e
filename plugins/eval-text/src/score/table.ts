/** Tables of results for a terminal. */

/** Columns of equal width; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(widthOf(title), ...rows.map(row => widthOf(row[i] ?? ''))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        i === 0 ? cell + ' '.repeat(widths[i]! - widthOf(cell)) : ' '.repeat(widths[i]! - widthOf(cell)) + cell,
      )
      .join('  ')
      .trimEnd();
  return [line(head), widths.map(width => '─'.repeat(width)).join('──'), ...rows.map(line)].join('\n');
}

/** Cells of a terminal: Chinese, Japanese and Korean characters take two. */
const widthOf = (text: string): number =>
  [...text].reduce(
    (width, one) =>
      width +
      (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\uff00-\uff60]/u.test(one) ? 2 : 1),
    0,
  );
