/** Which loss: options as plain JSON, filled with defaults, and refused where they do not go together. */

import { fail } from '@heddle/core';
import { aggregations, type Aggregation } from './aggregate.js';
import { klEstimators, type KlName } from './kl.js';

/** `clip`: PPO's, of tokens. `gspo`, `gmpo`: of sequences. `cispo`, `sapo`, `gradient`: see `policy.ts`. */
export type PolicyLossName = 'clip' | 'gspo' | 'gmpo' | 'cispo' | 'sapo' | 'gradient';
/** What an answer's reward is measured against. */
export type AdvantageName = 'group' | 'centred' | 'leave-one-out' | 'length-weighted' | 'reinforce++';

export interface LossOptions {
  /** Values to start from; what is said beside it has precedence. */
  readonly preset?: LossPresetName;
  readonly loss?: PolicyLossName;
  readonly clipLow?: number;
  readonly clipHigh?: number;
  /** Bounds the loss of bad tokens at this many times their advantage; above 1, null for none. With `clip` only. */
  readonly dualClip?: number | null;
  readonly aggregation?: Aggregation;
  readonly advantage?: AdvantageName;
  /** Answers to one prompt. */
  readonly groupSize?: number;
  /** Optimizer steps made with the same answers. */
  readonly stepsPerBatch?: number;
  /** Distance from the reference model: nowhere, added to the loss, or taken from the reward of each token. */
  readonly kl?: 'off' | 'loss' | 'reward';
  readonly klEstimator?: KlName;
  readonly klWeight?: number;
  /** Weight of the mean entropy, which is rewarded. */
  readonly entropyWeight?: number;
  /** Leaves out groups whose rewards are all equal, before anything is computed. */
  readonly dynamicSampling?: boolean;
  /** Answers that ran into the limit: scored, or left out of the loss. */
  readonly overlong?: 'keep' | 'leave-out';
  /**
   * For answers that were sampled by something else than the graph that learns, such as a server. `off`: ratios are taken to
   * what the sampler said. Otherwise the graph scores answers anew before the weights move, ratios are taken to that, and
   * each token weighs: `recompute` alike; `truncate` as much as its share of the graph over the sampler's, at most
   * `correctionCap` (truncated importance sampling, verl's and TRL's); `leave-out` so too, and nothing beyond the cap on
   * either side. Tokens of which the sampler said nothing weigh 1.
   */
  readonly correction?: 'off' | 'recompute' | 'truncate' | 'leave-out';
  /** Above 1. Default 2. */
  readonly correctionCap?: number;
  /** The temperature answers were sampled at. */
  readonly temperature?: number;
}

export type LossConfig = Required<Omit<LossOptions, 'preset'>>;

const base: LossConfig = {
  loss: 'clip',
  clipLow: 0.2,
  clipHigh: 0.2,
  dualClip: null,
  aggregation: 'token-mean',
  advantage: 'group',
  groupSize: 8,
  stepsPerBatch: 1,
  kl: 'off',
  klEstimator: 'k3',
  klWeight: 0,
  entropyWeight: 0,
  dynamicSampling: false,
  overlong: 'keep',
  correction: 'off',
  correctionCap: 2,
  temperature: 1,
};

/** What the papers say, as far as they say it. */
export const lossPresets = {
  /** Parallel-R1 with reward S1, as its code runs; S2 raises `clipHigh` to 0.28. */
  'parallel-r1': { dualClip: 3, stepsPerBatch: 2 },
  /** DeepSeekMath, arXiv 2402.03300. */
  grpo: { aggregation: 'seq-mean-token-mean', kl: 'loss', klWeight: 0.04 },
  /** arXiv 2503.14476. */
  dapo: { clipHigh: 0.28, dynamicSampling: true, overlong: 'leave-out' },
  /** arXiv 2503.20783. */
  'dr-grpo': { aggregation: 'seq-sum-norm', advantage: 'centred' },
  /** arXiv 2507.18071. */
  gspo: { loss: 'gspo', clipLow: 3e-4, clipHigh: 4e-4, aggregation: 'seq-mean-token-mean' },
  /** arXiv 2402.14740: no clip, the mean of the others as the baseline. */
  rloo: { loss: 'gradient', advantage: 'leave-one-out', aggregation: 'seq-mean-token-sum' },
  /** arXiv 2501.03262: no groups, whitened over the batch. */
  'reinforce++': { advantage: 'reinforce++', groupSize: 1, kl: 'reward', klEstimator: 'k1', klWeight: 0.01 },
} as const satisfies Readonly<Record<string, LossOptions>>;

export type LossPresetName = keyof typeof lossPresets;

const choices: Readonly<Record<string, readonly unknown[]>> = {
  loss: ['clip', 'gspo', 'gmpo', 'cispo', 'sapo', 'gradient'],
  aggregation: aggregations,
  advantage: ['group', 'centred', 'leave-one-out', 'length-weighted', 'reinforce++'],
  kl: ['off', 'loss', 'reward'],
  klEstimator: Object.keys(klEstimators),
  dynamicSampling: [true, false],
  overlong: ['keep', 'leave-out'],
  correction: ['off', 'recompute', 'truncate', 'leave-out'],
};

const refuse = (name: string, expected: string, received: unknown, advice = ''): never =>
  fail(
    'E_CONFIG',
    `loss: ${name}: expected ${expected}, received ${JSON.stringify(received) ?? String(received)}.${advice && ` ${advice}`}`,
    { name, received },
  );

/**
 * Fills options and checks them, one by one and together.
 *
 * @throws E_CONFIG naming the option, what it must be and what came
 */
export function lossConfig({ preset, ...said }: LossOptions = {}): LossConfig {
  for (const name of Object.keys(said))
    if (!(name in base)) refuse('options', `some of ${Object.keys(base).join(', ')}`, name, 'Correct the name.');
  if (preset !== undefined && !Object.hasOwn(lossPresets, preset))
    refuse('preset', `one of ${Object.keys(lossPresets).join(', ')}`, preset);
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  const config: LossConfig = { ...base, ...(preset && lossPresets[preset]), ...given };
  for (const [name, names] of Object.entries(choices)) {
    const value = config[name as keyof LossConfig];
    if (!names.includes(value)) refuse(name, `one of ${names.join(', ')}`, value);
  }
  number(config, 'clipLow', 'a number from 0 up to, not including, 1', x => x >= 0 && x < 1);
  for (const name of ['clipHigh', 'klWeight', 'entropyWeight'] as const)
    number(config, name, 'a number from 0', x => x >= 0);
  number(config, 'temperature', 'a number above 0', x => x > 0);
  number(config, 'correctionCap', 'a number above 1', x => x > 1);
  for (const name of ['groupSize', 'stepsPerBatch'] as const)
    number(config, name, 'a whole number from 1 up', x => Number.isSafeInteger(x) && x >= 1);
  if (config.dualClip !== null) number(config, 'dualClip', 'null or a number above 1', x => x > 1);
  together(config);
  return config;
}

function number(config: LossConfig, name: keyof LossConfig, expected: string, fits: (x: number) => boolean): void {
  const value = config[name];
  if (typeof value !== 'number' || !Number.isFinite(value) || !fits(value)) refuse(name, expected, value);
}

/** Choices that contradict each other, or do less than they seem to. */
function together(config: LossConfig): void {
  const { loss, aggregation, advantage, groupSize, kl, klEstimator, klWeight, stepsPerBatch, dualClip } = config;
  if (dualClip !== null && loss !== 'clip')
    refuse('dualClip', `null with the loss '${loss}', which has no such bound`, dualClip, "Use the loss 'clip'.");
  if ((loss === 'gspo' || loss === 'gmpo') && aggregation !== 'seq-mean-token-mean')
    refuse('aggregation', `'seq-mean-token-mean' with the loss '${loss}' of whole sequences`, aggregation);
  if (loss === 'gradient' && stepsPerBatch > 1)
    refuse(
      'stepsPerBatch',
      "1 with the loss 'gradient', which does not correct for a policy that has moved on",
      stepsPerBatch,
      "Use the loss 'clip'.",
    );
  if (groupSize === 1 && advantage !== 'reinforce++')
    refuse('groupSize', `2 or more with the advantage '${advantage}', which compares answers to one prompt`, groupSize);
  if (config.dynamicSampling && groupSize === 1)
    refuse('dynamicSampling', 'false for groups of one, whose rewards are always equal', true);
  if (kl === 'off' && klWeight > 0)
    refuse('klWeight', "0 where kl is 'off'", klWeight, "Say where it goes: kl: 'loss' or 'reward'.");
  if (kl !== 'off' && klWeight === 0) refuse('klWeight', `a number above 0 where kl is '${kl}'`, klWeight);
  if (kl === 'loss' && klEstimator === 'k1')
    refuse(
      'klEstimator',
      'k2, k3 or abs in the loss: the gradient of k1 is zero on average',
      klEstimator,
      "Or kl: 'reward'.",
    );
  if (kl === 'reward' && advantage !== 'reinforce++')
    refuse(
      'kl',
      `'off' or 'loss' with the advantage '${advantage}', which knows one reward for each answer`,
      kl,
      "Use the advantage 'reinforce++'.",
    );
}
