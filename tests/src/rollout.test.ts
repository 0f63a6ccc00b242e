/** Rollouts of rl-grpo over a model of transformer: what was sampled is what one pass over the whole answer scores. */

import { initialise, openReference, uniforms, type HostTensor } from '@heddle/core';
import { maskOf, parallelRollouts, positionsOf, type Trajectory } from '@heddle/rl-grpo';
import { createDecoder, createProgram, decoderPresets, openSession } from '@heddle/transformer';
import { describe, expect, it } from 'vitest';

const V = 12;
const length = 48;
const tags = { path: 1, endPath: 2, parallel: 3, endParallel: 4, summary: 5, endSummary: 6 };
const model = createDecoder({ vocabulary: V, ...decoderPresets.tiny, width: 16, length });
const draw = uniforms(4, 4);
const params: Record<string, HostTensor> = Object.fromEntries(
  Object.entries(initialise(model, 2)).map(([name, t]) => [
    name,
    { ...t, data: Float32Array.from(t.data, x => x + 0.6 * (draw() - 0.5)) },
  ]),
);

/** Log-probabilities of all tokens after each, in one run with the trajectory's mask and positions. */
async function scored({ ids, segments }: Trajectory): Promise<(at: number) => number> {
  const backend = openReference();
  const [N, C] = [ids.length, ids.length + 1];
  const program = createProgram({ model, params, backend }, 1, C);
  const session = await openSession(program, [N]);
  const sees = maskOf(segments);
  const mask = Float32Array.from({ length: N * C }, (_, i) =>
    i % C < N && sees[Math.floor(i / C) * N + (i % C)] ? 0 : -1e9,
  );
  const found = await session.run({
    count: N,
    ids: Int32Array.from(ids),
    positions: positionsOf(segments),
    places: Int32Array.from(ids, (_, i) => i),
    mask,
    logits: true,
  });
  await session.close();
  await program.close();
  await backend.close();
  return at => found!.logits[(at - 1) * V + ids[at]!]! - found!.peak[at - 1]! - found!.mass[at - 1]!;
}

describe('rollouts over a cache', () => {
  it.each([0, 2, 3])('with %i paths sample from what training scores', { timeout: 120_000 }, async paths => {
    const prompts = Array.from({ length: 12 }, (_, i) => [9, 10, i % 2 ? 3 : 11]);
    const backend = openReference();
    const program = createProgram({ model, params, backend }, prompts.length, length + 1);
    const session = await openSession(program, [4]);
    const found = await parallelRollouts(session, prompts, {
      tags,
      endOfText: 7,
      newline: [8],
      responseLength: 40,
      paths: Math.max(1, paths),
      maxBlocks: paths === 0 ? 0 : 4,
      seed: 5,
      version: 0,
    });
    expect(prompts.map((_, slot) => session.free(slot))).toEqual(prompts.map(() => session.capacity));
    await session.close();
    await program.close();
    await backend.close();
    let [worst, tokens] = [0, 0];
    for (const trajectory of found) {
      const score = await scored(trajectory);
      for (const [at, own] of trajectory.sampled.entries()) {
        if (own === 0) continue;
        tokens++;
        worst = Math.max(worst, Math.abs(trajectory.logp[at]! - score(at)));
      }
    }
    expect(tokens).toBeGreaterThan(100);
    expect(found.some(({ segments }) => segments.length > 1)).toBe(paths > 0);
    expect(worst).toBeLessThan(1e-4);
  });
});
