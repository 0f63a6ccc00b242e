/** A list of ids that grows in one typed array: a text of 100 MB must not become 30 million boxed numbers. */

export interface IdBuffer {
  readonly length: number;
  push(id: number): void;
  append(ids: Int32Array): void;
  /** The ids so far, in an array of their own. */
  take(): Int32Array;
}

export function idBuffer(expected = 16): IdBuffer {
  let cells = new Int32Array(Math.max(16, expected));
  let used = 0;
  const room = (more: number): void => {
    if (used + more <= cells.length) return;
    const grown = new Int32Array(Math.max(cells.length * 2, used + more));
    grown.set(cells.subarray(0, used));
    cells = grown;
  };
  return {
    get length() {
      return used;
    },
    push(id) {
      room(1);
      cells[used++] = id;
    },
    append(ids) {
      room(ids.length);
      for (let at = 0; at < ids.length; at++) cells[used++] = ids[at]!; // quicker than `set` for the few ids of a word
    },
    take: () => cells.slice(0, used),
  };
}
