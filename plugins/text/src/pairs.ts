/** A table from pairs of token ids to a number: open addressing in one typed array, far quicker than a `Map` of keys made from pairs. */

export interface PairTable {
  /** @returns -1 when absent */
  get(left: number, right: number): number;
  /** @param value at least 0 */
  set(left: number, right: number, value: number): void;
}

export function pairTable(expected = 16): PairTable {
  let mask = 31;
  while (mask < expected * 2) mask = mask * 2 + 1;
  let cells = empty(mask); // left, right, value, unused: four to a slot, so a slot never straddles two cache lines
  let used = 0;

  const find = (left: number, right: number): number => {
    let slot = hash(left, right) & mask;
    for (;;) {
      const at = slot * 4;
      if (cells[at + 2] === -1 || (cells[at] === left && cells[at + 1] === right)) return at;
      slot = (slot + 1) & mask;
    }
  };

  const grow = (): void => {
    const old = cells;
    mask = mask * 2 + 1;
    cells = empty(mask);
    for (let at = 0; at < old.length; at += 4) {
      if (old[at + 2] !== -1) cells.set(old.subarray(at, at + 4), find(old[at]!, old[at + 1]!));
    }
  };

  return {
    get: (left, right) => cells[find(left, right) + 2]!,
    set(left, right, value) {
      let at = find(left, right);
      if (cells[at + 2] === -1 && ++used * 2 > mask) {
        grow();
        at = find(left, right);
      }
      cells[at] = left;
      cells[at + 1] = right;
      cells[at + 2] = value;
    },
  };
}

const empty = (mask: number): Int32Array => new Int32Array((mask + 1) * 4).fill(-1);

const hash = (left: number, right: number): number => {
  let h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right + 0x7f4a7c15, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
};
