/** Curricula by name: those of the paper, and one that two processor cores finish in minutes. */

import type { CurriculumOptions, GatherOptions, LearnOptions, PolicyOptions } from './curriculum.js';

const alternating = [{ reward: 'alternating' }] as const;

/**
 * What the released scripts of Parallel-R1 say, for problems named `gsm8k`, `dapo` and `math`, and a teacher named
 * `teacher`. What stands here is beside what a curriculum has anyway, which is theirs too.
 */
const unseen = (name: string, policies: readonly PolicyOptions[]): CurriculumOptions => ({
  name,
  measure: { problems: ['math'], count: 316, samples: 1 },
  stages: [
    { kind: 'gather', name: 'gather', problems: 'gsm8k', teacher: 'teacher', count: 7472 },
    { kind: 'learn', name: 'cold-start', problems: 'gsm8k', style: 'parallel', traces: 'gather', steps: 160, rate: 1e-5, batch: 1, accumulate: 128 }, // prettier-ignore
    ...policies,
  ],
});

const dapo = (name: string, steps: number, more: Pick<PolicyOptions, 'loss' | 'rewards'> = {}): PolicyOptions => ({
  kind: 'policy',
  name,
  problems: 'dapo',
  style: 'parallel',
  steps,
  rate: 1e-6,
  prompts: 256,
  batch: 2,
  ...more,
  loss: { preset: 'parallel-r1', ...more.loss },
});
/**
 * The variant Seen, of which no scripts were released: what the paper and its authors say. Its cold start has 58 steps; on
 * easy problems each answer must be right and have well-formed blocks, then be right.
 */
const seen: CurriculumOptions = {
  name: 'parallel-r1-seen',
  structure: 'line',
  measure: { problems: ['math'], count: 316, samples: 1 },
  stages: [
    { kind: 'gather', name: 'gather', problems: 'gsm8k', teacher: 'teacher', count: 7472 },
    { kind: 'learn', name: 'cold-start', problems: 'gsm8k', style: 'parallel', traces: 'gather', steps: 58, rate: 1e-5, batch: 1, accumulate: 128 }, // prettier-ignore
    {
      kind: 'policy',
      name: 'rl-gsm8k',
      problems: 'gsm8k',
      style: 'parallel',
      steps: 35,
      rate: 1e-6,
      prompts: 1024,
      batch: 2,
      rewards: [{ reward: 'parallel-and-accurate' }],
      loss: { preset: 'parallel-r1', groupSize: 5, stepsPerBatch: 1, correction: 'recompute' },
    },
    dapo('rl-dapo', 600, { loss: { correction: 'recompute' } }),
  ],
};

const s2 = { rewards: alternating, loss: { clipHigh: 0.28 } } as const;

/** Norms alone: a reward says little, and some thousand answers say too little of half a million parameters. */
const few = ['*orm.weight', '*orm.bias'];

const tinyBase = {
  promptLength: 32,
  responseLength: 72,
  optimizer: { betas: [0.9, 0.99], weightDecay: 0.01 },
  measure: { problems: ['level:1', 'level:2'], count: 256, samples: 1 },
} as const satisfies Partial<CurriculumOptions>;
const arithmetic: LearnOptions = {
  kind: 'learn',
  name: 'arithmetic',
  problems: 'level:1-2',
  style: 'sequential',
  steps: 900,
  rate: 0.004,
  batch: 32,
  length: 64,
};
const cold: Omit<LearnOptions, 'name' | 'style'> = { kind: 'learn', problems: 'level:1-2', steps: 200, rate: 0.003, batch: 48 }; // prettier-ignore
const tinyGather: GatherOptions = {
  kind: 'gather',
  name: 'gather',
  problems: 'level:1-2',
  teacher: 'ways',
  count: 4000,
};
const tinyPolicy: Omit<PolicyOptions, 'name' | 'style' | 'problems'> = {
  kind: 'policy',
  loss: { preset: 'parallel-r1', stepsPerBatch: 1, clipHigh: 0.28 },
  steps: 100,
  tokens: 200_000,
  rate: 0.03,
  prompts: 32,
  batch: 64,
  trains: few,
};

const onPaths = (name: string, level: number, more: Partial<PolicyOptions> = {}): PolicyOptions => ({
  ...tinyPolicy,
  name,
  style: 'parallel',
  problems: `level:${level}`,
  ...more,
});
const s2Rewards = { rewards: alternating };
const seenLoss = { loss: { ...tinyPolicy.loss, correction: 'recompute' } } as const;
const easyS2 = onPaths('rl-easy-s2', 1, s2Rewards);
const tinyPaths = (name: string, policies: readonly PolicyOptions[]): CurriculumOptions => ({
  ...tinyBase,
  name,
  stages: [arithmetic, tinyGather, { ...cold, name: 'cold-start', style: 'parallel', traces: 'gather' }, ...policies],
});

export const curriculumPresets = {
  'parallel-r1-seen': seen,
  'parallel-r1-unseen-s1': unseen('parallel-r1-unseen-s1', [dapo('rl-s1', 600)]),
  'parallel-r1-unseen-s2': unseen('parallel-r1-unseen-s2', [dapo('rl-s2', 600, s2)]),
  /** S2 for 200 steps, which keeps blocks in use, then accuracy alone. */
  'parallel-r1-scaffold': unseen('parallel-r1-scaffold', [dapo('rl-s2', 400, s2), dapo('rl-accuracy', 1200)]),
  tiny: tinyPaths('tiny', [onPaths('rl-easy', 1), onPaths('rl-harder', 2)]),
  'tiny-s2': tinyPaths('tiny-s2', [easyS2, onPaths('rl-harder-s2', 2, s2Rewards)]),
  'tiny-scaffold': tinyPaths('tiny-scaffold', [easyS2, onPaths('rl-harder-accuracy', 2)]),
  /** The variant Seen at the same size. */
  'tiny-seen': {
    ...tinyPaths('tiny-seen', [onPaths('rl-easy', 1, seenLoss), onPaths('rl-harder', 2, seenLoss)]),
    structure: 'line',
  },
  /** The same without a block, to compare with: lines of steps are learnt where `tiny` learns paths. */
  'tiny-sequential': {
    ...tinyBase,
    name: 'tiny-sequential',
    stages: [
      arithmetic,
      // As many tokens as the cold start: a line is less than half as long as two paths.
      { ...cold, name: 'more-arithmetic', style: 'sequential', steps: 440, length: 64 },
      { ...tinyPolicy, name: 'rl-easy-sequential', style: 'sequential', problems: 'level:1' },
      { ...tinyPolicy, name: 'rl-harder-sequential', style: 'sequential', problems: 'level:2' },
    ],
  },
} as const satisfies Readonly<Record<string, CurriculumOptions>>;

export type CurriculumPresetName = keyof typeof curriculumPresets;
