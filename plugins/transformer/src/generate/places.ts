/**
 * Which place of the cache holds which token of which text, on the host.
 *
 * A slot is one row of the cache, with `capacity` places. A path is a text in a slot: the places that it sees, and the
 * position of its next token. Paths of one slot may share places, so a text forks without copying anything, and paths
 * join by seeing each other's places. A place is free again when no path sees it.
 */

import { fail } from '@heddle/core';

export interface Path {
  readonly slot: number;
  /** Places that this path sees, in the order in which they were written. */
  readonly places: readonly number[];
  /** Position of the next token. */
  readonly position: number;
  readonly open: boolean;
}

export interface PlaceTable {
  readonly slots: number;
  /** Tokens that a slot can hold. */
  readonly capacity: number;
  /** Starts an empty text. */
  open(slot: number): Path;
  /** Another path that sees the same and goes on from there. */
  fork(path: Path): Path;
  /** A path that sees what any of these sees, and goes on after the furthest. The joined ones stay open. */
  join(paths: readonly Path[]): Path;
  /** Takes a free place for one more token. */
  append(path: Path): { readonly place: number; readonly position: number };
  release(path: Path): void;
  free(slot: number): number;
  /** Whether a slot has open paths. */
  busy(slot: number): boolean;
  /** Places of a slot that nobody sees, and one that nobody ever will: where padding may be written. */
  spare(slot: number): readonly number[];
}

interface Held extends Path {
  places: number[];
  position: number;
  open: boolean;
}

/** @param capacity tokens a slot can hold; the cache has one place more, for padding when all are taken */
export function createPlaces(slots: number, capacity: number): PlaceTable {
  /** How many paths see each place. */
  const readers = Array.from({ length: slots }, () => new Uint32Array(capacity));
  const unseen = new Array<number>(slots).fill(capacity);
  const open = new Set<Held>();

  const held = (path: Path): Held => {
    if (!open.has(path as Held))
      fail(
        'E_PATH',
        'path: expected an open path of this session, received one that was released or belongs to another. Open or fork one.',
        { slot: path.slot },
      );
    return path as Held;
  };
  const start = (slot: number, places: number[], position: number): Path => {
    const path: Held = { slot, places, position, open: true };
    for (const place of places) readers[slot]![place]!++;
    open.add(path);
    return path;
  };

  return {
    slots,
    capacity,
    open(slot) {
      if (!Number.isInteger(slot) || slot < 0 || slot >= slots)
        fail(
          'E_PATH',
          `path: expected a slot from 0 to ${slots - 1}, received ${slot}. Open a session with a larger batch.`,
          { slot, slots },
        );
      return start(slot, [], 0);
    },
    fork(path) {
      const { slot, places, position } = held(path);
      return start(slot, [...places], position);
    },
    join(paths) {
      const all = paths.map(held);
      const { slot } = all[0] ?? fail('E_PATH', 'join: expected at least one path, received none.', {});
      if (all.some(path => path.slot !== slot))
        fail(
          'E_PATH',
          `join: expected paths of one slot, received slots ${all.map(path => path.slot).join(', ')}. Only paths that were forked from one another join.`,
          {},
        );
      return start(slot, [...new Set(all.flatMap(path => path.places))], Math.max(...all.map(path => path.position)));
    },
    append(path) {
      const mine = held(path);
      const place = readers[mine.slot]!.indexOf(0);
      if (place < 0)
        fail(
          'E_CAPACITY',
          `slot ${mine.slot}: expected a free place, received a full cache of ${capacity}. Release paths, or open a session with more capacity.`,
          { slot: mine.slot, capacity },
        );
      readers[mine.slot]![place] = 1;
      unseen[mine.slot]!--;
      mine.places.push(place);
      return { place, position: mine.position++ };
    },
    release(path) {
      if (!open.delete(path as Held)) return;
      const mine = path as Held;
      for (const place of mine.places) if (--readers[mine.slot]![place]! === 0) unseen[mine.slot]!++;
      mine.open = false;
    },
    free: slot => unseen[slot]!,
    busy: slot => [...open].some(path => path.slot === slot),
    spare: slot => [...[...readers[slot]!.keys()].filter(place => readers[slot]![place] === 0), capacity],
  };
}
