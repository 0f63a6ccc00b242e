/**
 * Longest common subsequences, 32 columns at a time (Hyyrö 2004): a row of the table is kept as bits that say where it
 * grows, which is all that its numbers hold.
 */

/** Bits of b's places, by symbol: where it stands. */
type Masks = ReadonlyMap<number, Uint32Array>;

function masksOf(b: Int32Array, size: number): Masks {
  const masks = new Map<number, Uint32Array>();
  for (const [at, symbol] of b.entries()) {
    let mask = masks.get(symbol);
    if (mask === undefined) masks.set(symbol, (mask = new Uint32Array(size)));
    mask[at >>> 5]! |= 1 << (at & 31);
  }
  return masks;
}

/** One more symbol of a: bits are 0 where the row grows by one. */
function advance(row: Uint32Array, mask: Uint32Array | undefined): void {
  if (mask === undefined) return;
  let carry = 0;
  for (let k = 0; k < row.length; k++) {
    const before = row[k]!;
    const hits = (before & mask[k]!) >>> 0;
    const sum = before + hits + carry;
    carry = sum > 0xffffffff ? 1 : 0;
    row[k] = (sum >>> 0) | (before & ~mask[k]!);
  }
}

/** Zeros among the first `count` bits. */
function growth(rows: Uint32Array, from: number, count: number): number {
  let ones = 0;
  for (let k = 0; k * 32 < count; k++) {
    const left = count - k * 32;
    const word = rows[from + k]! & (left >= 32 ? -1 : 2 ** left - 1);
    // Counting bits side by side.
    let x = word - ((word >>> 1) & 0x55555555);
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    ones += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count - ones;
}

/** Length of the longest common subsequence. */
export function commonLength(a: Int32Array, b: Int32Array): number {
  const row = new Uint32Array((b.length + 31) >>> 5).fill(0xffffffff);
  const masks = masksOf(b, row.length);
  for (const symbol of a) advance(row, masks.get(symbol));
  return growth(row, 0, b.length);
}

/** Marks the places of `a` that belong to one longest common subsequence: the one that rouge_score reads out. */
export function markCommon(a: Int32Array, b: Int32Array, marks: Uint8Array): void {
  const size = (b.length + 31) >>> 5;
  if (size === 0) return;
  const row = new Uint32Array(size).fill(0xffffffff);
  const masks = masksOf(b, size);
  const rows = new Uint32Array((a.length + 1) * size);
  rows.set(row);
  for (const [i, symbol] of a.entries()) {
    advance(row, masks.get(symbol));
    rows.set(row, (i + 1) * size);
  }
  /** Whether the table grows from column j - 1 to column j of row i. */
  const grows = (i: number, j: number): number => 1 - ((rows[i * size + ((j - 1) >>> 5)]! >>> ((j - 1) & 31)) & 1);
  let [i, j] = [a.length, b.length];
  let here = growth(rows, i * size, j);
  let above = i > 0 ? growth(rows, (i - 1) * size, j) : 0;
  while (i > 0 && j > 0) {
    const same = a[i - 1] === b[j - 1];
    if (same) marks[i - 1] = 1;
    // Otherwise to the left where that is longer than above.
    if (same || here - grows(i, j) > above) {
      here -= grows(i, j);
      above -= grows(i - 1, j);
      j--;
      if (!same) continue;
    }
    i--;
    here = above;
    above = i > 0 ? growth(rows, (i - 1) * size, j) : 0;
  }
}
