/**
 * Rollouts that think in parallel when the model opens a block: its paths are decoded together from one cache, and joined
 * in it. Nothing is read twice, and sampling sees what masks and positions of the trajectory's segments say.
 */

import { fail, streamOf, uniforms } from '@heddle/core';
import { drawToken } from './draw.js';
import type { TagIds } from '../grammar/tags.js';
import type { Segment } from '../structure/segments.js';
import type { PathSession, SessionFeed, SessionOutlook, SessionPath } from './session.js';

/** One answer with its structure. */
export interface Trajectory {
  /** Prompt and answer; paths of a block stand one after another. */
  readonly ids: readonly number[];
  readonly promptLength: number;
  /** Over all of `ids`. */
  readonly segments: readonly Segment[];
  /**
   * One for each token: of the policy that sampled it, at its temperature; 0 for what was not sampled, null where nobody
   * knows, as some servers do not say.
   */
  readonly logp: readonly (number | null)[];
  /** 1 for tokens that the model chose; 0 for the prompt and for forced tags. */
  readonly sampled: readonly number[];
  /** `fault`: it broke off for the reason in `fault`, and is worth nothing. */
  readonly finish: 'end-of-text' | 'length' | 'fault';
  readonly fault?: string;
  /** Paths that were closed because they ended the text or grew too long. */
  readonly forcedCloses: number;
  /** Places of `ids` at which blocks opened, where segments do not show it: of answers that are one line to the model. */
  readonly opens?: readonly number[];
  /** Of the weights that sampled it. */
  readonly version: number;
}

export interface ParallelOptions {
  readonly tags: TagIds;
  readonly endOfText: number;
  /** Between `</Parallel>` and `<Summary>`. */
  readonly newline: readonly number[];
  /** Tokens of an answer, all paths and tags together. */
  readonly responseLength: number;
  /** Default 2. */
  readonly paths?: number;
  /** Blocks that may open; a later `<Parallel>` is text. 0 decodes in one line. Default 4. */
  readonly maxBlocks?: number;
  /** Tokens of one path, tags included. */
  readonly maxPathLength?: number;
  /** Above 0. Default 1. */
  readonly temperature?: number;
  readonly seed: number;
  /** Number of the first prompt, where a batch is rolled out in parts. Default 0. */
  readonly first?: number;
  readonly version: number;
}

/** What a row wants to be fed, and what came of it. */
type Row<P extends SessionPath> = Generator<readonly SessionFeed<P>[], Trajectory, readonly SessionOutlook[]>;

/**
 * One trajectory for each prompt. What a row samples depends on its number and the seed alone, never on the others.
 *
 * @throws E_PROMPT for more prompts than the session has slots
 * @throws E_CONFIG for options that allow no path
 */
export async function parallelRollouts<P extends SessionPath>(
  session: PathSession<P>,
  prompts: readonly (readonly number[])[],
  options: ParallelOptions,
  signal?: AbortSignal,
): Promise<readonly Trajectory[]> {
  if (prompts.length > session.slots)
    fail(
      'E_PROMPT',
      `parallelRollouts: expected at most ${session.slots} prompts, received ${prompts.length}. Roll out in parts.`,
      {
        slots: session.slots,
        received: prompts.length,
      },
    );
  const { paths = 2, temperature = 1 } = options;
  if (!(Number.isSafeInteger(paths) && paths >= 1 && temperature > 0))
    fail(
      'E_CONFIG',
      `parallelRollouts: expected at least 1 path and a temperature above 0, received ${paths} and ${temperature}.`,
      {
        paths,
        temperature,
      },
    );
  const done: Trajectory[] = [];
  const held = holding(session);
  const rows = prompts.map((prompt, i) => ({
    i,
    row: think(held.session, prompt, i, options),
    wants: [] as readonly SessionFeed<P>[],
  }));
  const advance = (one: (typeof rows)[number], outlooks: readonly SessionOutlook[]): void => {
    const { done: finished, value } = one.row.next(outlooks);
    one.wants = finished ? [] : value;
    if (finished) done[one.i] = value;
  };
  try {
    for (const one of rows) advance(one, []);
    for (;;) {
      const live = rows.filter(({ wants }) => wants.length > 0);
      if (live.length === 0) return done;
      const outlooks = await session.feed(
        live.flatMap(({ wants }) => wants),
        signal,
      );
      let at = 0;
      for (const one of live) advance(one, outlooks.slice(at, (at += one.wants.length)));
    }
  } finally {
    held.release();
  }
}

/** A session that knows what was opened through it, to give it all back when a run is called off. */
function holding<P extends SessionPath>(
  session: PathSession<P>,
): { readonly session: PathSession<P>; release(): void } {
  const open = new Set<P>();
  const keep = (path: P): P => {
    open.add(path);
    return path;
  };
  return {
    session: {
      slots: session.slots,
      open: slot => keep(session.open(slot)),
      fork: path => keep(session.fork(path)),
      join: paths => keep(session.join(paths)),
      release: path => {
        open.delete(path);
        session.release(path);
      },
      feed: (feeds, signal) => session.feed(feeds, signal),
    },
    release: () => {
      for (const path of open) session.release(path);
    },
  };
}

function* think<P extends SessionPath>(
  session: PathSession<P>,
  prompt: readonly number[],
  index: number,
  {
    tags,
    endOfText,
    newline,
    responseLength,
    paths: count = 2,
    maxBlocks = 4,
    maxPathLength = 4096,
    temperature = 1,
    seed,
    first = 0,
    version,
  }: ParallelOptions,
): Row<P> {
  const ids = [...prompt];
  const logp = prompt.map(() => 0);
  const sampled = prompt.map(() => 0);
  const segments: Segment[] = [];
  const push = (id: number, own: number | null): void => {
    ids.push(id);
    logp.push(own ?? 0);
    sampled.push(own === null ? 0 : 1);
  };
  const limit = prompt.length + responseLength;
  const number = first + index;
  const main = uniforms(seed, streamOf(`rollout/${number}`));
  let [start, parents, blocks, forcedCloses] = [0, [] as readonly number[], 0, 0];
  let trunk = session.open(index);
  const finish = (how: Trajectory['finish']): Trajectory => {
    session.release(trunk);
    segments.push({ start, end: ids.length, parents });
    return { ids, promptLength: prompt.length, segments, logp, sampled, finish: how, forcedCloses, version };
  };
  let [outlook] = yield [{ path: trunk, ids: prompt }];
  let inSummary = false;
  while (ids.length < limit) {
    const { id, logp: own } = drawToken(outlook!.logits, temperature, main());
    push(id, own);
    if (id === endOfText) return finish('end-of-text');
    // The block's tags, its join, and a token of each path have to fit.
    const share = Math.min(maxPathLength, Math.floor((limit - ids.length - newline.length - 2) / count));
    const opens = id === tags.parallel && !inSummary && blocks < maxBlocks && share >= 3;
    if (id === tags.endSummary) inSummary = false;
    [outlook] = yield [{ path: trunk, ids: [id] }];
    if (!opens) continue;
    segments.push({ start, end: ids.length, parents });
    const before = segments.length - 1;
    const forks = Array.from({ length: count }, (_, k) => ({
      path: session.fork(trunk),
      ids: [tags.path],
      logp: [null] as (number | null)[],
      next: uniforms(seed, streamOf(`rollout/${number}/${blocks}/${k}`)),
    }));
    session.release(trunk);
    let live = forks;
    while (live.length > 0) {
      const outlooks = yield live.map(({ path, ids: own }) => ({ path, ids: own.slice(-1) }));
      // A closing tag is fed like any other token, for what follows the block sees it.
      const open = live
        .map((fork, k) => ({ fork, logits: outlooks[k]!.logits }))
        .filter(({ fork }) => fork.ids.at(-1) !== tags.endPath);
      for (const { fork, logits } of open) {
        const found = drawToken(logits, temperature, fork.next());
        const close = found.id !== tags.endPath && (found.id === endOfText || fork.ids.length + 1 >= share);
        if (close) forcedCloses++;
        fork.ids.push(close ? tags.endPath : found.id);
        fork.logp.push(close ? null : found.logp);
      }
      live = open.map(({ fork }) => fork);
    }
    for (const fork of forks) {
      segments.push({ start: ids.length, end: ids.length + fork.ids.length, parents: [before] });
      fork.ids.forEach((own, k) => push(own, fork.logp[k]!));
    }
    trunk = session.join(forks.map(({ path }) => path));
    for (const { path } of forks) session.release(path);
    [start, parents] = [ids.length, forks.map((_, k) => before + 1 + k)];
    const joint = [tags.endParallel, ...newline, tags.summary];
    for (const forced of joint) push(forced, null);
    [blocks, inSummary] = [blocks + 1, true];
    [outlook] = yield [{ path: trunk, ids: joint }];
  }
  return finish('length');
}
