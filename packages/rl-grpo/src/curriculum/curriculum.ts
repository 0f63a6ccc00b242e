/** A curriculum as plain JSON: stages that a model goes through, one after the other, filled with defaults and checked. */

import { fail } from '@heddle/core';
import { usualPrompt } from './workbench.js';
import { lossConfig, type LossOptions } from '../loss/options.js';
import { combineRewards, type RewardName, type RewardTerm } from '../reward/rewards.js';

export type Style = 'sequential' | 'parallel';

interface StageOptions {
  /** Names its results; each once. */
  readonly name: string;
  /** Which problems: a name that the workbench knows, such as `level:1-2`. */
  readonly problems: string;
}

/** Traces of a teacher for some problems, of which the well-formed and right ones are kept, as JSON lines. */
export interface GatherOptions extends StageOptions {
  readonly kind: 'gather';
  /** Who solves them: a name that the workbench knows; `ways` writes down the ways that generated problems come with. */
  readonly teacher: string;
  /** How many problems are asked. */
  readonly count: number;
  /** Traces without a block are left out. Default true. */
  readonly blocks?: boolean;
}

/** Supervised learning: of traces that come with problems, or that an earlier stage gathered. */
export interface LearnOptions extends StageOptions {
  readonly kind: 'learn';
  /** In one line or in paths, for problems that come with ways; gathered traces are as they are. */
  readonly style: Style;
  /** A stage that gathers: its traces are learnt in place of the problems' own. */
  readonly traces?: string;
  readonly steps: number;
  /** The highest; a tenth of the steps it grows, then falls to 0 as a cosine. */
  readonly rate: number;
  /** Rows of a batch. */
  readonly batch: number;
  /** Batches that make one step: memory is that of one of them. Default 1. */
  readonly accumulate?: number;
  /** Tokens of a row, prompt and trace together; shorter rows are faster. Default `promptLength + responseLength`. */
  readonly length?: number;
  /** Patterns of the parameters that move, such as `*Norm.weight`. Default: all. */
  readonly trains?: readonly string[];
}

/** Reinforcement learning on the model's own answers. */
export interface PolicyOptions extends StageOptions {
  readonly kind: 'policy';
  readonly style: Style;
  readonly loss?: LossOptions;
  /** By name; weights and options as `combineRewards` takes them, a judge by its name. Default accuracy alone. */
  readonly rewards?: readonly {
    readonly reward: RewardName;
    readonly weight?: number;
    readonly options?: Readonly<Record<string, string | number | boolean | null>>;
  }[];
  /** Optimizer steps at most. */
  readonly steps: number;
  /** Ends the stage after the step at which so many tokens were learnt from; null for no such end. Default null. */
  readonly tokens?: number | null;
  readonly rate: number;
  /** Problems that are answered before the weights move. */
  readonly prompts: number;
  /** Rows of a batch: `prompts` x answers is a multiple of this times steps a batch. */
  readonly batch: number;
  /**
   * Patterns of the parameters that move. Default: all. A reward says little of each of many parameters: of the same answers,
   * few parameters learn more.
   */
  readonly trains?: readonly string[];
}

export type StageConfig = GatherOptions | LearnOptions | PolicyOptions;

export interface Curriculum {
  readonly name: string;
  /** All randomness comes from it. */
  readonly seed: number;
  /** What the model reads, with `{problem}` in it. */
  readonly prompt: string;
  /** Tokens of a prompt and of an answer at most. */
  readonly promptLength: number;
  readonly responseLength: number;
  /**
   * What a text with blocks is to the model: paths that do not see each other (Parallel-R1's variant Unseen), joined in the
   * cache; or one line, with an ordinary mask (Seen), whose paths are sampled apart and read anew after the block.
   */
  readonly structure: 'paths' | 'line';
  /** Paths of a block, and blocks of an answer at most. */
  readonly paths: number;
  readonly maxBlocks: number;
  readonly optimizer: { readonly betas: readonly [number, number]; readonly weightDecay: number };
  /** Largest joint norm of the gradients. */
  readonly clip: number;
  /** What is measured after each stage that trains: on problems kept out of all training where the workbench can. */
  readonly measure: { readonly problems: readonly string[]; readonly count: number; readonly samples: number };
  readonly stages: readonly StageConfig[];
}

export type CurriculumOptions = Partial<Omit<Curriculum, 'stages'>> & Pick<Curriculum, 'stages'>;

/**
 * Lengths, paths, blocks and clipping as the released scripts of Parallel-R1 have them. Its cold start has betas of 0.9 and
 * 0.95; a curriculum has one optimizer, and reinforcement learning is most of it.
 */
const base: Omit<Curriculum, 'stages'> = {
  name: 'curriculum',
  seed: 0,
  prompt: usualPrompt,
  promptLength: 2000,
  responseLength: 3000,
  structure: 'paths',
  paths: 2,
  maxBlocks: 4,
  optimizer: { betas: [0.9, 0.999], weightDecay: 0.01 },
  clip: 1,
  measure: { problems: [], count: 256, samples: 1 },
};

const refuse = (what: string, expected: string, received: unknown): never =>
  fail('E_CONFIG', `curriculum: ${what}: expected ${expected}, received ${JSON.stringify(received) ?? String(received)}. Correct it.`, { what, received }); // prettier-ignore

const count = (what: string, value: unknown, least = 1): void => {
  if (!(Number.isSafeInteger(value) && (value as number) >= least))
    refuse(what, `a whole number from ${least} up`, value);
};
const positive = (what: string, value: unknown): void => {
  if (!(typeof value === 'number' && Number.isFinite(value) && value > 0)) refuse(what, 'a number above 0', value);
};

/**
 * Fills a curriculum and checks all of it, so that nothing is found out in the third hour.
 *
 * @throws E_CONFIG naming the stage, the field, what it must be and what came
 */
export function curriculumOf(options: CurriculumOptions): Curriculum {
  const curriculum: Curriculum = { ...base, ...options };
  for (const name of Object.keys(options))
    if (name !== 'stages' && !Object.hasOwn(base, name)) refuse('fields', `some of ${Object.keys(base).join(', ')}, stages`, name); // prettier-ignore
  count('seed', curriculum.seed, 0);
  for (const name of ['promptLength', 'responseLength', 'maxBlocks'] as const) count(name, curriculum[name]);
  count('paths', curriculum.paths, 2);
  if (curriculum.structure !== 'paths' && curriculum.structure !== 'line') refuse('structure', 'paths or line', curriculum.structure); // prettier-ignore
  positive('clip', curriculum.clip);
  if (!curriculum.prompt.includes('{problem}')) refuse('prompt', 'a text with {problem} in it', curriculum.prompt);
  count('measure.count', curriculum.measure.count);
  count('measure.samples', curriculum.measure.samples);
  const { stages } = curriculum;
  if (!Array.isArray(stages) || stages.length === 0) refuse('stages', 'at least one stage', stages);
  const before = new Map<string, StageConfig['kind']>();
  for (const stage of stages) {
    if (typeof stage.name !== 'string' || !/^[\w.-]+$/.test(stage.name))
      refuse('stage name', 'letters, digits, ., _ and -', stage.name);
    if (before.has(stage.name)) refuse('stage names', 'each name once', stage.name);
    checkStage(stage, before, curriculum.structure);
    before.set(stage.name, stage.kind);
  }
  return curriculum;
}

const fields: Readonly<Record<StageConfig['kind'], readonly string[]>> = {
  gather: ['teacher', 'count', 'blocks'],
  learn: ['style', 'traces', 'steps', 'rate', 'batch', 'accumulate', 'length', 'trains'],
  policy: ['style', 'loss', 'rewards', 'steps', 'tokens', 'rate', 'prompts', 'batch', 'trains'],
};

function checkStage(
  stage: StageConfig,
  before: ReadonlyMap<string, StageConfig['kind']>,
  structure: Curriculum['structure'],
): void {
  const own = (name: string): string => `stage ${stage.name}: ${name}`;
  if (!Object.hasOwn(fields, stage.kind)) refuse(own('kind'), `one of ${Object.keys(fields).join(', ')}`, stage.kind);
  const known = ['kind', 'name', 'problems', ...fields[stage.kind]];
  for (const name of Object.keys(stage)) if (!known.includes(name)) refuse(own('fields'), `some of ${known.join(', ')}`, name); // prettier-ignore
  if (typeof stage.problems !== 'string')
    refuse(own('problems'), 'a name of problems, such as level:1', stage.problems);
  if (stage.kind === 'gather') return count(own('count'), stage.count);
  if (stage.style !== 'sequential' && stage.style !== 'parallel') refuse(own('style'), 'sequential or parallel', stage.style); // prettier-ignore
  for (const name of ['steps', 'batch'] as const) count(own(name), stage[name]);
  positive(own('rate'), stage.rate);
  const { trains } = stage;
  if (
    trains !== undefined &&
    !(Array.isArray(trains) && trains.length > 0 && trains.every(one => typeof one === 'string'))
  )
    refuse(own('trains'), 'a list of patterns of paths', trains);
  if (stage.kind === 'learn') {
    if (stage.traces !== undefined && before.get(stage.traces) !== 'gather')
      refuse(own('traces'), 'the name of an earlier stage that gathers', stage.traces);
    if (stage.length !== undefined) count(own('length'), stage.length, 2);
    if (stage.accumulate !== undefined) count(own('accumulate'), stage.accumulate);
    return;
  }
  count(own('prompts'), stage.prompts);
  if (stage.tokens !== undefined && stage.tokens !== null) count(own('tokens'), stage.tokens);
  const { groupSize, stepsPerBatch, correction } = lossConfig(stage.loss);
  if (structure === 'line' && stage.style === 'parallel' && correction === 'off')
    refuse(own('loss.correction'), "'recompute' or another than 'off': paths are sampled apart and scored in one line", correction); // prettier-ignore
  if ((stage.prompts * groupSize) % (stepsPerBatch * stage.batch) !== 0)
    refuse(own('prompts'), `prompts x ${groupSize} answers to be a multiple of ${stepsPerBatch} steps x ${stage.batch} rows`, stage.prompts); // prettier-ignore
  combineRewards((stage.rewards ?? [{ reward: 'accuracy' }]) as readonly RewardTerm[]); // names of judges are the workbench's
}
