import { HeddleError, isHeddleError } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import type { TagIds } from '../grammar/tags.js';
import { checkSegments, maskOf, positionsOf, segmentsOf } from '../structure/segments.js';
import { sessionEngine, type Engine } from './engine.js';
import { firstBlockOf } from '../train/metrics.js';
import { parallelRollouts, type ParallelOptions, type Trajectory } from './parallel.js';
import { linearStrategy, lineStrategy, remoteSession } from './remote.js';
import type { PathSession } from './session.js';
import { checkTrajectories, sequentialStrategy, type RolloutCall } from './strategy.js';

const tags: TagIds = { path: 1, endPath: 2, parallel: 3, endParallel: 4, summary: 5, endSummary: 6 };
const [V, endOfText, newline] = [12, 7, 8];

/** Logits that depend on every token seen and its position, and on which token is last: any slip shows. */
function logitsOf(seen: readonly (readonly [id: number, position: number])[]): Float32Array {
  const [id, position] = seen.at(-1)!;
  const all = seen.reduce((sum, [a, b]) => sum + Math.sin(1 + a * 12.9898 + b * 78.233), 0);
  return Float32Array.from({ length: V }, (_, v) => 1.5 * Math.sin(all * 3.7 + v * 1.3 + id * 0.7 + position * 0.31));
}

interface Toy {
  readonly slot: number;
  seen: (readonly [number, number])[];
  position: number;
}

function toySession(slots: number): PathSession<Toy> & { readonly open_: Set<Toy> } {
  const open_ = new Set<Toy>();
  const start = (path: Toy): Toy => {
    open_.add(path);
    return path;
  };
  return {
    slots,
    open_,
    open: slot => start({ slot, seen: [], position: 0 }),
    fork: ({ slot, seen, position }) => start({ slot, seen: [...seen], position }),
    join: paths =>
      start({
        slot: paths[0]!.slot,
        seen: [...new Set(paths.flatMap(({ seen }) => seen))],
        position: Math.max(...paths.map(({ position }) => position)),
      }),
    release: path => void open_.delete(path),
    feed: async feeds =>
      feeds.map(({ path, ids }) => {
        expect(open_.has(path)).toBe(true);
        for (const id of ids) path.seen.push([id, path.position++]);
        return { logits: logitsOf(path.seen) };
      }),
  };
}

const options: ParallelOptions = { tags, endOfText, newline: [newline], responseLength: 60, seed: 1, version: 9 };
const prompts = Array.from({ length: 100 }, (_, i) => [9, 10 + (i % 2), 3, 1, 9 + (i % 3)]);

const roll = async (
  given: readonly (readonly number[])[],
  more: Partial<ParallelOptions> = {},
): Promise<readonly Trajectory[]> => {
  const session = toySession(given.length);
  const found = await parallelRollouts(session, given, { ...options, ...more });
  expect(session.open_.size).toBe(0);
  return found;
};

/** What training sees of a token: its row of the mask, with positions. */
function scored({ ids, segments }: Trajectory, at: number, temperature: number): number {
  const [mask, positions] = [maskOf(segments), positionsOf(segments)];
  const order = ids.map((_, j) => j).filter(j => mask[(at - 1) * ids.length + j] === 1);
  const logits = Array.from(logitsOf(order.map(j => [ids[j]!, positions[j]!])), x => x / temperature);
  return logits[ids[at]!]! - Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
}

describe('parallel rollouts', () => {
  it.each([
    ['in one line', { maxBlocks: 0 }],
    ['with two paths', {}],
    ['with five, cut short', { paths: 5, maxPathLength: 6 }],
    ['at another temperature', { paths: 3, temperature: 0.7 }],
  ] as const)('%s score every sampled token as training does', async (_, more) => {
    const found = await roll(prompts, more);
    let [tokens, blocks] = [0, 0];
    for (const trajectory of found) {
      const { ids, segments, sampled, logp, promptLength } = trajectory;
      checkSegments(segments, ids.length);
      expect(ids.length - promptLength).toBeLessThanOrEqual(60);
      blocks += segments.length > 1 ? 1 : 0;
      for (const [at, own] of sampled.entries()) {
        if (own === 0) continue;
        tokens++;
        expect(logp[at]).toBeCloseTo(scored(trajectory, at, 'temperature' in more ? more.temperature : 1), 4);
      }
    }
    expect(tokens).toBeGreaterThan(500);
    expect(blocks > 0).toBe(!('maxBlocks' in more));
  });

  it('do not depend on the other rows', async () => {
    const all = await roll(prompts.slice(0, 8), { paths: 3 });
    expect((await roll(prompts.slice(0, 1), { paths: 3 }))[0]).toEqual(all[0]);
  });

  it('force the tags of a block, and nothing else but closings', async () => {
    const found = await roll(prompts);
    const forced = new Set(
      found.flatMap(({ ids, sampled, promptLength }) => ids.filter((_, i) => i >= promptLength && sampled[i] === 0)),
    );
    expect([...forced].toSorted((a, b) => a - b)).toEqual([
      tags.path,
      tags.endPath,
      tags.endParallel,
      tags.summary,
      newline,
    ]);
    const closings = found.flatMap(({ ids, sampled, promptLength }) =>
      ids.filter((id, i) => i >= promptLength && id === tags.endPath && sampled[i] === 0),
    );
    expect(closings.length).toBe(found.reduce((sum, { forcedCloses }) => sum + forcedCloses, 0));
    expect(
      found.every(({ version, finish, ids }) => version === 9 && (finish === 'length') === (ids.at(-1) !== endOfText)),
    ).toBe(true);
  });

  it('have the structure that tags of their answer give', async () => {
    // Where the model opened no block that was not forked, and wrote no <Path> of its own.
    const found = (await roll(prompts)).filter(({ ids, sampled, segments }) => {
      const own = ids.filter((_, i) => sampled[i] === 1);
      return (
        segments.length > 1 &&
        !own.includes(tags.path) &&
        own.filter(id => id === tags.parallel).length === (segments.length - 1) / 3
      );
    });
    expect(found.length).toBeGreaterThan(0);
    for (const { ids, segments, promptLength } of found) {
      const scanned = segmentsOf(ids, tags, promptLength);
      expect(maskOf(scanned)).toEqual(maskOf(segments));
      expect(positionsOf(scanned)).toEqual(positionsOf(segments));
    }
  });

  it('give every path back when they are called off', async () => {
    const session = toySession(2);
    let runs = 0;
    const failing = {
      ...session,
      feed: (...feeds: Parameters<typeof session.feed>) =>
        ++runs === 12 ? Promise.reject(new Error('called off')) : session.feed(...feeds),
    };
    await expect(parallelRollouts(failing, prompts.slice(0, 2), options)).rejects.toThrow('called off');
    expect(session.open_.size).toBe(0);
  });

  it('refuse more prompts than slots, and no path at all', async () => {
    const codes = await Promise.all(
      [
        parallelRollouts(toySession(1), prompts, options),
        parallelRollouts(toySession(1), prompts.slice(0, 1), { ...options, paths: 0 }),
      ].map(run =>
        run.then(
          () => 'none',
          (error: unknown) => isHeddleError(error) && error.code,
        ),
      ),
    );
    expect(codes).toEqual(['E_PROMPT', 'E_CONFIG']);
  });
});

describe('an engine over a session', () => {
  it('answers more calls than it has slots, each as if it were alone, and as the session would', async () => {
    const call = (i: number) => ({
      ids: prompts[i]!,
      stop: [endOfText],
      maxTokens: 3 + (i % 9),
      temperature: 0.8,
      seed: i,
    });
    const session = toySession(7);
    const engine = sessionEngine(session);
    const together = await Promise.all(prompts.map((_, i) => engine(call(i))));
    expect(session.open_.size).toBe(0);
    const alone = [];
    for (const i of prompts.keys()) alone.push(await sessionEngine(toySession(1))(call(i)));
    expect(together).toEqual(alone);
    for (const [i, { ids, logp }] of together.entries()) {
      expect(ids.length === 3 + (i % 9) || ids.at(-1) === endOfText).toBe(true);
      expect(ids.slice(0, -1)).not.toContain(endOfText);
      const all = [...prompts[i]!, ...ids];
      const segments = [{ start: 0, end: all.length, parents: [] }];
      const from = prompts[i]!.length;
      for (const [k, own] of logp.entries())
        expect(own).toBeCloseTo(scored({ ids: all, segments } as unknown as Trajectory, from + k, 0.8), 6);
    }
  });

  it('lets one call go that is called off, and gives all back when the session fails', async () => {
    const session = toySession(2);
    const off = new AbortController();
    let runs = 0;
    const feed: typeof session.feed = feeds => {
      if (++runs === 3) off.abort(new Error('off'));
      return runs === 30 ? Promise.reject(new Error('broken')) : session.feed(feeds);
    };
    const engine = sessionEngine({ ...session, feed });
    const call = { ids: [9], stop: [], maxTokens: 20, temperature: 1 };
    const [gone, kept] = await Promise.allSettled([engine({ ...call, signal: off.signal }), engine(call)]);
    expect(gone).toMatchObject({ status: 'rejected', reason: { message: 'off' } });
    expect(kept.status).toBe('fulfilled');
    const all = await Promise.allSettled([engine(call), engine(call), engine(call)]);
    expect(all.map(one => one.status === 'rejected' && (one.reason as Error).message)).toEqual([
      'broken',
      'broken',
      'broken',
    ]);
    expect(session.open_.size).toBe(0);
  });
});

describe('strategies over an engine', () => {
  const thinking = { tags, endOfText, newline: [newline], responseLength: 60 };
  const calling = (session: PathSession): RolloutCall => ({
    session: session as PathSession,
    prompts,
    first: 0,
    seed: 4,
    temperature: 0.9,
    version: 9,
  });
  const rolled = async (strategy: ReturnType<typeof lineStrategy>) => {
    const session = toySession(16) as unknown as PathSession;
    const found = await strategy.rollout(calling(session));
    checkTrajectories(strategy.name, found, calling(session));
    return found;
  };
  /** Places whose log-probability is not what training makes of it. */
  const astray = (one: Trajectory): readonly number[] =>
    one.ids.flatMap((_, at) =>
      one.sampled[at]! > 0 && Math.abs(one.logp[at]! - scored(one, at, 0.9)) > 1e-6 ? [at] : [],
    );

  it('in one line agree with training in every token, and with the law of the sequential one', async () => {
    const found = await rolled(lineStrategy(thinking));
    expect(found.flatMap(astray)).toEqual([]);
    const session = toySession(prompts.length) as unknown as PathSession;
    const other = await sequentialStrategy(thinking).rollout(calling(session));
    // Other draws of one distribution: the mean log-probability of a token is the same but for chance.
    const meanOf = (all: readonly Trajectory[]) => {
      const logp = all.flatMap(one => one.logp.filter((_, at) => one.sampled[at]! > 0));
      return logp.reduce<number>((sum, own) => sum + own!, 0) / logp.length;
    };
    expect(Math.abs(meanOf(found) - meanOf(other))).toBeLessThan(0.1);
  });

  it.each(['line', 'paths'] as const)(
    'read anew agree with training of %s where sampling saw the same',
    async structure => {
      const found = await rolled(linearStrategy({ ...thinking, structure }));
      const blocks = found.filter(({ ids, promptLength }) => ids.indexOf(tags.path, promptLength) >= 0);
      expect(blocks.length).toBeGreaterThan(20);
      for (const one of found) {
        const first = one.ids.findIndex(
          (id, at) => at >= one.promptLength && id === tags.path && one.sampled[at] === 0,
        );
        const second =
          first < 0 ? -1 : one.ids.findIndex((id, at) => at > first && id === tags.path && one.sampled[at] === 0);
        // One line: the second path was sampled without the first. Paths: what follows them was sampled after one line.
        const until =
          second < 0 ? one.ids.length : structure === 'line' ? second : one.ids.indexOf(tags.endParallel, second);
        expect(astray(one).filter(at => at < until || (until < 0 && second >= 0))).toEqual([]);
      }
      expect(blocks.flatMap(astray).length).toBeGreaterThan(0);
      // Both structures know where a block opened, whatever their segments show.
      for (const one of found) {
        const forcedPath = one.ids.findIndex(
          (id, at) => at >= one.promptLength && id === tags.path && one.sampled[at] === 0,
        );
        expect(one.opens![0] ?? -2).toBe(forcedPath - 1);
        expect(firstBlockOf(one) === null).toBe(forcedPath < 0);
      }
    },
  );

  it('keep what came when the engine fails for some, and fail when it fails for all', async () => {
    const failing = (every: number): Engine => {
      const engine = sessionEngine(toySession(8));
      let calls = 0;
      return call => (++calls % every === 0 ? Promise.reject(new HeddleError('E_SERVER', 'gone')) : engine(call));
    };
    const call = calling(remoteSession(8));
    for (const make of [lineStrategy, (more: object) => linearStrategy({ ...thinking, structure: 'line', ...more })]) {
      const found = await make({ ...thinking, engine: failing(5) }).rollout(call);
      checkTrajectories('failing', found, call);
      const broken = found.filter(({ finish }) => finish === 'fault');
      expect(broken.length).toBeGreaterThan(10);
      expect(broken.length).toBeLessThan(found.length);
      expect(broken.every(({ fault }) => fault === 'E_SERVER: gone')).toBe(true);
      await expect(make({ ...thinking, engine: failing(1) }).rollout(call)).rejects.toMatchObject({ code: 'E_SERVER' });
    }
  });

  it('over a server do without a session, and others say that they cannot', async () => {
    const call = calling(remoteSession(100));
    const engine = sessionEngine(toySession(4));
    expect((await lineStrategy({ ...thinking, engine }).rollout(call)).length).toBe(prompts.length);
    for (const strategy of [sequentialStrategy(thinking), lineStrategy(thinking)])
      await expect(strategy.rollout(call)).rejects.toMatchObject({ code: 'E_STRATEGY' });
  });
});
