/**
 * N-grams of one reference segment, as nodes of a trie in one hash table: the n-gram `a b c` is the child `c` of `a b`.
 * A hypothesis walks it and never builds a key, so counting costs one look-up a symbol and order.
 */

export interface NgramIndex {
  /** Adds a sequence of symbols. Of several sequences, each n-gram keeps its largest count (clipping by BLEU). */
  add(symbols: ArrayLike<number>): void;
  /**
   * Adds to `into[at + n - 1]`, for each order n, how many n-grams of a sequence the references have too; each counts
   * at most as often as in the reference where it is most frequent. A negative symbol is in no reference.
   */
  match(symbols: ArrayLike<number>, into: Float64Array, at: number, stride: number): void;
}

/** @param most symbols of all sequences that will be added, at most */
export function ngramIndex(order: number, most: number): NgramIndex {
  const nodes = most * order + 1;
  let size = 16;
  while (size < nodes * 2) size *= 2;
  // One allocation for all five: a corpus makes one index for each segment.
  const memory = new Int32Array(size + 4 * nodes);
  const part = (at: number, length: number): Int32Array => memory.subarray(at, at + length);
  const slots = part(0, size); // 0: free, else a node
  const parents = part(size, nodes);
  const symbolOf = part(size + nodes, nodes);
  const counts = part(size + 2 * nodes, nodes); // in the reference where the n-gram is most frequent
  const seen = part(size + 3 * nodes, nodes); // in the sequence at hand
  let used = 1; // node 0 is the empty n-gram
  let sequences = 0;

  const slotOf = (parent: number, symbol: number): number => {
    let hash = Math.imul(parent, 0x9e3779b1) ^ Math.imul(symbol + 1, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & (size - 1);
    for (;;) {
      const node = slots[slot]!;
      if (node === 0 || (parents[node] === parent && symbolOf[node] === symbol)) return slot;
      slot = (slot + 1) & (size - 1);
    }
  };

  return {
    add(symbols) {
      const { length } = symbols;
      if (sequences++ > 0) seen.fill(0, 0, used);
      for (let from = 0; from < length; from++) {
        let node = 0;
        const end = Math.min(length, from + order);
        for (let i = from; i < end; i++) {
          const symbol = symbols[i]!;
          const slot = slotOf(node, symbol);
          let child = slots[slot]!;
          if (child === 0) {
            child = used++;
            slots[slot] = child;
            parents[child] = node;
            symbolOf[child] = symbol;
          }
          const count = seen[child]! + 1;
          seen[child] = count;
          if (count > counts[child]!) counts[child] = count;
          node = child;
        }
      }
    },
    match(symbols, into, at, stride) {
      const { length } = symbols;
      seen.fill(0, 0, used);
      for (let from = 0; from < length; from++) {
        let node = 0;
        const end = Math.min(length, from + order);
        for (let i = from; i < end; i++) {
          const symbol = symbols[i]!;
          if (symbol < 0) break;
          node = slots[slotOf(node, symbol)]!;
          if (node === 0) break; // no longer n-gram from here is in a reference either
          const count = seen[node]! + 1;
          seen[node] = count;
          if (count <= counts[node]!) into[at + (i - from) * stride]! += 1;
        }
      }
    },
  };
}

/** Numbers for words, in order of their first appearance; a word that is not known is -1. */
export interface Vocabulary {
  learn(words: readonly string[]): Int32Array;
  look(words: readonly string[]): Int32Array;
}

export function vocabulary(): Vocabulary {
  const known = new Map<string, number>();
  return {
    learn(words) {
      const ids = new Int32Array(words.length);
      for (let i = 0; i < words.length; i++) {
        let id = known.get(words[i]!);
        if (id === undefined) known.set(words[i]!, (id = known.size));
        ids[i] = id;
      }
      return ids;
    },
    look(words) {
      const ids = new Int32Array(words.length);
      for (let i = 0; i < words.length; i++) ids[i] = known.get(words[i]!) ?? -1;
      return ids;
    },
  };
}
