/**
 * Word edit distance in a band around the diagonal, as Tercom's port in sacreBLEU has it, with the rows of one
 * hypothesis kept: a shifted hypothesis shares all rows before the shift, and mostly those after it.
 */

/** Half the band, in words. */
const halfBand = 25;
const far = 1e9;

/** How a cell was reached from one before it. */
const SAME = 0;
const SUBSTITUTE = 1;
const DELETE = 2;
const INSERT = 3;

export interface Alignment {
  /** Edits. */
  readonly distance: number;
  /** Where each word of the reference lands in the hypothesis; -1 before its first word. */
  readonly at: Int32Array;
  /** 1 for each word of the reference that is not matched. */
  readonly referenceErrors: Uint8Array;
  /** 1 for each word of the hypothesis that is not matched. */
  readonly hypothesisErrors: Uint8Array;
}

export interface EditDistance {
  /** Reads a hypothesis; `shifted` compares with it from then on. */
  align(hypothesis: Int32Array): Alignment;
  /**
   * The distance of a hypothesis that differs from the one last aligned only within [from, to).
   */
  shifted(hypothesis: Int32Array, from: number, to: number): number;
}

/** @param length words of every hypothesis that will come */
export function editDistance(reference: Int32Array, length: number): EditDistance {
  const columns = reference.length + 1;
  const ratio = length > 0 ? reference.length / length : 1;
  // Where lengths differ so much that bands of neighbouring rows would not meet, the band widens.
  const band = halfBand < ratio / 2 ? Math.ceil(ratio / 2 + halfBand) : halfBand;
  /** The band of row i is [lows[i], highs[i]). Row 0, all insertions, is not stored. */
  const lows = Int32Array.from({ length: length + 1 }, (_, i) => Math.max(0, Math.floor(i * ratio) - band));
  const highs = Int32Array.from({ length: length + 1 }, (_, i) =>
    i === length ? columns : Math.min(columns, Math.floor(i * ratio) + band),
  );
  const stride = 2 * band + 2; // the last row ends at the last column, at most one place off the diagonal
  const costs = new Int32Array((length + 1) * stride);
  const ways = new Uint8Array((length + 1) * stride);
  let row = new Int32Array(columns);
  let above = new Int32Array(columns);
  let total = 0;

  return {
    align(hypothesis) {
      load(0);
      for (let i = 1; i <= length; i++) {
        const word = hypothesis[i - 1]!;
        const low = lows[i]!;
        const high = highs[i]!;
        const stored = i * stride - low;
        fence(i);
        for (let j = low; j < high; j++) {
          let cost = 0;
          let way = DELETE;
          if (j === 0) cost = above[0]! + 1;
          else {
            // Of equal costs the first wins: match or substitution, deletion, insertion.
            const same = word === reference[j - 1];
            cost = above[j - 1]! + (same ? 0 : 1);
            way = same ? SAME : SUBSTITUTE;
            if (above[j]! + 1 < cost) {
              cost = above[j]! + 1;
              way = DELETE;
            }
            if (j > low && row[j - 1]! + 1 < cost) {
              cost = row[j - 1]! + 1;
              way = INSERT;
            }
          }
          row[j] = cost;
          costs[stored + j] = cost;
          ways[stored + j] = way;
        }
        const free = above;
        above = row;
        row = free;
      }
      total = above[columns - 1]!;
      return trace();
    },
    shifted(hypothesis, from, to) {
      load(from);
      for (let i = from + 1; i <= length; i++) {
        const word = hypothesis[i - 1]!;
        const low = lows[i]!;
        const high = highs[i]!;
        fence(i);
        for (let j = low; j < high; j++) {
          let cost = above[j]! + 1;
          if (j > 0) {
            const across = above[j - 1]! + (word === reference[j - 1] ? 0 : 1);
            if (across < cost) cost = across;
            if (j > low && row[j - 1]! + 1 < cost) cost = row[j - 1]! + 1;
          }
          row[j] = cost;
        }
        // Behind the shift the words are the same again: once a whole row is, so is everything below.
        if (i >= to && sameRow(i, low, high)) return total;
        const free = above;
        above = row;
        row = free;
      }
      return above[columns - 1]!;
    },
  };

  /** Puts row i where `above` is read. */
  function load(i: number): void {
    if (i === 0) for (let j = 0; j < columns; j++) above[j] = j;
    else above.set(costs.subarray(i * stride, i * stride + highs[i]! - lows[i]!), lows[i]!);
  }

  /** Makes the cells beside the band of the row before i, as far as row i reads them, infinitely dear. */
  function fence(i: number): void {
    if (i === 1) return; // row 0 is whole
    const [low, high] = [lows[i]!, highs[i]!];
    if (low > 0 && low === lows[i - 1]) above[low - 1] = far;
    for (let j = highs[i - 1]!; j < high; j++) above[j] = far;
  }

  function sameRow(i: number, low: number, high: number): boolean {
    const stored = i * stride - low;
    for (let j = low; j < high; j++) if (row[j] !== costs[stored + j]) return false;
    return true;
  }

  function trace(): Alignment {
    const at = new Int32Array(reference.length);
    const referenceErrors = new Uint8Array(reference.length);
    const hypothesisErrors = new Uint8Array(length);
    let [i, j] = [length, reference.length];
    while (i > 0 || j > 0) {
      const way = i === 0 ? INSERT : ways[i * stride + j - lows[i]!]!;
      if (way === DELETE) {
        hypothesisErrors[--i] = 1;
        continue;
      }
      at[--j] = i - 1;
      if (way === INSERT) referenceErrors[j] = 1;
      else {
        i--;
        if (way === SUBSTITUTE) referenceErrors[j] = hypothesisErrors[i] = 1;
      }
    }
    return { distance: total, at, referenceErrors, hypothesisErrors };
  }
}
