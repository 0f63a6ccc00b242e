/** A cache and the texts in it: tokens go in, logits of the next ones come out. */

import { fail, hostZeros, type DeviceTensor, type Feeds, type HostTensor } from '@heddle/core';
import { createSources } from './sources.js';
import { createPlaces, type Path } from './places.js';
import type { DecodeProgram } from './program.js';
import { createChoices } from './variants.js';

/** Tokens that go on a path. */
export interface Feed {
  readonly path: Path;
  /** At least one. */
  readonly ids: readonly number[];
}

/** What the model expects after a path's last token: until the session's next feed, which takes the memory. */
export interface Outlook {
  /** f32[V] */
  readonly logits: Float32Array;
  /** The largest logit. */
  readonly peak: number;
  /** Logarithm of the sum of exponentials of the logits: `logits[id] - total` is a log-probability. */
  readonly total: number;
}

/** One run, laid out by hand: everything that a run reads, row-major. */
export interface DecodeStep {
  /** Tokens for each slot: one of the session's `lengths`. */
  readonly count: number;
  /** i32[B, N] each. The places of one slot must differ. */
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly places: Int32Array;
  /** f32[B, N, C]: 0 where a token may look, -1e9 where not. */
  readonly mask: Float32Array;
  readonly logits: boolean;
}

export interface StepResult {
  /** f32[B, N, V] */
  readonly logits: Float32Array;
  /** f32[B, N]: the largest logit, and how far the logarithm of the sum of exponentials lies above it. */
  readonly peak: Float32Array;
  readonly mass: Float32Array;
}

export interface DecodeSession {
  readonly slots: number;
  /** Tokens that one slot can hold, all its paths together. */
  readonly capacity: number;
  /** Numbers of tokens a run that there are executables for, ascending. */
  readonly lengths: readonly number[];
  /**
   * Starts an empty text in a slot.
   *
   * @param variant which of the program's variants the slot computes with; default the first
   * @param source ids of what the text is written from, for models that read one; all sources that were opened since the
   *   last run are read together, before the next
   * @throws E_PATH, E_PROMPT, E_LENGTH
   */
  open(slot: number, source?: ArrayLike<number>, variant?: number): Path;
  /** Another path that has the same text so far; nothing is copied. */
  fork(path: Path): Path;
  /** A path that sees what any of these sees and goes on after the furthest of them. */
  join(paths: readonly Path[]): Path;
  /** Gives a path's places back. */
  release(path: Path): void;
  /** Tokens that still fit into a slot. */
  free(slot: number): number;
  /**
   * Puts tokens on paths, any number each, also on several paths of one slot, in as few runs as there are lengths for.
   *
   * @returns what is expected after each feed
   * @throws E_CAPACITY, E_LENGTH, E_PROMPT, E_PATH before anything is changed
   */
  feed(feeds: readonly Feed[], signal?: AbortSignal): Promise<readonly Outlook[]>;
  /** One run as it is laid out; the caller answers for places and masks. The lowest level, below paths. */
  run(step: DecodeStep): Promise<StepResult | null>;
  close(): Promise<void>;
}

const hidden = -1e9;

/** One token on its way into a run. */
interface Entry {
  readonly path: Path;
  readonly feed: number;
  readonly id: number;
}

/** @param lengths tokens a run, beside 1 */
export async function openSession(program: DecodeProgram, lengths: readonly number[]): Promise<DecodeSession> {
  const { model, backend, batch: B, places: C } = program;
  const V = model.vocabulary;
  const table = createPlaces(B, C - 1);
  const choices = createChoices(program);
  const sources = await createSources(program, choices);
  const sizes = [...new Set([1, ...lengths])].filter(n => n <= C).toSorted((a, b) => a - b);
  const names = Object.keys(model.cache(B, C));
  let cache: Record<string, DeviceTensor> = {};
  let failure: unknown = null;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  const drop = (): void => {
    for (const held of Object.values(cache)) held.close();
    cache = {};
  };
  try {
    for (const [name, { shape }] of Object.entries(model.cache(B, C)))
      cache[name] = await backend.upload(hostZeros(shape));
  } catch (error) {
    drop();
    sources.close();
    throw error;
  }
  const alive = (): void => {
    if (closed) fail('E_CLOSED', 'session: expected an open session, received a call after close. Open another.', {});
    if (failure !== null)
      fail(
        'E_CLOSED',
        'session: expected a session whose runs succeeded, received one with a lost cache. Open another.',
        {},
        failure,
      );
  };

  const keep = names.map(name => `cache.${name}`);
  const donate = Object.fromEntries(keep.map(name => [name, name]));
  const ints = (data: Int32Array, count: number): HostTensor => ({ dtype: 'i32', shape: [B, count], data });

  async function runNow(
    { count, ids, positions, places, mask, logits }: DecodeStep,
    into: Float32Array | null,
  ): Promise<StepResult | null> {
    alive();
    const executable = await program.executable(count, logits);
    try {
      await sources.read();
    } catch (error) {
      failure = error; // what was kept of sources was given away
      drop();
      throw error;
    }
    const feeds: Feeds = {
      ...sources.feeds(),
      ...choices.feeds(),
      ...Object.fromEntries(names.map(name => [`cache.${name}`, cache[name]!])),
      ids: ints(ids, count),
      positions: ints(positions, count),
      places: ints(places, count),
      mask: { dtype: 'f32', shape: [B, count, C], data: mask },
    };
    try {
      const { outputs, kept } = await executable.run(feeds, {
        keep,
        donate,
        ...(logits && into ? { into: { logits: into } } : {}),
      });
      drop();
      cache = Object.fromEntries(names.map(name => [name, kept[`cache.${name}`]!]));
      return logits
        ? { logits: cells(outputs, 'logits'), peak: cells(outputs, 'peak'), mass: cells(outputs, 'mass') }
        : null;
    } catch (error) {
      failure = error; // the cache was given away, so what it holds is unknown
      drop();
      throw error;
    }
  }

  /** Logits of the n-th run of a feed: at each step of a text, fresh memory would be garbage a moment later. */
  const memories: Float32Array[] = [];
  let feeding = 0;
  const memoryOf = (n: number, count: number): Float32Array => {
    const size = B * count * V;
    return memories[n]?.length === size ? memories[n] : (memories[n] = new Float32Array(size));
  };

  /** Runs queue: each needs the cache of the one before. */
  function run(step: DecodeStep, into: Float32Array | null = null): Promise<StepResult | null> {
    const turn = last.then(() => runNow(step, into));
    last = turn.catch(() => undefined);
    return turn;
  }

  /** The number of tokens a run: enough for the longest queue, or the most that is not mostly padding. */
  function countFor(queues: readonly (readonly Entry[])[]): number {
    const wanted = Math.max(...queues.map(queue => queue.length));
    const room = Math.min(...queues.map((_, slot) => table.free(slot) + 1)); // padding needs places too
    const fitting = sizes.filter(n => n <= Math.max(1, room));
    const enough = fitting.find(n => n >= wanted);
    return enough !== undefined && enough <= 3 * wanted ? enough : fitting.findLast(n => n <= wanted)!;
  }

  /** Takes up to `count` tokens from each queue, gives them places, and says where each stands. */
  function layOut(
    queues: readonly Entry[][],
    count: number,
    logits: boolean,
  ): { readonly step: DecodeStep; readonly at: readonly (readonly [feed: number, row: number])[] } {
    const ids = new Int32Array(B * count);
    const positions = new Int32Array(B * count);
    const places = new Int32Array(B * count);
    const mask = new Float32Array(B * count * C).fill(hidden);
    const at: (readonly [number, number])[] = [];
    queues.forEach((queue, slot) => {
      const taken = queue.splice(0, count);
      taken.forEach(({ path, feed, id }, n) => {
        const row = slot * count + n;
        const { place, position } = table.append(path);
        ids[row] = id;
        positions[row] = position;
        places[row] = place;
        for (const seen of path.places) mask[row * C + seen] = 0;
        at.push([feed, row]);
      });
      const spare = taken.length < count ? table.spare(slot) : [];
      for (let n = taken.length; n < count; n++) places[slot * count + n] = spare.at(-1 - (n - taken.length))!;
    });
    return { step: { count, ids, positions, places, mask, logits }, at };
  }

  function check(feeds: readonly Feed[]): void {
    const bySlot = new Map<number, number>();
    const byPath = new Map<Path, number>();
    feeds.forEach(({ path, ids }, i) => {
      if (!path.open)
        fail('E_PATH', `feed ${i}: expected an open path, received one that was released. Open or fork one.`, {
          feed: i,
        });
      if (byPath.has(path))
        fail(
          'E_PATH',
          `feed ${i}: expected each path once, received one a second time. Put its tokens into one feed.`,
          { feed: i },
        );
      if (ids.length === 0)
        fail(
          'E_PROMPT',
          `feed ${i}: expected at least one token, received none. Begin a text with a token such as <bos>.`,
          { feed: i },
        );
      const bad = ids.findIndex(id => !Number.isInteger(id) || id < 0 || id >= V);
      if (bad >= 0)
        fail(
          'E_PROMPT',
          `feed ${i}, token ${bad}: expected an id from 0 to ${V - 1}, received ${ids[bad]}. Use the tokeniser that the model was trained with.`,
          { feed: i, token: bad, id: ids[bad] },
        );
      if (path.position + ids.length > model.length)
        fail(
          'E_LENGTH',
          `feed ${i}: expected a text of at most ${model.length} tokens, received ${path.position + ids.length}. Cut the text.`,
          { feed: i, length: model.length },
        );
      byPath.set(path, i);
      bySlot.set(path.slot, (bySlot.get(path.slot) ?? 0) + ids.length);
    });
    for (const [slot, tokens] of bySlot) {
      if (tokens > table.free(slot))
        fail(
          'E_CAPACITY',
          `slot ${slot}: expected at most ${table.free(slot)} more tokens, received ${tokens}. Release paths, or open a session with more capacity.`,
          { slot, free: table.free(slot), tokens },
        );
    }
  }

  async function feed(feeds: readonly Feed[], signal?: AbortSignal): Promise<readonly Outlook[]> {
    alive();
    check(feeds);
    // Feeds that overlap get memory of their own.
    const alone = feeding++ === 0;
    try {
      return await fed(feeds, signal, alone);
    } finally {
      feeding--;
    }
  }

  async function fed(
    feeds: readonly Feed[],
    signal: AbortSignal | undefined,
    alone: boolean,
  ): Promise<readonly Outlook[]> {
    const outlooks = new Array<Outlook>(feeds.length);
    let runs = 0;
    const queuesOf = (pick: (ids: readonly number[]) => readonly number[]): Entry[][] => {
      const queues = Array.from({ length: B }, (): Entry[] => []);
      feeds.forEach(({ path, ids }, i) => queues[path.slot]!.push(...pick(ids).map(id => ({ path, feed: i, id }))));
      return queues;
    };
    // All but the last tokens only fill the cache; the last ones, one for each path, are asked for logits.
    for (const [queues, logits] of [
      [queuesOf(ids => ids.slice(0, -1)), false],
      [queuesOf(ids => ids.slice(-1)), true],
    ] as const) {
      while (queues.some(queue => queue.length > 0)) {
        signal?.throwIfAborted();
        const { step, at } = layOut(queues, countFor(queues), logits);
        const result = await run(step, logits && alone ? memoryOf(runs++, step.count) : null);
        if (!result) continue;
        for (const [i, row] of at) {
          const peak = result.peak[row]!;
          outlooks[i] = {
            logits: result.logits.subarray(row * V, (row + 1) * V),
            peak,
            total: peak + result.mass[row]!,
          };
        }
      }
    }
    return outlooks;
  }

  return {
    slots: B,
    capacity: table.capacity,
    lengths: sizes,
    open(slot, source, variant) {
      if ((source !== undefined || variant !== undefined) && table.busy(slot))
        fail(
          'E_PATH',
          `slot ${slot}: expected one without open paths, received one whose texts look at another source or variant. Release them first, or take another slot.`,
          { slot },
        );
      const isFirst = !table.busy(slot);
      const path = table.open(slot);
      try {
        sources.take(slot, source);
        if (isFirst) choices.choose(slot, variant);
      } catch (error) {
        table.release(path);
        throw error;
      }
      return path;
    },
    fork: path => table.fork(path),
    join: paths => table.join(paths),
    release: path => table.release(path),
    free: slot => table.free(slot),
    feed,
    run: step => run(step),
    async close() {
      closed = true;
      await last;
      drop();
      sources.close();
    },
  };
}

/** Named f32 outputs of a run. */
const cells = (outputs: Readonly<Record<string, HostTensor>>, name: string): Float32Array =>
  outputs[name]!.data as Float32Array;
