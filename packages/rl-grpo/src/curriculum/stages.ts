/** The stages of a curriculum: each from weights to weights, with what it did and what the model can do after it. */

import {
  adamW,
  fail,
  parameterTypes,
  schedule,
  selectPaths,
  stageWith,
  streamOf,
  trainWithin,
  type Objective,
  type Batches,
  type Schedule,
  type Stage,
  type StageContext,
} from '@heddle/core';
import { lossConfig } from '../loss/options.js';
import { parallelTrace, sequentialTrace } from '../problems/generate.js';
import { combineRewards, type RewardTerm } from '../reward/rewards.js';
import { linearStrategy } from '../rollout/remote.js';
import { parallelStrategy, sequentialStrategy, type RolloutStrategy } from '../rollout/strategy.js';
import { policyTraining, structuredText } from '../train/objective.js';
import { policyData } from '../train/policy-data.js';
import { openScorer } from '../train/scorer.js';
import { traceData, traceRow } from '../train/trace-data.js';
import type { Curriculum, GatherOptions, LearnOptions, PolicyOptions, StageConfig, Style } from './curriculum.js';
import { gatherTraces, waysOf, waysTeacher, type Trace, type Yield } from './gather.js';
import { measure, type Measured } from './measure.js';
import type { PoolProblem, ProblemPool } from './pool.js';
import { readTraces, readWeights, writeTraces, writeWeights } from './stored.js';
import { promptOf, type Workbench, type Weights } from './workbench.js';

/** What a stage did. */
export interface StageRecord {
  readonly name: string;
  readonly kind: StageConfig['kind'];
  /** Optimizer steps, and tokens that were learnt from. */
  readonly steps: number;
  readonly tokens: number;
  readonly measured: readonly Measured[];
  readonly became: Yield | null;
}

/** What goes from stage to stage: small JSON; weights and traces are artifacts. */
export interface CurriculumState {
  /** Artifact: a safetensors file. */
  readonly weights: string;
  /** Artifacts: JSON lines, by the stage that gathered them. */
  readonly traces: Readonly<Record<string, string>>;
  readonly done: readonly StageRecord[];
}

/** What all stages of one curriculum share. */
export interface Site {
  readonly curriculum: Curriculum;
  readonly bench: Workbench;
}

/** Milliseconds between two words on how far a teacher is. */
const noticeEvery = 10_000;

/** Each stage of each seed draws problems, orders and samples of its own: numbers far apart, and no shifted copies. */
const seedOf = ({ curriculum }: Site, stage: string): number => streamOf(`${curriculum.seed}/${stage}`) & 0x3fffffff;

/** What names stand for: the same name may be another list tomorrow. */
const idsOf = async (bench: Workbench, names: readonly string[]): Promise<readonly string[]> => {
  const ids: string[] = [];
  for (const name of names) ids.push((await bench.problems(name)).id);
  return ids;
};

const promptIds = ({ curriculum: { prompt }, bench: { words } }: Site, problem: string): readonly number[] =>
  promptOf(words, problem, prompt);

const rowLength = ({ promptLength, responseLength }: Curriculum): number => promptLength + responseLength;

const strategyOf = ({ curriculum, bench: { words } }: Site, style: Style): RolloutStrategy => {
  const { paths, maxBlocks, responseLength, structure } = curriculum;
  const options = { tags: words.tags, endOfText: words.end, newline: words.encode('\n'), responseLength };
  if (style === 'sequential') return sequentialStrategy(options);
  const thinking = { ...options, paths, maxBlocks };
  return structure === 'paths' ? parallelStrategy(thinking) : linearStrategy({ ...thinking, structure });
};

export const gatherStage = (site: Site, stage: GatherOptions): Stage<CurriculumState, CurriculumState> => {
  const { curriculum, bench } = site;
  const { prompt, promptLength, responseLength, seed } = curriculum;
  const settings = async () => ({ stage, prompt, promptLength, responseLength, seed, problems: await idsOf(bench, [stage.problems]) }); // prettier-ignore
  return stageWith(stage.name, settings, async (state: CurriculumState, context): Promise<CurriculumState> => {
    const pool = await bench.problems(stage.problems);
    const first = seedOf(site, stage.name);
    const teacher = stage.teacher === 'ways' ? waysTeacher : bench.teacher?.(stage.teacher);
    if (!teacher)
      fail('E_CONFIG', `stage ${stage.name}: teacher: expected 'ways' or one that the workbench has, received ${JSON.stringify(stage.teacher)}, and it has none.`, { teacher: stage.teacher }); // prettier-ignore
    const { teacherAtOnce: atOnce } = bench;
    const journal = bench.journal?.(context.key);
    let said = performance.now();
    const { traces, became } = await gatherTraces({
      ...(atOnce === undefined ? {} : { atOnce }),
      ...(journal ? { journal } : {}),
      see(done) {
        if (performance.now() - said < noticeEvery) return;
        said = performance.now();
        context.emit({ type: 'notice', code: 'N_GATHERED', message: `${done} of ${stage.count} problems asked` });
      },
      teacher: teacher!,
      problem: index => pool.learn(first + index),
      count: stage.count,
      blocks: stage.blocks ?? true,
      fits: ({ problem, trace }) =>
        promptIds(site, problem).length <= promptLength && bench.words.encodeTagged(trace).length < responseLength,
      signal: context.signal,
    });
    if (traces.length === 0)
      fail('E_EMPTY', `stage ${stage.name}: expected traces that are right, well formed and short enough, kept none of ${stage.count}: ${JSON.stringify(became)}. Take easier problems, or another teacher.`, { became }); // prettier-ignore
    const uri = await writeTraces(context.artifacts, stage.name, traces);
    const record: StageRecord = { name: stage.name, kind: 'gather', steps: 0, tokens: 0, measured: [], became };
    return { ...state, traces: { ...state.traces, [stage.name]: uri }, done: [...state.done, record] };
  });
};

export const learnStage = (site: Site, stage: LearnOptions): Stage<CurriculumState, CurriculumState> => {
  const { curriculum, bench } = site;
  const { model, words } = bench;
  const rowOf = ({ problem, trace }: Trace) =>
    traceRow(promptIds(site, problem), [...words.encodeTagged(trace), words.end], curriculum.structure === 'paths' ? words.tags : null); // prettier-ignore
  return trainingStage(site, stage, async ({ state, context, seed }) => {
    const { batch, steps, rate } = stage;
    const length = stage.length ?? rowLength(curriculum);
    const shape = { batch, length, scored: Math.min(length, curriculum.responseLength) };
    const gathered =
      stage.traces === undefined ? null : await readTraces(context.artifacts, state.traces[stage.traces]!);
    const pool = gathered ? null : await bench.problems(stage.problems);
    return {
      objective: structuredText(model),
      data: gathered
        ? traceData({ row: index => rowOf(gathered[index]!), count: gathered.length, shape, seed })
        : traceData({ row: index => rowOf(ownTrace(pool!.learn(seed + index), stage.style)), ...(pool!.count === null ? {} : { count: pool!.count }), shape, seed }), // prettier-ignore
      rate: schedule.cosine(rate, { warmUp: Math.ceil(steps / 10), total: steps }),
      accumulate: stage.accumulate ?? 1,
    };
  });
};

/** A trace of the ways that a problem comes with. @throws E_CONFIG for one without */
const ownTrace = (problem: PoolProblem, style: Style): Trace => {
  const { answer } = problem;
  const ways = waysOf(problem);
  const trace = style === 'sequential' ? sequentialTrace({ answer, ways }, 0) : parallelTrace({ answer, ways });
  return { problem: problem.problem, answer, trace };
};

export const policyStage = (site: Site, stage: PolicyOptions): Stage<CurriculumState, CurriculumState> => {
  const { curriculum, bench } = site;
  const { model, words, slots = 64 } = bench;
  const { responseLength, promptLength } = curriculum;
  return trainingStage(site, stage, async ({ weights, seed }) => {
    const pool = await bench.problems(stage.problems);
    const config = lossConfig(stage.loss);
    const shape = { batch: stage.batch, length: rowLength(curriculum), scored: responseLength };
    const kernels = bench.kernels ? { kernels: bench.kernels } : {};
    const reference =
      config.kl === 'off'
        ? null
        : await openScorer({ model, parameters: weights, backend: bench.backend, ...kernels, shape, temperature: config.temperature }); // prettier-ignore
    const rescore =
      config.correction === 'off'
        ? null
        : await openScorer({ model, backend: bench.backend, ...kernels, shape, temperature: config.temperature });
    const task = taskOf(site, pool, seed, promptLength);
    const data = policyData({
      task,
      decode: words.decode,
      open: now => bench.open(now, Math.min(slots, stage.prompts * config.groupSize), rowLength(curriculum)),
      strategy: strategyOf(site, stage.style),
      reward: combineRewards(termsOf(site, stage)),
      config,
      prompts: stage.prompts,
      shape,
      responseLength,
      seed,
      ...(reference ? { reference } : {}),
      ...(rescore ? { rescore } : {}),
    });
    return {
      objective: policyTraining(model, config, responseLength),
      data: closingAlso(data, [reference, rescore]),
      rate: schedule.constant(stage.rate),
      accumulate: data.accumulate,
    };
  });
};

/** Rewards of a stage; judges are named in them. @throws E_CONFIG where the workbench has no judges */
const termsOf = ({ bench }: Site, { name, rewards = [{ reward: 'accuracy' }] }: PolicyOptions): readonly RewardTerm[] =>
  rewards.map(({ options: { judge, ...options } = {}, ...term }) => {
    if (judge === undefined) return { ...term, options };
    if (typeof judge !== 'string' || !bench.judge)
      return fail('E_CONFIG', `stage ${name}: judge: expected one that the workbench has, received ${JSON.stringify(judge)}${bench.judge ? '' : ', and it has none'}.`, { judge }); // prettier-ignore
    return { ...term, options: { ...options, judge: bench.judge(judge) } };
  });

/** Problem `index` as a task. Of a list, what does not fit is left out before anything is asked. */
function taskOf(site: Site, pool: ProblemPool, seed: number, promptLength: number) {
  const asTask = ({ problem, answer }: PoolProblem) => ({ prompt: problem, ids: promptIds(site, problem), answer });
  if (pool.count === null) return (index: number) => asTask(pool.learn(seed + index));
  const fitting = Array.from({ length: pool.count }, (_, i) => asTask(pool.learn(i))).filter(({ ids }) => ids.length <= promptLength); // prettier-ignore
  if (fitting.length === 0)
    fail('E_LENGTH', `${pool.id}: expected prompts of at most ${promptLength} tokens, received ${pool.count} that are all longer. Raise promptLength.`, { promptLength }); // prettier-ignore
  return (index: number) => fitting[(seed + index) % fitting.length]!;
}

const closingAlso = (data: Batches, others: readonly ({ close(): Promise<void> } | null)[]): Batches => ({
  ...data,
  async close() {
    await data.close();
    for (const other of others) await other?.close();
  },
});

interface Recipe {
  readonly objective: Objective;
  readonly data: Batches;
  readonly rate: Schedule;
  readonly accumulate: number;
}

interface Beginning {
  readonly state: CurriculumState;
  readonly context: StageContext;
  readonly weights: Weights;
  readonly seed: number;
}

/** A stage that moves weights: it goes on from its last checkpoint, says what it does, and measures the model at its end. */
function trainingStage(
  site: Site,
  stage: LearnOptions | PolicyOptions,
  recipe: (beginning: Beginning) => Promise<Recipe>,
): Stage<CurriculumState, CurriculumState> {
  const { curriculum, bench } = site;
  const { name: _name, stages: _stages, ...shared } = curriculum;
  const { model, backend } = bench;
  const names = [...(stage.kind === 'learn' && stage.traces !== undefined ? [] : [stage.problems]), ...curriculum.measure.problems]; // prettier-ignore
  const settings = async () => ({ stage, shared, problems: await idsOf(bench, names) });
  return stageWith(stage.name, settings, async (state: CurriculumState, context): Promise<CurriculumState> => {
    const seed = seedOf(site, stage.name);
    const weights = await readWeights(context.artifacts, state.weights, model);
    const { objective, data, rate, accumulate } = await recipe({ state, context, weights, seed });
    const moving = stage.trains ? selectPaths(stage.trains, Object.keys(parameterTypes(model))) : null;
    const { betas, weightDecay } = curriculum.optimizer;
    const at = bench.checkpoints?.(context.key);
    const { step, tokens, parameters, whole } = await trainWithin(
      {
        name: stage.name,
        model,
        objective,
        optimizer: adamW({ betas: [...betas], weightDecay }),
        schedule: rate,
        data,
        backend,
        ...(bench.kernels ? { kernels: bench.kernels } : {}),
        steps: stage.steps,
        seed,
        clip: curriculum.clip,
        accumulate,
        initial: weights,
        ...(moving ? { trains: path => moving.has(path) } : {}),
      },
      context,
      { ...(at ? { at } : {}), tokens: stage.kind === 'policy' ? (stage.tokens ?? null) : null },
    );
    if (!whole)
      return fail('E_DATA', `stage ${stage.name}: expected ${stage.steps} steps, ended after ${step}: its data ended. Take more problems.`, { steps: stage.steps }); // prettier-ignore
    const uri = await writeWeights(context.artifacts, stage.name, parameters);
    const measured = await measureAll(site, stage.style, parameters, context.signal);
    const record: StageRecord = {
      name: stage.name,
      kind: stage.kind,
      steps: step,
      tokens,
      measured,
      became: null,
    };
    return { ...state, weights: uri, done: [...state.done, record] };
  });
}

async function measureAll(
  site: Site,
  style: Style,
  weights: Weights,
  signal: AbortSignal,
): Promise<readonly Measured[]> {
  const { curriculum, bench } = site;
  const { problems, count, samples } = curriculum.measure;
  if (problems.length === 0) return [];
  const { session, close } = await bench.open(weights, bench.slots ?? 64, rowLength(curriculum));
  try {
    const found: Measured[] = [];
    for (const name of problems) {
      const pool = await bench.problems(name);
      found.push(
        await measure({
          problems: name,
          problem: index => pool.test(index),
          count: Math.min(count, pool.testCount ?? count),
          samples,
          session,
          strategy: strategyOf(site, style),
          promptOf: ({ problem }) => promptIds(site, problem),
          decode: bench.words.decode,
          seed: curriculum.seed,
          signal,
        }),
      );
    }
    return found;
  } finally {
    await close();
  }
}
