/**
 * Beam search: the likeliest texts, found by keeping a few of the best beginnings.
 *
 * Texts that end are set aside, the best of them as many as beams. A row is done when it has so many and no beginning
 * scores better than the worst of them. (Ending at so many, however bad, as fairseq does, loses a sure text to two that
 * broke off: with few beams, the second best next token is often the end.)
 *
 * The beams of a row are paths of one slot: they share the places of what they have in common, so a beam that splits
 * copies nothing, and the source is looked at in one place.
 */

import { fail } from '@heddle/core';
import { Observable, lastValueFrom, toArray } from 'rxjs';
import { createProgram, type ProgramOptions } from './program.js';
import { expectFinite, feedUnless, readPrompts, slotsToFill, type Prompts } from './prompts.js';
import { strongest } from './sampling.js';
import { openSession, type DecodeSession, type Outlook } from './session.js';
import type { Path } from './places.js';

export interface BeamSearchOptions extends ProgramOptions {
  /** Beginnings that are kept of each text. Default 4. */
  readonly beams?: number;
  /** Texts that are searched at once. Default 1. */
  readonly batch?: number;
  /** Tokens of the longest text, its prompt included. Default: the model's length. */
  readonly capacity?: number;
  /** Tokens of the longest source, for models that read one. Default: the model's. */
  readonly sourceCapacity?: number;
}

export interface SearchOptions {
  /** What each text is written from, for models that read a source. */
  readonly sources?: readonly ArrayLike<number>[];
  /** Which of the variants each text is written with. Default the first. */
  readonly variants?: readonly number[];
  /** Ids that end a text; at least one. */
  readonly stop: readonly number[];
  /** Tokens after each prompt, the one that ends it included. Default 128. */
  readonly maxTokens?: number;
  /** A text's score is the logarithm of its probability over its length to this power. 0 favours short texts. Default 1. */
  readonly lengthPenalty?: number;
  /** Rows that are not finished end with what they have when it is aborted. */
  readonly signal?: AbortSignal;
}

export interface Hypothesis {
  /** Without the prompt and without the id that ended it. */
  readonly ids: readonly number[];
  /** Of all ids and of the end. */
  readonly logProbability: number;
  /** What hypotheses are ranked by. */
  readonly score: number;
  /** `length`: there was no room to go on. */
  readonly reason: 'stop' | 'length' | 'cancelled';
}

/** A row is done. */
export interface SearchResult {
  readonly row: number;
  /** As many as beams, best first: those that ended, then those that did not. */
  readonly hypotheses: readonly Hypothesis[];
}

export interface BeamSearch {
  /** Cold: subscribing starts, unsubscribing stops after the run that is under way. Rows come as they are done. */
  search(prompts: readonly ArrayLike<number>[], options: SearchOptions): Observable<SearchResult>;
  /** The same, awaited: hypotheses of each prompt, in order. */
  complete(prompts: readonly ArrayLike<number>[], options: SearchOptions): Promise<readonly (readonly Hypothesis[])[]>;
  /** Stops what runs and closes executables and caches. The backend stays open. */
  close(): Promise<void>;
}

/**
 * Prepares a search. Nothing is compiled before the first call.
 *
 * @throws E_CONFIG, E_PARAMETER
 *
 * @example
 * const search = createBeamSearch({ model, params, backend, beams: 4, batch: 16 });
 * const [best] = await search.complete([[bos]], { sources: [ids], stop: [eos] });
 */
export function createBeamSearch({
  beams = 4,
  batch = 1,
  capacity,
  sourceCapacity,
  ...options
}: BeamSearchOptions): BeamSearch {
  const tokens = Math.min(capacity ?? options.model.length, options.model.length);
  for (const [name, value] of Object.entries({ beams, batch, capacity: tokens, sourceCapacity: sourceCapacity ?? 1 })) {
    if (!Number.isInteger(value) || value < 1)
      fail('E_CONFIG', `beam search: ${name}: expected a whole number of at least 1, received ${value}.`, {
        name,
        value,
      });
  }
  // Beams may have nothing in common but the prompt; one place more for padding.
  const program = createProgram(options, batch, beams * tokens + 1, sourceCapacity);
  const closing = new AbortController();
  let last: Promise<unknown> = Promise.resolve();

  async function* results(
    prompts: readonly ArrayLike<number>[],
    { signal, sources, variants, ...rest }: SearchOptions,
    left: AbortSignal,
  ): AsyncGenerator<SearchResult> {
    if (closing.signal.aborted)
      fail('E_CLOSED', 'beam search: expected an open one, received a call after close. Create another.', {});
    const plan = planOf(readPrompts(program, tokens, prompts, sources, variants), beams, rest);
    const session = await openSession(program, [beams]);
    try {
      yield* rounds(session, plan, AbortSignal.any([left, closing.signal, ...(signal ? [signal] : [])]));
    } finally {
      await session.close();
    }
  }

  const search = (prompts: readonly ArrayLike<number>[], given: SearchOptions): Observable<SearchResult> =>
    new Observable(subscriber => {
      const left = new AbortController();
      last = last.then(async () => {
        try {
          for await (const result of results(prompts, given, left.signal)) subscriber.next(result);
          subscriber.complete();
        } catch (error) {
          subscriber.error(error);
        }
      });
      return () => left.abort();
    });

  return {
    search,
    async complete(prompts, given) {
      const found = await lastValueFrom(search(prompts, given).pipe(toArray()));
      return found.toSorted((a, b) => a.row - b.row).map(({ hypotheses }) => hypotheses);
    },
    async close() {
      closing.abort();
      await last;
      await program.close();
    },
  };
}

/** A call, checked and filled. */
interface Plan extends Prompts {
  readonly beams: number;
  readonly stop: ReadonlySet<number>;
  readonly maxTokens: number;
  readonly lengthPenalty: number;
}

function planOf(
  prompts: Prompts,
  beams: number,
  { stop, maxTokens = 128, lengthPenalty = 1 }: Omit<SearchOptions, 'sources' | 'signal' | 'variants'>,
): Plan {
  const refuse = (name: string, expected: string, received: unknown): never =>
    fail('E_CONFIG', `beam search: ${name}: expected ${expected}, received ${String(received)}.`, { name, received });
  if (stop.length === 0) refuse('stop', 'at least one id that ends a text', 'none');
  if (!(maxTokens >= 1 && (maxTokens === Infinity || Number.isInteger(maxTokens))))
    refuse('maxTokens', 'a whole number of at least 1', maxTokens);
  if (!Number.isFinite(lengthPenalty)) refuse('lengthPenalty', 'a number', lengthPenalty);
  return { ...prompts, beams, stop: new Set(stop), maxTokens, lengthPenalty };
}

/** A beginning. */
interface Beam {
  readonly path: Path;
  readonly ids: readonly number[];
  readonly logProbability: number;
  /** Tokens that the cache does not have yet. */
  readonly pending: readonly number[];
}

/** A text on its way. */
interface Row {
  readonly row: number;
  readonly slot: number;
  beams: readonly Beam[];
  /** Best first, at most as many as beams. */
  ended: readonly Hypothesis[];
}

/** Rounds of one token for each beam of each row; a finished row's slot goes to the next prompt. */
async function* rounds(session: DecodeSession, plan: Plan, halt: AbortSignal): AsyncGenerator<SearchResult> {
  const active = new Map<number, Row>(); // by slot
  let next = 0;
  const finish = (row: Row, reason: Hypothesis['reason']): SearchResult => {
    active.delete(row.slot);
    for (const { path } of row.beams) session.release(path);
    const open = row.beams.map(({ ids, logProbability }) => hypothesis(ids, logProbability, ids.length, reason, plan));
    return { row: row.row, hypotheses: [...row.ended, ...best(open)].slice(0, plan.beams) };
  };
  try {
    for (;;) {
      for (const slot of slotsToFill(plan, next, active, session.slots))
        active.set(slot, begin(session, slot, plan, plan.order[next++]!));
      const rows = [...active.values()];
      if (rows.length === 0) return;
      const outlooks = await feedUnless(
        halt,
        session,
        rows.flatMap(({ beams }) => beams.map(({ path, pending }) => ({ path, ids: pending }))),
      );
      if (outlooks === null) {
        for (const row of rows) yield finish(row, 'cancelled');
        for (; next < plan.prompts.length; next++) yield { row: plan.order[next]!, hypotheses: [] };
        return;
      }
      let read = 0;
      for (const row of rows) {
        const own = outlooks.slice(read, (read += row.beams.length));
        goOn(session, row, own, plan);
        const [beam] = row.beams;
        if (beam === undefined || isDone(row, beam, plan)) yield finish(row, 'stop');
        else if (beam.ids.length >= plan.maxTokens || beam.path.position >= plan.room) yield finish(row, 'length');
      }
    }
  } finally {
    for (const { beams } of active.values()) for (const { path } of beams) session.release(path);
  }
}

const begin = (session: DecodeSession, slot: number, { prompts, sources, variants }: Plan, row: number): Row => ({
  row,
  slot,
  beams: [
    { path: session.open(slot, sources?.[row], variants?.[row]), ids: [], logProbability: 0, pending: prompts[row]! },
  ],
  ended: [],
});

/** One token further: the best continuations of all beams together; those that end are set aside. */
function goOn(session: DecodeSession, row: Row, outlooks: readonly Outlook[], plan: Plan): void {
  const { beams: width, stop } = plan;
  const candidates = outlooks.flatMap(({ logits, peak, total }, from) => {
    const beam = row.beams[from]!;
    expectFinite(row.row, beam.path, { peak, total });
    // With one more than the beams for each end, beams remain even where every end is among the best.
    return strongest(logits, width + stop.size).map(id => ({
      from,
      id,
      logProbability: beam.logProbability + (logits[id]! - total),
    }));
  });
  candidates.sort((a, b) => b.logProbability - a.logProbability || a.from - b.from || a.id - b.id);

  const survivors: typeof candidates = [];
  const ended = [...row.ended];
  for (const [rank, candidate] of candidates.entries()) {
    if (survivors.length === width) break;
    const { from, id, logProbability } = candidate;
    if (!stop.has(id)) survivors.push(candidate);
    // An end that is not among the best of this step is no better than what goes on.
    else if (rank < width) {
      const { ids } = row.beams[from]!;
      ended.push(hypothesis(ids, logProbability, ids.length + 1, 'stop', plan));
    }
  }

  row.ended = best(ended).slice(0, width);

  const taken = new Set<number>();
  const next = survivors.map(({ from, id, logProbability }): Beam => {
    const { path, ids } = row.beams[from]!;
    const own = taken.has(from) ? session.fork(path) : path;
    taken.add(from);
    return { path: own, ids: [...ids, id], logProbability, pending: [id] };
  });
  row.beams.forEach(({ path }, i) => {
    if (!taken.has(i)) session.release(path);
  });
  row.beams = next;
}

const best = (all: readonly Hypothesis[]): readonly Hypothesis[] => all.toSorted((a, b) => b.score - a.score);

/** Whether the likeliest beginning is no better than the worst of enough texts. */
const isDone = ({ ended }: Row, { ids, logProbability }: Beam, plan: Plan): boolean =>
  ended.length === plan.beams && scoreOf(logProbability, ids.length, plan) <= ended.at(-1)!.score;

/** @param length tokens that were chosen, the end included */
const hypothesis = (
  ids: readonly number[],
  logProbability: number,
  length: number,
  reason: Hypothesis['reason'],
  plan: Plan,
): Hypothesis => ({ ids, logProbability, score: scoreOf(logProbability, length, plan), reason });

const scoreOf = (logProbability: number, length: number, { lengthPenalty }: Plan): number =>
  logProbability / Math.max(1, length) ** lengthPenalty;
