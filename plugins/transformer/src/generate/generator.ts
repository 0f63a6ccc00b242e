/** Texts from prompts: many at once, each as if it were alone. */

import { fail } from '@heddle/core';
import { Observable, lastValueFrom, toArray } from 'rxjs';
import { chooseToken, sampling, uniformAt, type Sampling, type SamplingOptions } from './sampling.js';
import { createProgram, type ProgramOptions } from './program.js';
import { expectFinite, feedUnless, readPrompts, slotsToFill, type Prompts } from './prompts.js';
import { openSession, type DecodeSession, type Outlook } from './session.js';
import type { Path } from './places.js';

export interface GeneratorOptions extends ProgramOptions {
  /** Texts that are generated at once. Default 1. */
  readonly batch?: number;
  /** Tokens of the longest text, its prompt included. Default: the model's length. */
  readonly capacity?: number;
  /** Tokens of the longest source, for models that read one. Default: the model's. */
  readonly sourceCapacity?: number;
  /** Tokens of a prompt that one run takes: an executable is compiled for each length that is needed. Default 16 and 128. */
  readonly prefillLengths?: readonly number[];
}

/** Turns ids into text as they come; `tokenizer.decoder()` of `@heddle/text` is one. */
export interface TextDecoder {
  push(id: number): string;
  end(): string;
}

export interface GenerateOptions extends SamplingOptions {
  /** What each text is written from, for models that read a source. Prompts then are the first tokens of the texts. */
  readonly sources?: readonly ArrayLike<number>[];
  /** Which of the variants each text is written with. Default the first. */
  readonly variants?: readonly number[];
  /** Tokens after each prompt. Default 128. */
  readonly maxTokens?: number;
  /** Ids that end a text. */
  readonly stop?: readonly number[];
  /** The same seed gives the same texts. Default 0. */
  readonly seed?: number;
  /** A seed for each row, so that equal prompts differ, and a row does not depend on where it stands. Default: its index. */
  readonly rowSeeds?: readonly number[];
  /** Ends the rows that are not finished with reason `cancelled`. */
  readonly signal?: AbortSignal;
  /** Makes a decoder for each row; events then carry text. */
  readonly decoder?: () => TextDecoder;
}

export type FinishReason = 'stop' | 'length' | 'cancelled';

export type GenerateEvent =
  | {
      readonly type: 'token';
      readonly row: number;
      readonly id: number;
      /** Under the model's own distribution: temperature 1, no cut. */
      readonly logProbability: number;
      /** What this token completes, often '' in the middle of a character. Only with a decoder. */
      readonly text?: string;
    }
  | ({ readonly type: 'finished' } & Completion);

/** One finished text. */
export interface Completion {
  readonly row: number;
  /** `length`: `maxTokens`, the capacity or the model's length was reached. */
  readonly reason: FinishReason;
  /** Without the prompt and without the id that stopped it. */
  readonly ids: readonly number[];
  readonly logProbabilities: readonly number[];
  /** The id that stopped it. */
  readonly stopped: { readonly id: number; readonly logProbability: number } | null;
  readonly text?: string;
}

export interface Generator {
  /**
   * Cold: subscribing starts, unsubscribing stops after the run that is under way. Calls on one generator queue.
   *
   * More prompts than the batch has rows are taken up as rows finish; with sources, once half of the rows have finished, for
   * reading sources costs as much for one row as for half of them.
   *
   * @throws on the error channel E_PROMPT, E_LENGTH, E_CAPACITY, E_CONFIG, E_LOGITS, and what the backend throws
   */
  generate(prompts: readonly ArrayLike<number>[], options?: GenerateOptions): Observable<GenerateEvent>;
  /** The same, awaited: one completion for each prompt, in order. */
  complete(prompts: readonly ArrayLike<number>[], options?: GenerateOptions): Promise<readonly Completion[]>;
  /** A session on the same executables, for whoever lays out paths of their own. The caller closes it. */
  session(): Promise<DecodeSession>;
  /** Stops what runs and closes executables and caches. The backend stays open. */
  close(): Promise<void>;
}

/**
 * Prepares generation. Nothing is compiled before the first call.
 *
 * @throws E_CONFIG, E_PARAMETER
 *
 * @example
 * const generator = createGenerator({ model, params, backend, batch: 4 });
 * generator.generate([[1, 2, 3]], { temperature: 0.8, topP: 0.95 }).subscribe(event => ...);
 */
export function createGenerator({
  batch = 1,
  capacity,
  sourceCapacity,
  prefillLengths = [16, 128],
  ...options
}: GeneratorOptions): Generator {
  const { model } = options;
  const tokens = capacity ?? model.length;
  for (const [name, value] of [
    ['batch', batch],
    ['capacity', tokens],
    ...(sourceCapacity === undefined ? [] : [['sourceCapacity', sourceCapacity] as const]),
    ...prefillLengths.map(n => ['prefillLengths', n] as const),
  ] as const) {
    if (!Number.isInteger(value) || value < 1)
      fail('E_CONFIG', `generator: ${name}: expected a whole number of at least 1, received ${value}.`, {
        name,
        value,
      });
  }
  const program = createProgram(options, batch, tokens + 1, sourceCapacity); // one place for padding
  const closing = new AbortController();
  let session: DecodeSession | null = null;
  let last: Promise<unknown> = Promise.resolve();

  async function* texts(
    prompts: readonly ArrayLike<number>[],
    { signal, sources, variants, ...rest }: GenerateOptions,
    left: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    if (closing.signal.aborted)
      fail('E_CLOSED', 'generator: expected an open generator, received a call after close. Create another.', {});
    const plan = planOf(readPrompts(program, Math.min(tokens, model.length), prompts, sources, variants), rest);
    session ??= await openSession(program, prefillLengths);
    const halt = AbortSignal.any([left, closing.signal, ...(signal ? [signal] : [])]);
    try {
      yield* rounds(session, plan, halt);
    } catch (error) {
      // The cache may be lost; the next call begins with another.
      const broken = session;
      session = null;
      await broken?.close();
      throw error;
    }
  }

  const generate = (prompts: readonly ArrayLike<number>[], given: GenerateOptions = {}): Observable<GenerateEvent> =>
    new Observable(subscriber => {
      const left = new AbortController();
      const turn = last.then(async () => {
        try {
          for await (const event of texts(prompts, given, left.signal)) subscriber.next(event);
          subscriber.complete();
        } catch (error) {
          subscriber.error(error);
        }
      });
      last = turn;
      return () => left.abort();
    });

  return {
    generate,
    async complete(prompts, given) {
      const events = await lastValueFrom(generate(prompts, given).pipe(toArray()));
      const done = events.filter(event => event.type === 'finished');
      return done.toSorted((a, b) => a.row - b.row).map(({ type: _type, ...completion }) => completion);
    },
    session: () => openSession(program, prefillLengths),
    async close() {
      closing.abort();
      await last;
      await session?.close();
      session = null;
      await program.close();
    },
  };
}

/** A call, checked and filled. */
interface Plan extends Prompts {
  readonly sampling: Sampling;
  readonly maxTokens: number;
  readonly stop: ReadonlySet<number>;
  readonly seed: number;
  readonly rowSeeds: readonly number[];
  readonly decoder: (() => TextDecoder) | null;
}

function planOf(
  given: Prompts,
  {
    maxTokens = 128,
    stop = [],
    seed = 0,
    rowSeeds,
    decoder,
    ...rest
  }: Omit<GenerateOptions, 'signal' | 'sources' | 'variants'>,
): Plan {
  const { prompts } = given;
  const refuse = (name: string, expected: string, received: unknown): never =>
    fail('E_CONFIG', `generate: ${name}: expected ${expected}, received ${String(received)}.`, { name, received });
  const isSeed = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
  if (!(maxTokens >= 1 && (maxTokens === Infinity || Number.isInteger(maxTokens))))
    refuse('maxTokens', 'a whole number of at least 1', maxTokens);
  if (!isSeed(seed)) refuse('seed', 'a whole number of at least 0', seed);
  const seeds = rowSeeds ?? prompts.map((_, row) => row);
  if (seeds.length !== prompts.length || !seeds.every(isSeed))
    refuse('rowSeeds', `${prompts.length} whole numbers of at least 0`, `[${seeds.join(', ')}]`);
  return {
    ...given,
    sampling: sampling(rest),
    maxTokens,
    stop: new Set(stop),
    seed,
    rowSeeds: seeds,
    decoder: decoder ?? null,
  };
}

/** A text on its way. */
interface Row {
  readonly row: number;
  readonly path: Path;
  /** Tokens that the cache does not have yet. */
  pending: readonly number[];
  readonly ids: number[];
  readonly logProbabilities: number[];
  readonly decoder: TextDecoder | null;
  text: string;
}

/** Rounds of one token for each row; a finished row's slot goes to the next prompt. */
async function* rounds(session: DecodeSession, plan: Plan, halt: AbortSignal): AsyncGenerator<GenerateEvent> {
  const active = new Map<number, Row>(); // by slot
  let next = 0;
  const finish = (row: Row, reason: FinishReason, by: Completion['stopped'] = null): GenerateEvent => {
    active.delete(row.path.slot);
    session.release(row.path);
    return {
      type: 'finished',
      row: row.row,
      reason,
      ids: row.ids,
      logProbabilities: row.logProbabilities,
      stopped: by,
      ...(row.decoder ? { text: row.text + row.decoder.end() } : {}),
    };
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
        rows.map(({ path, pending }) => ({ path, ids: pending })),
      );
      if (outlooks === null) {
        for (const row of rows) yield finish(row, 'cancelled');
        for (; next < plan.prompts.length; next++)
          yield finish(begin(session, 0, plan, plan.order[next]!), 'cancelled');
        return;
      }
      for (const [i, row] of rows.entries()) {
        const { id, logProbability } = draw(row, outlooks[i]!, plan);
        if (plan.stop.has(id)) {
          yield finish(row, 'stop', { id, logProbability });
          continue;
        }
        const text = row.decoder?.push(id);
        row.ids.push(id);
        row.logProbabilities.push(logProbability);
        row.text += text ?? '';
        row.pending = [id];
        yield { type: 'token', row: row.row, id, logProbability, ...(text === undefined ? {} : { text }) };
        if (row.ids.length >= plan.maxTokens || row.path.position >= plan.room) yield finish(row, 'length');
      }
    }
  } finally {
    for (const { path } of active.values()) session.release(path);
  }
}

const begin = (
  session: DecodeSession,
  slot: number,
  { prompts, sources, variants, decoder }: Plan,
  row: number,
): Row => ({
  row,
  path: session.open(slot, sources?.[row], variants?.[row]),
  pending: prompts[row]!,
  ids: [],
  logProbabilities: [],
  decoder: decoder?.() ?? null,
  text: '',
});

function draw(
  { row, path }: Row,
  { logits, peak, total }: Outlook,
  { sampling: how, seed, rowSeeds }: Plan,
): { readonly id: number; readonly logProbability: number } {
  expectFinite(row, path, { peak, total });
  const uniform = how.temperature === 0 ? 0 : uniformAt(seed, rowSeeds[row]!, path.position);
  const id = chooseToken(logits, peak, how, uniform);
  return { id, logProbability: logits[id]! - total };
}
