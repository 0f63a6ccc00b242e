/** The name that was probably meant. Not core's, so that a mistyped command is answered without loading core. */

/** @returns `Did you mean 'train'?`, or all names there are */
export function didYouMean(wanted: string, known: readonly string[]): string {
  const target = wanted.toLowerCase();
  const ranked = known
    .map(name => ({ name, away: distance(target, name.toLowerCase()) }))
    .sort((a, b) => a.away - b.away || (a.name < b.name ? -1 : 1));
  const [best] = ranked;
  if (best !== undefined && best.away <= Math.max(2, Math.floor(target.length / 3)))
    return `Did you mean '${best.name}'?`;
  return `There are: ${[...known].sort().join(', ')}.`;
}

/** Edits between two short words, two letters in the wrong order counting as one. */
function distance(left: string, right: string): number {
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1;
      let least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same);
      const swapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (swapped) least = Math.min(least, before[j - 2]! + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[right.length]!;
}
