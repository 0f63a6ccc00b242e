/** Strings by their UTF-8 bytes: all that begin at a place of a text are found in one walk. */

import { pairTable } from '../pairs.js';

export interface ByteTrie {
  /** The node below `node` along this byte; -1 when no string goes on so. The root is 0. */
  step(node: number, byte: number): number;
  /** What the string that ends here was added with; -1 where none ends. */
  value(node: number): number;
}

/** @param entries strings with whole numbers of at least 0 */
export function byteTrie(entries: Iterable<readonly [text: string, value: number]>): ByteTrie {
  const edges = pairTable();
  const values: number[] = [-1];
  for (const [text, value] of entries) {
    let node = 0;
    for (const byte of encoder.encode(text)) {
      let next = edges.get(node, byte);
      if (next < 0) {
        next = values.push(-1) - 1;
        edges.set(node, byte, next);
      }
      node = next;
    }
    values[node] = value;
  }
  const at = Int32Array.from(values);
  return { step: edges.get, value: node => at[node]! };
}

const encoder = new TextEncoder();
