/** Policies of rl-grpo on models of transformer, through the trainer of core: scored as sampled, better for it, resumed exactly. */

import {
  adamW,
  initialise,
  openReference,
  streamOf,
  train,
  uniforms,
  type Backend,
  type Checkpoint,
  type DecoderModel,
  type HostTensor,
  type TrainPlan,
} from '@heddle/core';
import {
  bestOfN,
  lossConfig,
  openScorer,
  parallelStrategy,
  policyData,
  policyTraining,
  sequentialStrategy,
  structuredText,
  traceData,
  traceRow,
  type LossOptions,
  type PolicyDataOptions,
  type RolloutReport,
  type RolloutStrategy,
  type Segment,
  type StrategyOptions,
  type Trajectory,
} from '@heddle/rl-grpo';
import { createDecoder, createProgram, decoderPresets, openSession } from '@heddle/transformer';
import { lastValueFrom, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { onnxBackends, present } from './support/backends.js';

const V = 12;
const length = 40;
const tags = { path: 1, endPath: 2, parallel: 3, endParallel: 4, summary: 5, endSummary: 6 };
const thinking: StrategyOptions = { tags, endOfText: 7, newline: [8], responseLength: 30, paths: 2 };
const model = createDecoder({ vocabulary: V, ...decoderPresets.tiny, width: 16, length });
const lively = (seed: number): Record<string, HostTensor> => {
  const draw = uniforms(seed, 4);
  return Object.fromEntries(
    Object.entries(initialise(model, seed)).map(([name, t]) => [
      name,
      { ...t, data: Float32Array.from(t.data, x => x + 0.6 * (draw() - 0.5)) },
    ]),
  );
};

/** A third party's: the text branches after every three tokens, with nothing forced, until there are four leaves. */
const tree: RolloutStrategy = {
  name: 'tree',
  async rollout({ session, prompts, first, seed, temperature, version }) {
    const found: Trajectory[] = [];
    for (const [slot, prompt] of prompts.entries()) {
      const draw = uniforms(seed, streamOf(`tree/${first + slot}`));
      const ids = [...prompt];
      const logp = prompt.map(() => 0);
      const sampled = prompt.map(() => 0);
      const segments: Segment[] = [{ start: 0, end: prompt.length, parents: [] }];
      const grow = async (path: ReturnType<typeof session.open>, from: number, logits: Float32Array, depth: number) => {
        const [start, own] = [ids.length, segments.length];
        let expected = logits;
        for (let i = 0; i < 3; i++) {
          const weights = Array.from(expected, x => Math.exp(x / temperature));
          const total = weights.reduce((a, b) => a + b, 0);
          let left = draw() * total;
          const id = Math.max(
            0,
            weights.findIndex(w => (left -= w) < 0),
          );
          ids.push(id);
          logp.push(Math.log(weights[id]! / total));
          sampled.push(1);
          expected = (await session.feed([{ path, ids: [id] }]))[0]!.logits.slice();
        }
        segments.push({ start, end: ids.length, parents: [from] });
        for (let branch = 0; depth < 2 && branch < 2; branch++)
          await grow(session.fork(path), own, expected, depth + 1);
        session.release(path);
      };
      const root = session.open(slot);
      const [outlook] = await session.feed([{ path: root, ids: prompt }]);
      await grow(root, 0, outlook!.logits.slice(), 0);
      found.push({
        ids,
        promptLength: prompt.length,
        segments,
        logp,
        sampled,
        finish: 'length',
        forcedCloses: 0,
        version,
      });
    }
    return found;
  },
};

const strategies: readonly RolloutStrategy[] = [sequentialStrategy(thinking), parallelStrategy(thinking), tree];

const opening =
  (backend: Backend, slots: number): PolicyDataOptions['open'] =>
  async params => {
    const program = createProgram({ model, params, backend }, slots, length + 1);
    const session = await openSession(program, [2, 4]);
    return {
      session,
      async close() {
        await session.close();
        await program.close();
      },
    };
  };

describe.each([{ name: 'reference', open: async () => openReference() }, ...present(onnxBackends)])(
  'answers on $name',
  ({ name, open }) => {
    const count = name === 'reference' ? 16 : 128;
    it.each(strategies)(
      'of the strategy $name are worth to the training graph what they were sampled with',
      { timeout: 120_000 },
      async strategy => {
        const backend = await open();
        const parameters = lively(2);
        const temperature = 0.7;
        const { session, close } = await opening(backend, count)(parameters);
        const prompts = Array.from({ length: count }, (_, i) => [9, 10, i % 2 ? 3 : 11]);
        const answers = await strategy.rollout({ session, prompts, first: 0, seed: 5, temperature, version: 0 });
        await close();
        const scorer = await openScorer({
          model,
          parameters,
          backend,
          shape: { batch: 8, length, scored: 32 },
          temperature,
        });
        const rows = answers.map(({ ids, segments, sampled }) => ({ ids, segments, scored: sampled }));
        const scores = await scorer.score(rows);
        await scorer.close();
        await backend.close();
        const gaps = answers.flatMap(({ logp, sampled }, i) =>
          logp.filter((_, at) => sampled[at]! > 0).map((own, at) => Math.abs(own! - scores[i]![at]!)),
        );
        expect(gaps.length).toBeGreaterThan(4 * count);
        expect(Math.max(...gaps)).toBeLessThan(1e-4);
        if (strategy.name !== 'sequential') expect(answers.some(({ segments }) => segments.length > 2)).toBe(true);
      },
    );

    it('are the same in parts as together', async () => {
      const backend = await open();
      const prompts = Array.from({ length: 6 }, () => [9, 3]);
      const call = { seed: 3, temperature: 1, version: 0 };
      const strategy = strategies[1]!;
      const whole = await opening(backend, 6)(lively(2));
      const together = await strategy.rollout({ ...call, session: whole.session, prompts, first: 0 });
      await whole.close();
      const part = await opening(backend, 2)(lively(2));
      const apart: Trajectory[] = [];
      for (const first of [0, 2, 4])
        apart.push(
          ...(await strategy.rollout({
            ...call,
            session: part.session,
            prompts: prompts.slice(first, first + 2),
            first,
          })),
        );
      await part.close();
      await backend.close();
      expect(apart.map(({ ids, segments }) => ({ ids, segments }))).toEqual(
        together.map(({ ids, segments }) => ({ ids, segments })),
      );
    });
  },
);

/** Wanted: answers that say 11 often. */
const wishes = (completion: string): number => completion.split(' ').filter(id => id === '11').length / 10;

function plan(
  backend: Backend,
  {
    steps,
    loss = {},
    strategy = strategies[1]!,
    more = {},
    policy = model,
  }: {
    readonly steps: number;
    readonly loss?: LossOptions;
    readonly strategy?: RolloutStrategy;
    readonly more?: Partial<PolicyDataOptions>;
    readonly policy?: DecoderModel;
  },
): { readonly plan: TrainPlan; readonly reports: RolloutReport[] } {
  const config = lossConfig({ groupSize: 4, ...loss });
  const reports: RolloutReport[] = [];
  const data = policyData({
    task: index => ({ prompt: `${index}`, ids: [9, 10, index % 2 ? 11 : 8], answer: null }),
    decode: ids => ids.join(' '),
    open: opening(backend, 8),
    strategy,
    reward: ({ completion }) => wishes(completion),
    config,
    prompts: 4,
    shape: { batch: 8, length, scored: 32 },
    responseLength: 30,
    seed: 1,
    see: report => reports.push(report),
    ...more,
  });
  return {
    reports,
    plan: {
      name: 'policy',
      model: policy,
      objective: policyTraining(policy, config, 30),
      optimizer: adamW({ weightDecay: 0 }),
      schedule: () => 0.01,
      data,
      backend,
      steps,
      accumulate: data.accumulate,
      clip: 1,
      initial: lively(2),
      config: { ...loss },
    },
  };
}

async function run(plan: TrainPlan, stopAt = Infinity): Promise<Checkpoint> {
  let end: Checkpoint | null = null;
  await lastValueFrom(
    train(plan).pipe(
      tap(event => {
        if (event.type === 'step.finished' && event.step === stopAt) event.stop();
        if (event.type === 'run.finished') event.waitUntil(event.snapshot().then(snapshot => (end = snapshot)));
      }),
    ),
  );
  return end!;
}

const mean = (all: readonly (number | null)[]): number =>
  all.reduce<number>((sum, x) => sum + (x ?? 0), 0) / all.length;

const [engine] = present(onnxBackends);
describe.skipIf(engine === undefined)('a policy', { timeout: 120_000 }, () => {
  it.each<[string, LossOptions, RolloutStrategy]>([
    ['of paths, by GRPO', {}, strategies[1]!],
    ['of one line, by DAPO, two steps a batch', { preset: 'dapo', overlong: 'keep', stepsPerBatch: 2 }, strategies[0]!],
    ["of a third party's tree, by RLOO", { preset: 'rloo' }, tree],
  ])('%s gets what it is rewarded for', async (_, loss, strategy) => {
    const backend = await engine!.open();
    const { plan: training, reports } = plan(backend, { steps: 24, loss, strategy });
    await run(training);
    await backend.close();
    const [before, after] = [mean(reports[0]!.rewards), mean(reports.at(-1)!.rewards)];
    expect(after).toBeGreaterThan(1.5 * before);
  });

  it('is held back by its distance from a reference, in the loss and in the reward', async () => {
    const after = async (loss: LossOptions): Promise<number> => {
      const backend = await engine!.open();
      const scorer = await openScorer({
        model,
        parameters: lively(2),
        backend,
        shape: { batch: 8, length, scored: 32 },
      });
      const { plan: training, reports } = plan(backend, { steps: 16, loss, more: { reference: scorer } });
      await run(training);
      await scorer.close();
      await backend.close();
      return mean(reports.at(-1)!.rewards);
    };
    expect(await after({ kl: 'loss', klWeight: 20 })).toBeLessThan(await after({ kl: 'loss', klWeight: 1e-6 }));
    const plus = { preset: 'reinforce++', groupSize: 4 } as const;
    expect(await after({ ...plus, klWeight: 20 })).toBeLessThan(await after({ ...plus, klWeight: 1e-6 }));
  });

  it('taught two texts by heart, with a block and without, writes them', async () => {
    const backend = await engine!.open();
    const block = [3, 1, 9, 8, 2, 1, 10, 11, 2, 4, 8, 5, 9, 6, 7];
    const texts = [traceRow([9, 10], block, tags), traceRow([9, 11], [10, 8, 11, 7], tags)];
    const end = await run({
      name: 'by heart',
      model,
      objective: structuredText(model),
      optimizer: adamW({ weightDecay: 0 }),
      schedule: () => 0.01,
      data: traceData({ row: index => texts[index]!, count: 2, shape: { batch: 2, length, scored: 16 } }),
      backend,
      steps: 120,
      clip: 1,
    });
    const taught = Object.fromEntries(
      Object.entries(end.tensors).flatMap(([name, t]) => (name.startsWith('params.') ? [[name.slice(7), t]] : [])),
    );
    const { session, close } = await opening(backend, 2)(taught);
    const call = {
      session,
      prompts: [
        [9, 10],
        [9, 11],
      ],
      first: 0,
      seed: 1,
      temperature: 0.2,
      version: 0,
    };
    const [thought, line] = await strategies[1]!.rollout(call);
    await close();
    await backend.close();
    expect(line!.ids).toEqual(texts[1]!.ids);
    // Paths draw apart, and either may take either text: what the block is made of, and all that follows it.
    expect(thought!.ids.slice(0, 3)).toEqual([9, 10, 3]);
    expect(thought!.ids.slice(-6)).toEqual(block.slice(-6));
    expect(thought!.finish).toBe('end-of-text');
  });

  it('whose loss does not correct for it learns from no answers of other weights', async () => {
    const backend = openReference();
    // Two batches make a step here; a plan that forgets it would take the second to the next.
    const { plan: training } = plan(backend, { steps: 2, loss: { preset: 'rloo', groupSize: 4 } });
    expect(training.accumulate).toBe(2);
    await expect(run({ ...training, accumulate: 1 })).rejects.toMatchObject({ code: 'E_VERSION' });
    await backend.close();
  });

  it('that is stopped, between two steps of one batch of answers, goes on to the same weights', async () => {
    const loss = { stepsPerBatch: 2 };
    const backend = await engine!.open();
    const whole = await run(plan(backend, { steps: 6, loss }).plan);
    for (const at of [2, 3]) {
      const cut = await run(plan(backend, { steps: 6, loss }).plan, at);
      const again = JSON.parse(JSON.stringify(cut.meta)) as Checkpoint['meta'];
      const end = await run({ ...plan(backend, { steps: 6, loss }).plan, resume: { ...cut, meta: again } });
      expect(end.step).toBe(6);
      expect(end.tensors).toEqual(whole.tensors);
    }
    await backend.close();
  });
});

describe('data of a policy', () => {
  const attempt = async (more: Partial<PolicyDataOptions>, loss: LossOptions = {}): Promise<RolloutReport[]> => {
    const backend = openReference();
    try {
      const { plan: training, reports } = plan(backend, { steps: 1, loss, more });
      await run(training);
      return reports;
    } finally {
      await backend.close();
    }
  };

  it('draws anew where all answers are worth the same, and says when nothing teaches', async () => {
    let calls = 0;
    const late = await attempt({ reward: () => (calls++ < 16 ? 1 : calls % 2) }, { dynamicSampling: true });
    expect(late.map(({ kept }) => kept)).toEqual([0, 4]);
    await expect(attempt({ reward: () => 1, draws: 2 }, { dynamicSampling: true })).rejects.toMatchObject({
      code: 'E_EMPTY',
      message: expect.stringContaining('of 32, received 0') as string,
    });
  });

  it('leaves out answers that ran into the limit, where asked, and those without a reward', async () => {
    const short = parallelStrategy({ ...thinking, responseLength: 4 });
    await expect(attempt({ strategy: short, draws: 1, reward: ({ length: n }) => (n === 4 ? 1 : null) }, { overlong: 'leave-out' })).rejects.toMatchObject({ code: 'E_EMPTY' }); // prettier-ignore
    const [report] = await attempt({ reward: ({ completion }) => (completion.includes('11') ? 1 : null) });
    expect(report!.rewards.some(own => own === null)).toBe(true);
  });

  it('keeps faulty rewards apart', async () => {
    let calls = 0;
    const [report] = await attempt({
      reward: () => {
        if (calls++ === 3) throw new Error('no judge');
        return calls;
      },
    });
    expect(report!.faults).toEqual([expect.objectContaining({ sample: 3, reason: 'no judge' })]);
  });

  it('refuses a strategy that breaks its contract', async () => {
    const broken = (change: (one: Trajectory) => Partial<Trajectory>): RolloutStrategy => ({
      name: 'broken',
      rollout: async call => (await strategies[0]!.rollout(call)).map(one => ({ ...one, ...change(one) })),
    });
    await expect(attempt({ strategy: broken(() => ({ version: 9 })) })).rejects.toMatchObject({ code: 'E_STRUCTURE' });
    await expect(attempt({ strategy: broken(({ ids }) => ({ ids: [0, ...ids.slice(1)] })) })).rejects.toThrow(
      'its prompt first',
    );
    await expect(attempt({ strategy: broken(({ logp }) => ({ logp: logp.map(() => 0.1) })) })).rejects.toThrow(
      'a log-probability',
    );
    await expect(attempt({ strategy: { name: 'none', rollout: async () => [] } })).rejects.toThrow(
      '8 trajectories, received 0',
    );
  });

  it('refuses a prompt that leaves no room for an answer, by its number', async () => {
    const task = (index: number) => ({
      prompt: '',
      ids: Array.from({ length: index === 2 ? 11 : 2 }, () => 9),
      answer: null,
    });
    await expect(attempt({ task })).rejects.toThrow('problem 2: expected a prompt of at most 10 tokens, received 11');
  });

  it('refuses sizes that do not go together, and a missing reference', () => {
    const backend = openReference();
    expect(() => plan(backend, { steps: 1, more: { prompts: 3 } })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG' }),
    );
    expect(() => plan(backend, { steps: 1, loss: { kl: 'loss', klWeight: 1 } })).toThrow('expected a reference');
  });
});

it('the best of several is kept', async () => {
  const backend = openReference();
  const { session, close } = await opening(backend, 2)(lively(2));
  const call = { session, prompts: [[9], [10]], first: 0, seed: 1, temperature: 1, version: 0 };
  const rank = ({ ids }: Trajectory): number => ids.filter(id => id === 11).length;
  const single = sequentialStrategy(thinking);
  const best = await bestOfN(single, 3, rank).rollout(call);
  const draws: (readonly Trajectory[])[] = [];
  for (const seed of [3, 4, 5]) draws.push(await single.rollout({ ...call, seed }));
  const highest = call.prompts.map((_, i) => Math.max(...draws.map(answers => rank(answers[i]!))));
  expect(best.map(rank)).toEqual(highest);
  expect(Math.max(...highest)).toBeGreaterThan(0);
  await close();
  await backend.close();
});
