/**
 * Batches for a policy: problems are answered with the weights of the moment, answers are judged, and what they were worth
 * becomes the batches of the next steps. With the objective `policyTraining` the trainer of `@heddle/core` then is GRPO.
 */

import { evaluate, fail, host, type Asking, type Batches, type HostTensor, type Metrics } from '@heddle/core';
import {
  advantagesOf,
  groupCentred,
  groupNormalised,
  groupsOf,
  informative,
  leaveOneOut,
  lengthWeighted,
  reinforcePlusPlus,
} from '../loss/advantage.js';
import { klEstimators, type KlName } from '../loss/kl.js';
import type { LossConfig } from '../loss/options.js';
import type { RewardFunction } from '../reward/rewards.js';
import { scoreAll, type RewardFault } from '../reward/score.js';
import type { Trajectory } from '../rollout/parallel.js';
import type { PathSession } from '../rollout/session.js';
import { checkTrajectories, type RolloutStrategy } from '../rollout/strategy.js';
import type { Segment } from '../structure/segments.js';
import { firstBlockOf, rolloutMetrics } from './metrics.js';
import { layOutRows, type RowsShape, type StructuredRow } from './rows.js';
import type { Scorer } from './scorer.js';

/** A question as tokens, and what its answers are judged by. */
export interface Task {
  readonly prompt: string;
  readonly ids: readonly number[];
  readonly answer: string | null;
}

export interface PolicyDataOptions {
  /** Problem `index`, the same for ever: a sampler's state is its index. */
  readonly task: (index: number) => Task;
  /** Text of an answer's tokens, tags included. */
  readonly decode: (ids: readonly number[]) => string;
  /** A session with these weights; closed when the answers are there. */
  readonly open: (parameters: Readonly<Record<string, HostTensor>>) => Promise<{
    readonly session: PathSession;
    /** Steps that the weights which answer have seen, where they are not those of the moment, as of a server. */
    readonly version?: number;
    close(): Promise<void>;
  }>;
  readonly strategy: RolloutStrategy;
  readonly reward: RewardFunction;
  readonly config: LossConfig;
  /** Problems that are answered before the weights move. */
  readonly prompts: number;
  /** Of one batch of training. */
  readonly shape: RowsShape;
  /** Tokens of an answer at most: rewards know it. */
  readonly responseLength: number;
  readonly seed: number;
  /** Scores with the weights of the reference, for `kl` in the loss or in the reward. */
  readonly reference?: Pick<Scorer, 'score'>;
  /** Scores with weights that it is told, for `correction`. */
  readonly rescore?: Pick<Scorer, 'score'>;
  /** How often problems are drawn anew where too few answers teach anything. Default 8. */
  readonly draws?: number;
  /** Told of every draw. */
  readonly see?: (report: RolloutReport) => void;
}

export interface RolloutReport {
  /** Steps done. */
  readonly step: number;
  readonly answers: readonly Trajectory[];
  readonly rewards: readonly (number | null)[];
  readonly faults: readonly RewardFault[];
  /** Groups that are trained on, of all. */
  readonly groups: number;
  readonly kept: number;
  /** Groups whose answers are not all worth the same. */
  readonly informative: number;
  /** Share of answers that opened a block. */
  readonly parallelRatio: number;
  /** Mean place of the first block, as a share of its answer; null without any. */
  readonly firstBlock: number | null;
  /** Where answers are scored anew: of each token of which both are known, how far its log-probability is from the sampler's. */
  readonly samplerGaps: readonly number[];
  readonly seconds: number;
}

/** An answer as it waits for its step: JSON, for it stands in checkpoints. */
interface Waiting {
  readonly ids: readonly number[];
  readonly segments: readonly Segment[];
  readonly scored: readonly number[];
  /** One for each scored token. */
  readonly old: readonly number[];
  readonly advantages: readonly number[];
  readonly reference: readonly number[] | null;
}

type Cursor = {
  /** The problem that comes next. */
  readonly next: number;
  readonly batches: readonly (readonly Waiting[])[];
  /** Of the weights that sampled what waits, and what is to be said of it. */
  readonly version: number;
  /** Steps done when it was sampled: of that moment are the scores that correct for another version. */
  readonly filled: number;
  readonly metrics: Metrics;
};

export interface PolicyData extends Batches {
  /** Batches of one optimizer step: `accumulate` of the training plan. */
  readonly accumulate: number;
}

/**
 * @throws E_CONFIG for sizes that do not go together; while training E_STRUCTURE for a strategy that breaks its contract,
 * E_EMPTY when nothing that was drawn teaches anything, E_VERSION for answers of other weights without a correction
 */
export function policyData(options: PolicyDataOptions): PolicyData {
  const { config, prompts, shape, seed, draws = 8 } = options;
  const { groupSize, stepsPerBatch } = config;
  const [answers, perBatch] = [prompts * groupSize, shape.batch];
  const accumulate = answers / stepsPerBatch / perBatch;
  if (!(Number.isSafeInteger(prompts) && prompts >= 1 && Number.isInteger(accumulate) && accumulate >= 1))
    fail(
      'E_CONFIG',
      `policyData: expected prompts x groupSize to be a multiple of stepsPerBatch x rows, received ${prompts} x ${groupSize} and ${stepsPerBatch} x ${perBatch}. Change the number of prompts or the rows of a batch.`,
      { prompts, groupSize, stepsPerBatch, rows: perBatch },
    );
  if (config.kl !== 'off' && !options.reference)
    fail('E_CONFIG', `policyData: expected a reference for kl: '${config.kl}', received none. Open a scorer of it.`, {
      kl: config.kl,
    });
  if (config.correction !== 'off' && !options.rescore)
    fail('E_CONFIG', `policyData: expected a scorer for correction: '${config.correction}', received none. Open one without weights of its own as \`rescore\`.`, { correction: config.correction }); // prettier-ignore
  const weighs = config.correction === 'truncate' || config.correction === 'leave-out';
  const parts = stepsPerBatch * accumulate;
  let cursor: Cursor = { next: 0, batches: [], version: 0, filled: 0, metrics: {} };
  let closed = false;

  /** Answers, judges and weighs until enough answers teach something. */
  async function fill({ step, parameters }: Asking): Promise<Cursor> {
    const weights = await parameters();
    const { session, version = step, close } = await options.open(weights);
    let { next } = cursor;
    const waiting: Waiting[] = [];
    const reports: RolloutReport[] = [];
    try {
      for (let draw = 0; draw < draws && waiting.length < (config.dynamicSampling ? answers : parts); draw++) {
        const tasks = Array.from({ length: prompts }, (_, i) => options.task(next + i));
        const found = await answered(options, { session, tasks, firstTask: next, step, version, weights });
        waiting.push(...found.waiting);
        reports.push(found.report);
        options.see?.(found.report);
        next += prompts;
      }
    } finally {
      await close();
    }
    if (waiting.length < parts)
      fail(
        'E_EMPTY',
        `policyData: expected at least ${parts} answers that teach something of ${draws * answers}, received ${waiting.length}. All answers to a problem are worth the same: take other problems, a warmer temperature or another reward.`,
        { answers: draws * answers, received: waiting.length },
      );
    const used = waiting.slice(0, answers);
    const batches = Array.from({ length: parts }, (_, i) =>
      used.slice(Math.floor((i * used.length) / parts), Math.floor(((i + 1) * used.length) / parts)),
    );
    return { next, batches, version, filled: step, metrics: rolloutMetrics(reports) };
  }

  return {
    accumulate,
    async next(asking) {
      if (closed) fail('E_CLOSED', 'policyData: expected an open source, received a call after close.', {});
      if (!asking)
        return fail(
          'E_DATA',
          "policyData: expected a trainer that says who asks, received none: answers come from the model's own weights.",
          {},
        );
      if (cursor.batches.length === 0) cursor = await fill(asking);
      if (config.loss === 'gradient' && (weighs ? cursor.filled : cursor.version) !== asking.step)
        fail(
          'E_VERSION',
          `policyData: expected answers of the weights of step ${asking.step}, received answers of step ${cursor.version}, and the loss 'gradient' does not correct for it. Use the loss 'clip', a correction such as 'truncate', or one step a batch.`,
          { expected: asking.step, received: cursor.version },
        );
      const [first, ...rest] = cursor.batches;
      cursor = { ...cursor, batches: rest };
      const tensors = laidOut(first!, shape, config);
      return {
        batch: tensors,
        tokens: first!.reduce((sum, { old }) => sum + old.length, 0),
        cursor: { ...cursor, seed },
        metrics: cursor.metrics,
      };
    },
    async seek(given) {
      const { seed: own, ...found } = given as Cursor & { readonly seed: number };
      if (own !== seed || !Number.isSafeInteger(found.next) || !Array.isArray(found.batches))
        fail('E_CURSOR', `policyData: expected a cursor of seed ${seed}, received another. Resume with the seed that the run began with.`, { seed }); // prettier-ignore
      cursor = found;
    },
    async close() {
      closed = true;
    },
  };
}

function laidOut(rows: readonly Waiting[], shape: RowsShape, config: LossConfig): Record<string, HostTensor> {
  const { batch: B, length: T, scored: R = T } = shape;
  const spread = (pick: (row: Waiting) => readonly number[]): HostTensor => {
    const data = new Float32Array(B * R);
    rows.forEach((row, b) => data.set(pick(row), b * R));
    return { dtype: 'f32', shape: [B, R], data };
  };
  return {
    ...layOutRows(rows, shape),
    old: spread(({ old }) => old),
    advantages: spread(({ advantages }) => advantages),
    ...(config.kl === 'loss' ? { reference: spread(({ reference }) => reference!) } : {}),
  };
}

/** One draw of problems: who answers, and with which weights. */
interface Draw {
  readonly session: PathSession;
  readonly tasks: readonly Task[];
  /** Number of the first of them. */
  readonly firstTask: number;
  readonly step: number;
  readonly version: number;
  readonly weights: Readonly<Record<string, HostTensor>>;
}

/** The answers to some problems that go into the loss, with what each token was worth. */
async function answered(
  options: PolicyDataOptions,
  { session, tasks, firstTask, step, version, weights }: Draw,
): Promise<{ readonly waiting: readonly Waiting[]; readonly report: RolloutReport }> {
  const { strategy, config, seed, responseLength } = options;
  const { groupSize } = config;
  const began = performance.now();
  tasks.forEach(({ ids }, i) => {
    if (ids.length + responseLength > options.shape.length)
      fail(
        'E_LENGTH',
        `problem ${firstTask + i}: expected a prompt of at most ${options.shape.length - responseLength} tokens, received ${ids.length}: prompt and answer have to fit into the ${options.shape.length} of a row. Leave it out, or raise the length.`,
        { problem: firstTask + i, received: ids.length },
      );
  });
  const prompts = tasks.flatMap(task => Array.from({ length: groupSize }, () => task));
  const keys = prompts.map((_, i) => Math.floor(i / groupSize));
  const answers: Trajectory[] = [];
  for (let at = 0; at < prompts.length; at += session.slots) {
    const call = {
      session,
      prompts: prompts.slice(at, at + session.slots).map(({ ids }) => ids),
      first: firstTask * groupSize + at,
      seed,
      temperature: config.temperature,
      version,
    };
    const found = await strategy.rollout(call);
    checkTrajectories(strategy.name, found, call);
    answers.push(...found);
  }
  const { rewards, faults } = await judged(options, answers, prompts, step);
  const teaching = informative(rewards, keys);
  const kept = config.dynamicSampling ? teaching : groupsOf(keys);
  const rows = answers.map(({ ids, segments, sampled }): StructuredRow => ({ ids, segments, scored: sampled }));
  const said = answers.map(({ logp, sampled }) => logp.filter((_, i) => sampled[i]! > 0));
  const again = config.correction === 'off' ? null : await options.rescore!.score(rows, weights);
  const old = again ?? said.map((row, i) => allKnown(row, i));
  const reference = options.reference && config.kl !== 'off' ? await options.reference.score(rows) : null;
  const worth = worthOf(config, rewards, keys, old, reference);
  const waiting = kept.flat().flatMap((i): Waiting[] => {
    const { finish } = answers[i]!;
    const out = worth[i] === null || old[i]!.length === 0 || (config.overlong === 'leave-out' && finish === 'length');
    if (out) return [];
    const advantages = again ? weighed(worth[i]!, again[i]!, said[i]!, config) : worth[i]!;
    return [{ ...rows[i]!, old: old[i]!, advantages, reference: reference?.[i] ?? null }];
  });
  const blocks = answers.map(firstBlockOf).filter(place => place !== null);
  const report: RolloutReport = {
    step,
    answers,
    rewards,
    faults,
    groups: tasks.length,
    kept: kept.length,
    informative: teaching.length,
    parallelRatio: blocks.length / answers.length,
    firstBlock: blocks.length === 0 ? null : blocks.reduce((a, b) => a + b, 0) / blocks.length,
    samplerGaps: again ? again.flatMap((row, i) => gapsOf(row, said[i]!)) : [],
    seconds: (performance.now() - began) / 1000,
  };
  return { waiting, report };
}

/** What answers are worth. One that broke off is worth nothing, and stands among the faults. */
async function judged(
  { reward, decode, responseLength }: PolicyDataOptions,
  answers: readonly Trajectory[],
  asked: readonly Task[],
  step: number,
): Promise<{ readonly rewards: readonly (number | null)[]; readonly faults: readonly RewardFault[] }> {
  const whole = answers.flatMap(({ finish }, i) => (finish === 'fault' ? [] : [i]));
  const { scores, faults } = await scoreAll(
    reward,
    whole.map(i => {
      const { ids, promptLength } = answers[i]!;
      return {
        prompt: asked[i]!.prompt,
        completion: decode(ids.slice(promptLength)),
        reference: asked[i]!.answer,
        step: step + 1,
        length: ids.length - promptLength,
        limit: responseLength,
      };
    }),
  );
  const rewards = answers.map((): number | null => null);
  for (const [n, i] of whole.entries()) rewards[i] = scores[n]!;
  const broken = answers.flatMap(({ finish, fault = '' }, sample): RewardFault[] =>
    finish === 'fault' ? [{ sample, kind: 'broke-off', reason: fault }] : [],
  );
  const own = faults.map(fault => ({ ...fault, sample: whole[fault.sample]! }));
  return { rewards, faults: [...own, ...broken].sort((a, b) => a.sample - b.sample) };
}

const allKnown = (row: readonly (number | null)[], answer: number): readonly number[] =>
  row.every(own => own !== null)
    ? row
    : fail('E_CORRECTION', `answer ${answer}: expected the log-probability of each token from whoever sampled it, received none for some. Let the graph score answers anew: correction: 'recompute' in the loss.`, { answer }); // prettier-ignore

const gapsOf = (again: readonly number[], said: readonly (number | null)[]): readonly number[] =>
  again.flatMap((own, t) => (said[t] === null ? [] : [Math.abs(own - said[t]!)]));

/** Advantages times the share of the graph over the sampler's. Each loss is linear in them, so this weighs its tokens. */
function weighed(
  advantages: readonly number[],
  again: readonly number[],
  said: readonly (number | null)[],
  { correction, correctionCap: cap }: LossConfig,
): readonly number[] {
  if (correction === 'recompute') return advantages;
  return advantages.map((own, t) => {
    if (said[t] === null) return own;
    const weight = Math.exp(again[t]! - said[t]!);
    if (correction === 'truncate') return own * Math.min(weight, cap);
    return weight > cap || weight < 1 / cap ? 0 : own * weight;
  });
}

/** The same estimators as in the loss, of numbers. */
const klOf = (name: KlName, policy: readonly number[], reference: readonly number[]): ArrayLike<number> =>
  evaluate((p, r) => klEstimators[name](p!, r!), host([policy.length], policy), host([reference.length], reference))
    .data;

const groupAdvantages = {
  group: groupNormalised(),
  centred: groupCentred,
  'leave-one-out': leaveOneOut,
  'length-weighted': lengthWeighted,
} as const;

/** Advantages of each scored token of each answer; null for answers that are left out. */
function worthOf(
  { advantage, klWeight, kl, klEstimator }: LossConfig,
  rewards: readonly (number | null)[],
  keys: readonly number[],
  old: readonly (readonly number[])[],
  reference: readonly (readonly number[])[] | null,
): readonly (readonly number[] | null)[] {
  if (advantage !== 'reinforce++') {
    const found = advantagesOf(
      rewards,
      keys,
      groupAdvantages[advantage],
      old.map(row => row.length),
    );
    return found.map((own, i) => (own === null ? null : old[i]!.map(() => own)));
  }
  // One reward at the last token, and, where asked, the distance from the reference taken off each.
  const judged = rewards.flatMap((own, i) => (own === null ? [] : [i]));
  const perToken = judged.map(i => {
    const last = old[i]!.length - 1;
    const away = kl === 'reward' && last >= 0 ? klOf(klEstimator, old[i]!, reference![i]!) : null;
    return old[i]!.map((_, t) => (t === last ? rewards[i]! : 0) - klWeight * (away?.[t] ?? 0));
  });
  const { advantages } = reinforcePlusPlus(
    perToken,
    perToken.map(row => row.map(() => 1)),
    1,
  );
  const out = rewards.map((): readonly number[] | null => null);
  for (const [n, i] of judged.entries()) out[i] = advantages[n]!;
  return out;
}
