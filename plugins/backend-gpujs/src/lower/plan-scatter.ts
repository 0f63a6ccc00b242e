/**
 * Scatters as sums of segments. A thread can write its own cell only, so each output row must know which rows of the
 * input are added to it. Where the index is a graph input the host knows that when the data arrives: a counting sort
 * gives two hidden inputs, the rows in order of their targets and where each target's rows start.
 */

import type { HostTensor, Node } from '@heddle/core';

export interface ScatterPlan {
  /** Name of the graph input that holds the index. */
  readonly index: string;
  /** Rows of the output: targets are numbers below this. */
  readonly size: number;
  /** Names of the hidden inputs: i32[n] and i32[size + 1]. */
  readonly order: string;
  readonly starts: string;
}

/** The graph input that a scatter's index comes from, unchanged; null where it is computed. */
export function indexInput(node: Node): string | null {
  let at = node.inputs[1]!.node;
  while (at.op === 'reshape') at = at.inputs[0]!.node;
  return at.op === 'input' ? (at.attrs['name'] as string) : null;
}

/** Rows in a stable order of their targets, so that sums are added up in one order. @shape index i32[n] */
export function sortByTarget(
  index: ArrayLike<number>,
  size: number,
): { readonly order: Int32Array; readonly starts: Int32Array } {
  const starts = new Int32Array(size + 1);
  for (let i = 0; i < index.length; i++) starts[index[i]! + 1]!++;
  for (let row = 0; row < size; row++) starts[row + 1]! += starts[row]!;
  const next = starts.slice(0, size);
  const order = new Int32Array(index.length);
  for (let i = 0; i < index.length; i++) order[next[index[i]!]!++] = i;
  return { order, starts };
}

/** The hidden inputs of one plan for one run. */
export function drawPlan({ size, order, starts }: ScatterPlan, index: HostTensor): Record<string, HostTensor> {
  const sorted = sortByTarget(index.data, size);
  return {
    [order]: { dtype: 'i32', shape: [sorted.order.length], data: sorted.order },
    [starts]: { dtype: 'i32', shape: [size + 1], data: sorted.starts },
  };
}
