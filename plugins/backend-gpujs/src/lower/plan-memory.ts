/** Which arrays may share memory: one is free again after its last reader. */

import type { Pass, Place } from './lower.js';

export interface MemoryPlan {
  /** Lengths of the buffers, in floats. */
  readonly slots: readonly number[];
  /** The buffer of each place, by its id. */
  readonly slotOf: ReadonlyMap<number, number>;
  /** Arrays that passes write. */
  readonly values: number;
  readonly bytes: number;
  /** What it would be if nothing were shared. */
  readonly unshared: number;
}

/**
 * @param pinned places filled from outside: each has memory of its own that no pass writes
 * @param kept places read after the last pass
 */
export function planMemory(passes: readonly Pass[], pinned: readonly Place[], kept: readonly Place[]): MemoryPlan {
  const lastRead = new Map<number, number>();
  passes.forEach((pass, i) => {
    for (const { id } of readsOf(pass)) lastRead.set(id, i);
    if (!lastRead.has(pass.output.id)) lastRead.set(pass.output.id, i); // written and never read
  });
  for (const { id } of kept) lastRead.set(id, Infinity);
  const slots: number[] = [];
  const slotOf = new Map<number, number>();
  const free: number[] = [];
  for (const { id, length } of pinned) slotOf.set(id, slots.push(length) - 1);
  const outside = new Set(pinned.map(({ id }) => id));
  let unshared = slots.reduce((a, b) => a + b, 0);
  let values = 0;
  passes.forEach((pass, i) => {
    const { id, length } = pass.output;
    // A pass never writes what it reads: its output is placed before its inputs are free.
    const at = bestFit(free, slots, length);
    if (at === null) slotOf.set(id, slots.push(length) - 1);
    else {
      const slot = free.splice(at, 1)[0]!;
      slots[slot] = Math.max(slots[slot]!, length);
      slotOf.set(id, slot);
    }
    values++;
    unshared += length;
    const over = new Set([...readsOf(pass).map(p => p.id), id]);
    for (const dead of over) {
      if (lastRead.get(dead) === i && !outside.has(dead)) free.push(slotOf.get(dead)!);
    }
  });
  const floats = slots.reduce((a, b) => a + b, 0);
  return { slots, slotOf, values: values + pinned.length, bytes: 4 * floats, unshared: 4 * unshared };
}

export const readsOf = (pass: Pass): readonly Place[] =>
  pass.kind === 'cells' ? pass.reads : [pass.left.from, pass.right.from];

/** The smallest free buffer that is large enough but not wasteful; else the largest one that may grow. */
function bestFit(free: readonly number[], slots: readonly number[], length: number): number | null {
  let best: number | null = null;
  free.forEach((slot, i) => {
    const fits = slots[slot]! >= length && slots[slot]! <= 4 * length + 1024;
    if (fits && (best === null || slots[slot]! < slots[free[best]!]!)) best = i;
  });
  if (best !== null) return best;
  free.forEach((slot, i) => {
    if (slots[slot]! < length && 2 * slots[slot]! >= length && (best === null || slots[slot]! > slots[free[best]!]!))
      best = i;
  });
  return best;
}
