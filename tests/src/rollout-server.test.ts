/** Rollouts over a server: a decoder of transformer behind a real socket, learnt from by rl-grpo's policy data. */

import {
  adamW,
  initialise,
  openReference,
  streamOf,
  train,
  uniforms,
  type HostTensor,
  type TrainPlan,
} from '@heddle/core';
import { completions, createServer } from '@heddle/openai-client';
import { standIn, type StandIn, type StandInOptions } from '@heddle/openai-client/testing';
import {
  bestOfN,
  checkTrajectories,
  linearStrategy,
  lineStrategy,
  lossConfig,
  openScorer,
  policyData,
  policyTraining,
  remoteSession,
  sessionEngine,
  type Engine,
  type LossOptions,
  type RolloutReport,
  type RolloutStrategy,
  type Trajectory,
} from '@heddle/rl-grpo';
import { createDecoder, createProgram, decoderPresets, openSession } from '@heddle/transformer';
import { lastValueFrom, tap } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const [V, length, endOfText, responseLength] = [12, 40, 7, 24];
const tags = { path: 1, endPath: 2, parallel: 3, endParallel: 4, summary: 5, endSummary: 6 };
const thinking = { tags, endOfText, newline: [8], responseLength };
const shape = { batch: 8, length, scored: 32 };
const model = createDecoder({ vocabulary: V, ...decoderPresets.tiny, width: 16, length });
const backend = openReference();
const draw = uniforms(2, 4);
const parameters: Record<string, HostTensor> = Object.fromEntries(
  Object.entries(initialise(model, 2)).map(([name, t]) => [
    name,
    { ...t, data: Float32Array.from(t.data, x => x + 0.6 * (draw() - 0.5)) },
  ]),
);

let local: Engine;
let shut: () => Promise<void>;
beforeAll(async () => {
  const program = createProgram({ model, params: parameters, backend }, 8, length + 1);
  const session = await openSession(program, [2, 4, 16]);
  local = sessionEngine(session);
  shut = async () => {
    await session.close();
    await program.close();
    await backend.close();
  };
});
afterAll(() => shut());

const serving = (dialect: 'vllm' | 'sglang' | 'llama.cpp', fault?: StandInOptions['fault']): Promise<StandIn> =>
  standIn({
    dialect,
    ...(fault ? { fault } : {}),
    async next(ids, { temperature, seed }) {
      const own = streamOf(`${seed}/${ids.length}`) & 0x3fffffff;
      const { ids: found, logp } = await local({ ids, stop: [], maxTokens: 1, temperature, seed: own });
      const id = found[0]!;
      return id === endOfText && dialect === 'llama.cpp' ? null : { id, logp: logp[0]!, text: `${id} ` };
    },
  });

const engineOf = ({ url }: StandIn, dialect: 'vllm' | 'sglang' | 'llama.cpp'): Engine =>
  completions(createServer({ url, model: 'stand-in', pause: 1, retries: 1, deadline: 5000 }), { dialect, end: endOfText, vocabulary: V }); // prettier-ignore

const count = 24;
const prompts = Array.from({ length: count }, (_, i) => [9, 10, i % 2 ? 3 : 11]);
const call = { session: remoteSession(count), prompts, first: 0, seed: 5, temperature: 1, version: 0 };

/** Of each token that both know: how far training is from what the server said. */
async function gapsOf(answers: readonly Trajectory[]): Promise<readonly number[]> {
  const scorer = await openScorer({ model, parameters, backend, shape });
  const scores = await scorer.score(answers.map(({ ids, segments, sampled }) => ({ ids, segments, scored: sampled })));
  await scorer.close();
  return answers.flatMap(({ logp, sampled }, i) =>
    logp
      .filter((_, at) => sampled[at]! > 0)
      .flatMap((own, at) => (own === null ? [] : [Math.abs(own - scores[i]![at]!)])),
  );
}

describe('answers of a server', { timeout: 60_000 }, () => {
  it.each(['vllm', 'sglang', 'llama.cpp'] as const)(
    'that speaks as %s are worth to training what it says',
    async dialect => {
      const stand = await serving(dialect);
      const strategy = lineStrategy({ ...thinking, engine: engineOf(stand, dialect) });
      const answers = await strategy.rollout(call);
      checkTrajectories(strategy.name, answers, call);
      await stand.close();
      const gaps = await gapsOf(answers);
      expect(gaps.length).toBeGreaterThan(4 * count);
      expect(Math.max(...gaps)).toBeLessThan(1e-4);
    },
  );

  it('in paths are those of the same weights in one process', async () => {
    const stand = await serving('vllm');
    const strategy = linearStrategy({ ...thinking, structure: 'paths', engine: engineOf(stand, 'vllm') });
    const answers = await strategy.rollout(call);
    checkTrajectories(strategy.name, answers, call);
    await stand.close();
    // Another caller of the same weights, without a server between.
    const tokenwise: Engine = async ({ ids: before, stop, maxTokens, temperature, seed }) => {
      const [ids, logp]: [number[], (number | null)[]] = [[], []];
      while (ids.length < maxTokens && !stop.includes(ids.at(-1) ?? -1)) {
        const own = streamOf(`${seed}/${before.length + ids.length}`) & 0x3fffffff;
        const found = await local({ ids: [...before, ...ids], stop: [], maxTokens: 1, temperature, seed: own });
        ids.push(found.ids[0]!);
        logp.push(found.logp[0]!);
      }
      return { ids, logp };
    };
    expect(answers).toEqual(await linearStrategy({ ...thinking, structure: 'paths', engine: tokenwise }).rollout(call));
    expect(answers.filter(({ segments }) => segments.length > 1).length).toBeGreaterThan(4);
  });

  it('can be the best of several', async () => {
    const stand = await serving('vllm');
    const line = lineStrategy({ ...thinking, engine: engineOf(stand, 'vllm') });
    const few = { ...call, prompts: prompts.slice(0, 8) };
    const short = await bestOfN(line, 3, ({ ids }) => -ids.length).rollout(few);
    const one = await line.rollout(few);
    await stand.close();
    const lengthOf = (all: readonly Trajectory[]) => all.reduce((sum, { ids }) => sum + ids.length, 0);
    expect(lengthOf(short)).toBeLessThan(lengthOf(one));
  });
});

/** Wanted: answers that say 11 often. */
const wishes = (completion: string): number => completion.split(' ').filter(id => id === '11').length / 10;

async function learn(
  strategy: RolloutStrategy,
  {
    loss = {},
    steps = 2,
    version = 0,
  }: { readonly loss?: LossOptions; readonly steps?: number; readonly version?: number } = {},
) {
  const config = lossConfig({ groupSize: 4, ...loss });
  const reports: RolloutReport[] = [];
  const rescore = await openScorer({ model, backend, shape });
  const batches: Readonly<Record<string, HostTensor>>[] = [];
  const data = policyData({
    task: index => ({ prompt: `${index}`, ids: [9, 10, index % 2 ? 11 : 8], answer: null }),
    decode: ids => ids.join(' '),
    // The server keeps the weights that the run began with.
    open: async () => ({ session: remoteSession(16), version, close: async () => {} }),
    strategy,
    reward: ({ completion }) => wishes(completion),
    config,
    prompts: 4,
    shape,
    responseLength,
    seed: 1,
    rescore,
    see: report => reports.push(report),
  });
  const plan: TrainPlan = {
    name: 'policy',
    model,
    objective: policyTraining(model, config, responseLength),
    optimizer: adamW({ weightDecay: 0 }),
    schedule: () => 0.01,
    data: {
      ...data,
      next: async asking => {
        const found = await data.next(asking);
        if (found) batches.push(found.batch);
        return found;
      },
    },
    backend,
    steps,
    accumulate: data.accumulate,
    initial: parameters,
  };
  const metrics: Readonly<Record<string, number>>[] = [];
  const end = lastValueFrom(
    train(plan).pipe(tap(event => event.type === 'step.finished' && metrics.push(event.metrics))),
  );
  const reason = await end.then(
    () => null,
    (error: unknown) => error,
  );
  await rescore.close();
  return { reports, metrics, batches, reason };
}

describe('a policy that a server answers for', { timeout: 60_000 }, () => {
  it('learns from weights that are behind, each token weighed by how far they are', async () => {
    const stand = await serving('vllm');
    const strategy = lineStrategy({ ...thinking, engine: engineOf(stand, 'vllm') });
    const cap = 1.05;
    const { metrics, reports, batches } = await learn(strategy, {
      steps: 3,
      loss: { correction: 'truncate', correctionCap: cap },
    });
    await stand.close();
    expect(metrics[0]!['samplerGap']).toBeLessThan(1e-4);
    expect(metrics[2]!['samplerGap']).toBeGreaterThan(1e-2);
    // Each row of a batch: `old` is what the graph said before the step, and the ratio of that to the server's weighs.
    const rows = reports.flatMap(({ answers, rewards }) =>
      answers.map((answer, i) => ({ answer, reward: rewards[i]! })),
    );
    let truncated = 0;
    for (const [i, { answer, reward }] of rows.entries()) {
      const group = rows.slice(i - (i % 4), i - (i % 4) + 4).map(row => row.reward);
      const mean = group.reduce((a, b) => a + b, 0) / 4;
      const deviation = Math.sqrt(group.reduce((sum, own) => sum + (own - mean) ** 2, 0) / 3);
      const advantage = deviation === 0 ? 0 : (reward - mean) / (deviation + 1e-6);
      const batch = batches[Math.floor(i / 8)]!;
      const said = answer.logp.filter((_, at) => answer.sampled[at]! > 0);
      for (const [t, own] of said.entries()) {
        const at = (i % 8) * 32 + t;
        const weight = Math.exp(batch['old']!.data[at]! - own!);
        if (weight > cap) truncated++;
        expect(batch['advantages']!.data[at]).toBeCloseTo(advantage * Math.min(weight, cap), 4);
      }
    }
    expect(truncated).toBeGreaterThan(20);
  });

  it('is refused without a correction: of other weights by a loss without ratios, of unknown probabilities by any', async () => {
    const [vllm, llama] = [await serving('vllm'), await serving('llama.cpp')];
    const line = (stand: StandIn, dialect: 'vllm' | 'llama.cpp') =>
      lineStrategy({ ...thinking, engine: engineOf(stand, dialect) });
    const behind = await learn(line(vllm, 'vllm'), { loss: { preset: 'rloo' } });
    expect(behind.reason).toMatchObject({ code: 'E_VERSION' });
    const weighed = await learn(line(vllm, 'vllm'), { loss: { preset: 'rloo', correction: 'truncate' } });
    expect([weighed.reason, weighed.metrics.length]).toEqual([null, 2]);
    // Where a text ended by itself, llama.cpp does not say how probable that was.
    const unknown = await learn(line(llama, 'llama.cpp'));
    expect(unknown.reason).toMatchObject({ code: 'E_CORRECTION' });
    const again = await learn(line(llama, 'llama.cpp'), { loss: { correction: 'recompute' } });
    expect([again.reason, again.metrics.length]).toEqual([null, 2]);
    await Promise.all([vllm.close(), llama.close()]);
  });

  it('loses no answer in silence when requests fail, and says so when the server dies', async () => {
    // Some texts are never continued: whatever comes to one of them breaks off.
    const flaky = await serving('vllm', request => (request % 7 < 2 ? { kind: 'status', status: 503 } : undefined));
    const some = await learn(linearStrategy({ ...thinking, structure: 'paths', engine: engineOf(flaky, 'vllm') }));
    await flaky.close();
    expect(some.reason).toBeNull();
    for (const { answers, rewards, faults } of some.reports) {
      expect(answers.length).toBe(16);
      const broken = answers.flatMap(({ finish }, i) => (finish === 'fault' ? [i] : []));
      expect(faults.map(({ sample, kind }) => [sample, kind])).toEqual(broken.map(i => [i, 'broke-off']));
      expect(rewards.map(own => own === null)).toEqual(answers.map(({ finish }) => finish === 'fault'));
    }
    expect(some.reports.flatMap(({ faults }) => faults).length).toBeGreaterThan(0);
    expect(some.metrics[0]!['brokeOff']).toBeGreaterThan(0);

    const dying = await serving('vllm', request => (request >= 16 ? { kind: 'drop', after: 0 } : undefined));
    const dead = await learn(lineStrategy({ ...thinking, engine: engineOf(dying, 'vllm') }), { steps: 3 });
    await dying.close();
    expect(dead.reason).toMatchObject({ code: 'E_SERVER' });
    expect(dead.metrics.length).toBe(1);
  });
});
