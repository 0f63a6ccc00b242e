/** The sources that texts of a session are written from: taken on the host, read together, kept on the engine. */

import { fail, hostZeros, type DeviceTensor, type Feeds, type HostTensor } from '@heddle/core';
import type { DecodeProgram } from './program.js';
import type { Choices } from './variants.js';

export interface Sources {
  /** Notes the source of a slot. @throws E_PROMPT, E_LENGTH */
  take(slot: number, ids: ArrayLike<number> | undefined): void;
  /** Reads what was taken since the last call, all slots in one run. */
  read(): Promise<void>;
  /** What a step reads of them. */
  feeds(): Feeds;
  close(): void;
}

/** For models without sources: nothing to read, and none may be given. */
const none: Sources = {
  take(_slot, ids) {
    if (ids !== undefined)
      fail(
        'E_PROMPT',
        'open: expected no source for a decoder, received one. Put its tokens before the text, or use an encoder-decoder.',
        {},
      );
  },
  read: () => Promise.resolve(),
  feeds: () => ({}),
  close: () => undefined,
};

/** @param what names the source in errors @throws E_PROMPT, E_LENGTH */
export function expectSource(
  what: string,
  ids: ArrayLike<number> | undefined,
  vocabulary: number,
  capacity: number,
): readonly number[] {
  const source = Array.from(ids ?? []);
  if (source.length === 0)
    fail(
      'E_PROMPT',
      `${what}: expected at least one token, received none. An encoder-decoder writes each text from a source.`,
      {},
    );
  if (source.length > capacity)
    fail(
      'E_LENGTH',
      `${what}: expected at most ${capacity} tokens, received ${source.length}. Cut it, or raise sourceCapacity or the model's sourceLength.`,
      { tokens: source.length, capacity },
    );
  const bad = source.findIndex(id => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (bad >= 0)
    fail(
      'E_PROMPT',
      `${what}, token ${bad}: expected an id from 0 to ${vocabulary - 1}, received ${source[bad]}. Use the tokeniser that the model was trained with.`,
      { token: bad, id: source[bad] },
    );
  return source;
}

/** Tokens a run of the encoder: an executable each, so few, and evenly spread, so that little is padding. */
function readingLengths(longest: number): readonly number[] {
  const apart = Math.max(8, Math.ceil(longest / 6));
  return [...Array.from({ length: Math.ceil(longest / apart) - 1 }, (_, i) => (i + 1) * apart), longest];
}

/** The first N cells of some of the rows of S. @shape [B * S] -> [rows * N] */
function corner<T extends Int32Array | Float32Array>(cells: T, S: number, rows: readonly number[], N: number): T {
  const found = cells.slice(0, rows.length * N) as T;
  rows.forEach((row, i) => found.set(cells.subarray(row * S, row * S + N), i * N));
  return found;
}

/** @param choices of the slots, which reading a source may depend on */
export async function createSources(program: DecodeProgram, choices: Choices): Promise<Sources> {
  const { model, backend, batch: B, sourceTokens: S } = program;
  if (model.kind === 'decoder') return none;
  const lengths = readingLengths(S);
  const half = Math.ceil(B / 2);
  const ids = new Int32Array(B * S);
  const mask = new Float32Array(B * S);
  const fresh = new Float32Array(B);
  const names = Object.keys(model.memory(B, S));
  const keep = names.map(name => `memory.${name}`);
  const donate = Object.fromEntries(keep.map(name => [name, name]));
  let memory: Record<string, DeviceTensor> = {};
  const drop = (): void => {
    for (const held of Object.values(memory)) held.close();
    memory = {};
  };
  const memoryFeeds = (): Feeds => Object.fromEntries(names.map(name => [`memory.${name}`, memory[name]!]));
  const sourceMask = (): HostTensor => ({ dtype: 'f32', shape: [B, S], data: mask });
  const tokensOf = (slot: number): number => mask.subarray(slot * S, (slot + 1) * S).lastIndexOf(1) + 1;
  try {
    for (const [name, { shape }] of Object.entries(model.memory(B, S)))
      memory[name] = await backend.upload(hostZeros(shape));
  } catch (error) {
    drop();
    throw error;
  }

  return {
    take(slot, given) {
      const source = expectSource(`slot ${slot}: source`, given, model.vocabulary, S);
      ids.fill(0, slot * S, (slot + 1) * S).set(source, slot * S);
      mask.fill(0, slot * S, (slot + 1) * S).fill(1, slot * S, slot * S + source.length);
      fresh[slot] = 1;
    },
    async read() {
      if (!fresh.includes(1)) return;
      const now = fresh.slice(); // what is taken while this run is under way waits for the next
      fresh.fill(0);
      const waiting = Array.from(now.keys()).filter(slot => now[slot] === 1);
      const N = lengths.find(length => waiting.every(slot => tokensOf(slot) <= length))!;
      // Half of the rows cost half as much; of fewer, some are read more than once.
      const R = waiting.length <= half ? half : B;
      const read = R === B ? Array.from(now.keys()) : Array.from({ length: R }, (_, i) => waiting[i] ?? waiting[0]!);
      const encoder = await program.encoder({ rows: R, count: N });
      const from = Int32Array.from(now.keys(), slot => Math.max(0, read.indexOf(slot)));
      const feeds: Feeds = {
        ...memoryFeeds(),
        ...choices.feeds(read),
        source: { dtype: 'i32', shape: [R, N], data: corner(ids, S, read, N) },
        sourceMask: { dtype: 'f32', shape: [R, N], data: corner(mask, S, read, N) },
        fresh: { dtype: 'f32', shape: [B], data: now },
        ...(R < B ? { from: { dtype: 'i32', shape: [B], data: from } } : {}),
      };
      const { kept } = await encoder.run(feeds, { keep, donate });
      drop();
      memory = Object.fromEntries(names.map(name => [name, kept[`memory.${name}`]!]));
    },
    feeds: () => ({ ...memoryFeeds(), sourceMask: sourceMask() }),
    close: drop,
  };
}
