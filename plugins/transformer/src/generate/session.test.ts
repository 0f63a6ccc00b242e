import { initialise, openReference, uniforms, type HostTensor } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { decoderPresets } from '../config.js';
import { createDecoder } from '../decoder.js';
import { createProgram } from './program.js';
import { openSession, type DecodeSession, type Outlook } from './session.js';

const V = 19;
const model = createDecoder({ vocabulary: V, ...decoderPresets.tiny, width: 16, length: 32 });
const draw = uniforms(4, 4);
const params: Record<string, HostTensor> = Object.fromEntries(
  Object.entries(initialise(model, 2)).map(([name, t]) => [
    name,
    { ...t, data: Float32Array.from(t.data, x => x + 0.6 * (draw() - 0.5)) },
  ]),
);

async function withSession<T>(
  body: (session: DecodeSession) => Promise<T>,
  { batch = 1, capacity = 24, lengths = [4] as readonly number[] } = {},
): Promise<T> {
  const backend = openReference();
  const program = createProgram({ model, params, backend }, batch, capacity + 1);
  const session = await openSession(program, lengths);
  try {
    return await body(session);
  } finally {
    await session.close();
    await session.close();
    await program.close();
    expect(backend.live()).toBe(0);
    await backend.close();
  }
}

/** What a text alone is expected to go on with. */
const alone = (ids: readonly number[]): Promise<number[]> =>
  withSession(async session => probabilities((await session.feed([{ path: session.open(0), ids }]))[0]!));
const probabilities = ({ logits, total }: Outlook): number[] => Array.from(logits, x => x - total);
const gap = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe('a session', () => {
  it('gives log-probabilities that sum to 1, whose peak is the largest', () =>
    withSession(async session => {
      const [outlook] = await session.feed([{ path: session.open(0), ids: [3, 1, 4, 1, 5, 9] }]);
      expect(probabilities(outlook!).reduce((s, x) => s + Math.exp(x), 0)).toBeCloseTo(1, 6);
      expect(outlook!.peak).toBe(Math.max(...outlook!.logits));
    }));

  it('forks a text without copying it; each path is as if it were alone', () =>
    withSession(async session => {
      const trunk = session.open(0);
      await session.feed([{ path: trunk, ids: [3, 1, 4, 1, 5] }]);
      const paths = [trunk, session.fork(trunk), session.fork(trunk)];
      const branches = [[7], [8, 2, 6], [2, 2, 2, 2, 2, 2]];
      const outlooks = await session.feed(paths.map((path, i) => ({ path, ids: branches[i]! })));
      for (const [i, branch] of branches.entries())
        expect(gap(probabilities(outlooks[i]!), await alone([3, 1, 4, 1, 5, ...branch]))).toBeLessThan(1e-6);
      expect(session.free(0)).toBe(24 - 5 - 10);
      for (const path of paths) session.release(path);
      expect(session.free(0)).toBe(24);
    }));

  it('joins paths: one with nothing of its own changes nothing, one with more is seen', () =>
    withSession(async session => {
      const trunk = session.open(0);
      await session.feed([{ path: trunk, ids: [3, 1, 4] }]);
      const [left, right] = [session.fork(trunk), session.fork(trunk)];
      await session.feed([{ path: left, ids: [5, 6] }]);
      const [plain] = await session.feed([{ path: session.join([left, right]), ids: [7] }]);
      expect(gap(probabilities(plain!), await alone([3, 1, 4, 5, 6, 7]))).toBeLessThan(1e-6);
      await session.feed([{ path: right, ids: [8] }]);
      const joined = session.join([left, right]);
      expect(joined.position).toBe(5);
      const [both] = await session.feed([{ path: joined, ids: [7] }]);
      expect(gap(probabilities(both!), probabilities(plain!))).toBeGreaterThan(1e-3);
    }));

  it('takes up places that were given back, up to the last one', () =>
    withSession(
      async session => {
        for (let round = 0; round < 3; round++) {
          const paths = [session.open(0), session.open(1)];
          const ids = [
            [1, 2, 3, 4, 5 + round, 6, 7],
            [9, 8 + round],
          ] as const;
          const outlooks = await session.feed(paths.map((path, i) => ({ path, ids: ids[i]! })));
          for (const i of [0, 1]) expect(gap(probabilities(outlooks[i]!), await alone(ids[i]!))).toBeLessThan(1e-6);
          expect(session.free(0)).toBe(0);
          // The other slot is full, and still this one goes on.
          const [more] = await session.feed([{ path: paths[1]!, ids: [1, 2, 3] }]);
          expect(gap(probabilities(more!), await alone([...ids[1], 1, 2, 3]))).toBeLessThan(1e-6);
          for (const path of paths) session.release(path);
        }
      },
      { batch: 2, capacity: 7 },
    ));

  it('refuses what does not fit, and is as before', () =>
    withSession(
      async session => {
        const path = session.open(0);
        const refused = (code: string, part: string) =>
          expect.objectContaining({ code, message: expect.stringContaining(part) as string });
        await expect(session.feed([{ path, ids: [] }])).rejects.toThrow(refused('E_PROMPT', 'at least one'));
        await expect(session.feed([{ path, ids: [1, V] }])).rejects.toThrow(
          refused('E_PROMPT', `from 0 to ${V - 1}, received ${V}`),
        );
        await expect(session.feed([{ path, ids: [0.5] }])).rejects.toThrow(refused('E_PROMPT', '0.5'));
        await expect(session.feed([{ path, ids: new Array(33).fill(1) }])).rejects.toThrow(
          refused('E_LENGTH', 'at most 32'),
        );
        await expect(session.feed([{ path, ids: new Array(9).fill(1) }])).rejects.toThrow(
          refused('E_CAPACITY', 'at most 8'),
        );
        await expect(
          session.feed([
            { path, ids: [1] },
            { path, ids: [1] },
          ]),
        ).rejects.toThrow(refused('E_PATH', 'once'));
        const gone = session.open(0);
        session.release(gone);
        await expect(session.feed([{ path: gone, ids: [1] }])).rejects.toThrow(refused('E_PATH', 'released'));
        expect([session.free(0), path.position]).toEqual([8, 0]);
      },
      { capacity: 8 },
    ));

  it('says that its cache is lost after a run that failed', async () => {
    const backend = openReference();
    const program = createProgram({ model, params, backend }, 1, 9);
    const failing = {
      ...program,
      executable: async () => ({
        ...(await program.executable(1, true)),
        run: () => Promise.reject(new Error('out of memory')),
      }),
    };
    const session = await openSession(failing, []);
    await expect(session.feed([{ path: session.open(0), ids: [1] }])).rejects.toThrow('out of memory');
    await expect(session.feed([{ path: session.open(0), ids: [1] }])).rejects.toThrow(
      expect.objectContaining({ code: 'E_CLOSED' }),
    );
    expect(backend.live()).toBe(0);
    await backend.close();
  });

  it('is closed once closed', async () => {
    const backend = openReference();
    const program = createProgram({ model, params, backend }, 1, 9);
    const session = await openSession(program, []);
    const path = session.open(0);
    await session.close();
    await expect(session.feed([{ path, ids: [1] }])).rejects.toThrow(expect.objectContaining({ code: 'E_CLOSED' }));
    await program.close();
    expect(() => program.executable(1, true)).toThrow(expect.objectContaining({ code: 'E_CLOSED' }));
    await backend.close();
  });
});

describe('a program', () => {
  const backend = openReference();
  it.each<[string, Record<string, HostTensor>]>([
    ['a missing parameter', Object.fromEntries(Object.entries(params).slice(1))],
    ['one of another shape', { ...params, 'norm.weight': { dtype: 'f32', shape: [8], data: new Float32Array(8) } }],
    ['one too many', { ...params, 'head.weight': params['embed.weight']! }],
  ])('refuses %s', (_, given) => {
    expect(() => createProgram({ model, params: given, backend }, 1, 4)).toThrow(
      expect.objectContaining({ code: 'E_PARAMETER' }),
    );
  });
});
