/** Where a run over batches stands, and looking at one that a checkpoint gives back. */

import { fail } from '@heddle/core';

export interface EpochCursor {
  readonly epoch: number;
  /** What comes next in the epoch: windows or batches from 0. */
  readonly index: number;
  /** Of the data and everything that decides its order: a cursor fits only what it was made with. */
  readonly corpus: string;
}

/**
 * @param cursor from anywhere
 * @param sizeOf how many indices an epoch has
 * @param fitting what must be as it was, for the message
 * @throws E_CURSOR for what is no cursor, and for one of another corpus
 */
export function cursorOf(
  cursor: unknown,
  corpus: string,
  sizeOf: (epoch: number) => number,
  fitting: string,
): EpochCursor {
  const {
    epoch,
    index,
    corpus: of,
  } = (typeof cursor === 'object' && cursor !== null ? cursor : {}) as Partial<EpochCursor>;
  if (!whole(epoch) || !whole(index) || index >= sizeOf(epoch)) {
    return fail(
      'E_CURSOR',
      `text batches: expected a cursor { epoch, index < ${sizeOf(whole(epoch) ? epoch : 0)}, corpus }, received ${(JSON.stringify(cursor) ?? 'nothing').slice(0, 80)}. Take the one that the checkpoint holds.`,
      { cursor },
    );
  }
  if (of !== corpus) {
    fail(
      'E_CURSOR',
      `text batches: expected a cursor of this corpus (${corpus}), received one of ${String(of)}. ${fitting} changed: restore them, or start anew.`,
      { cursor, corpus },
    );
  }
  return { epoch, index, corpus };
}

/** @throws E_OPTION unless each is a whole number of at least 1 */
export function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts))
    if (!Number.isSafeInteger(value) || value < 1)
      fail('E_OPTION', `${name}: expected a whole number of at least 1, received ${value}. Correct the option.`, {
        [name]: value,
      });
}

/** @throws E_OPTION */
export function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed))
    fail('E_OPTION', `seed: expected a whole number, received ${seed}. Correct the option.`, { seed });
}

/** @returns a function that throws E_CLOSED once `close` was called */
export function openness(): { alive(): void; close(): void } {
  let closed = false;
  return {
    alive() {
      if (closed)
        fail('E_CLOSED', 'text batches: expected an open source, received a call after close(). Open it again.');
    },
    close() {
      closed = true;
    },
  };
}

const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
