/** Suggestions for a mistyped name. */

/**
 * The known names closest to the one asked for, best first.
 *
 * @param wanted what somebody typed
 * @param known what there is
 * @returns at most three names that are close enough to be what was meant
 */
export function nearest(wanted: string, known: Iterable<string>): readonly string[] {
  const target = wanted.toLowerCase();
  const close = (name: string): number => {
    const candidate = name.toLowerCase();
    // `math` for `@heddle/eval-math`: a part of the name is as good as one slip of a finger.
    if (Math.min(target.length, candidate.length) > 2 && (candidate.includes(target) || target.includes(candidate)))
      return 1;
    return distance(target, candidate);
  };
  const allowed = Math.max(2, Math.floor(target.length / 3));
  return [...new Set(known)]
    .map(name => ({ name, away: close(name) }))
    .filter(({ away }) => away <= allowed)
    .sort((a, b) => a.away - b.away || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** `Did you mean 'emha'? ` or `There are: 'a', 'b'. ` or `There are none. `: the tail of an unknown-name message. */
export function suggest(wanted: string, known: readonly string[]): string {
  const close = nearest(wanted, known);
  if (close.length > 0) return `Did you mean ${quoted(close, ' or ')}?`;
  return known.length === 0 ? 'There are none.' : `There are: ${quoted([...known].sort())}.`;
}

const quoted = (names: readonly string[], between = ', '): string => names.map(name => `'${name}'`).join(between);

/** Edits between two short words (Levenshtein), one row at a time. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same));
    }
    row = next;
  }
  return row[right.length]!;
}
