/**
 * What a training run can be told: one table from which come the options of the command line, the keys of a config
 * file, and their checks. Types and data only; the checks are in `read-settings.ts`.
 */

import type { CommandOption, Json } from '@heddle/core';

export interface TrainSettings {
  /** Files or folders. */
  readonly text: readonly string[];
  /** Name of an architecture, and its configuration. */
  readonly architecture: string;
  /** Without the vocabulary, which the tokeniser decides. */
  readonly model: Readonly<Record<string, Json>>;
  /** `byte`, `bpe:SIZE`, or a file. */
  readonly tokenizer: string;
  readonly steps: number;
  readonly batch: number;
  readonly length: number;
  readonly rate: number;
  readonly schedule: ScheduleName;
  readonly warmUp: number;
  readonly optimizer: OptimizerName;
  readonly weightDecay: number;
  /** Largest joint norm of the gradients; 0 leaves them. */
  readonly clip: number;
  readonly accumulate: number;
  readonly seed: number;
  /** Part of the text kept back for validation. */
  readonly share: number;
  readonly backend: string;
  /** Steps; 0 for never, in each of these. */
  readonly checkpointEvery: number;
  readonly evaluateEvery: number;
  readonly sampleEvery: number;
  readonly prompt: string;
}

const schedules = ['cosine', 'constant', 'linear', 'inverse-sqrt'] as const;
export type ScheduleName = (typeof schedules)[number];

const optimizers = ['adamw', 'adam', 'sgd', 'adafactor'] as const;
export type OptimizerName = (typeof optimizers)[number];

export type Key = {
  /** As on the command line: `--warm-up <n>`. */
  readonly flags: string;
  readonly describe: string;
  /** Shown in the help; the value itself for plain keys. */
  readonly default?: string | number;
} & (
  | { readonly kind: 'whole' | 'number'; readonly least: number; readonly most?: number }
  | { readonly kind: 'word' }
  | { readonly kind: 'words' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** A preset's name, a file, or, in a config file, the configuration itself. */
  | { readonly kind: 'model' }
);

/**
 * Sizes of models by name: those of @heddle/transformer (a test compares), written here again so that help need not load
 * it. About 0.03, 3 and 85 million parameters, and the embedding.
 */
export const presets = {
  tiny: { width: 32, depth: 2, heads: 4 },
  small: { width: 256, depth: 4, heads: 4 },
  base: { width: 768, depth: 12, heads: 12 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Where `model` keys may be given one by one. */
export const sizeKeys = ['width', 'depth', 'heads', 'dropout'] as const;

export const keys = {
  text: { kind: 'words', flags: '--text <file...>', describe: 'files or folders to learn from' },
  model: {
    kind: 'model',
    flags: '--model <name>',
    describe: `a size (${Object.keys(presets).join(', ')}) or a JSON file with a configuration`,
    default: 'small',
  },
  width: {
    kind: 'whole',
    least: 1,
    flags: '--width <n>',
    describe: "numbers for each token, instead of the size's own",
  },
  depth: { kind: 'whole', least: 1, flags: '--depth <n>', describe: "blocks, instead of the size's own" },
  heads: { kind: 'whole', least: 1, flags: '--heads <n>', describe: "attention heads, instead of the size's own" },
  dropout: {
    kind: 'number',
    least: 0,
    most: 0.99,
    flags: '--dropout <rate>',
    describe: 'share of numbers dropped while training',
    default: 0,
  },
  tokenizer: {
    kind: 'word',
    flags: '--tokenizer <kind>',
    describe: 'byte, bpe:SIZE (trained on the text), or a tokenizer.json',
    default: 'bpe:1024',
  },
  steps: { kind: 'whole', least: 1, flags: '--steps <n>', describe: 'optimizer steps in all', default: 1000 },
  batch: { kind: 'whole', least: 1, flags: '--batch <n>', describe: 'rows of a batch', default: 16 },
  length: { kind: 'whole', least: 1, flags: '--length <n>', describe: 'tokens of a row', default: 128 },
  rate: { kind: 'number', least: 0, flags: '--rate <x>', describe: 'learning rate', default: 0.002 },
  schedule: {
    kind: 'choice',
    choices: schedules,
    flags: '--schedule <name>',
    describe: 'how the rate changes',
    default: 'cosine',
  },
  warmUp: {
    kind: 'whole',
    least: 0,
    flags: '--warm-up <n>',
    describe: 'steps in which the rate grows from 0',
    default: 'a twentieth of the steps',
  },
  optimizer: {
    kind: 'choice',
    choices: optimizers,
    flags: '--optimizer <name>',
    describe: 'update rule',
    default: 'adamw',
  },
  weightDecay: {
    kind: 'number',
    least: 0,
    flags: '--weight-decay <x>',
    describe: 'pull of the weights towards 0 (adamw, adam, sgd)',
    default: 0.01,
  },
  clip: {
    kind: 'number',
    least: 0,
    flags: '--clip <norm>',
    describe: 'largest joint norm of the gradients; 0 leaves them',
    default: 1,
  },
  accumulate: {
    kind: 'whole',
    least: 1,
    flags: '--accumulate <n>',
    describe: 'batches that make one step',
    default: 1,
  },
  seed: {
    kind: 'whole',
    least: 0,
    most: 2 ** 31 - 1,
    flags: '--seed <n>',
    describe: 'all randomness comes from it',
    default: 0,
  },
  share: {
    kind: 'number',
    least: 0,
    most: 0.9,
    flags: '--share <part>',
    describe: 'part of the text kept back for validation',
    default: 0.1,
  },
  backend: {
    kind: 'word',
    flags: '--backend <name>',
    describe: 'an engine by name (see heddle doctor), or auto',
    default: 'auto',
  },
  checkpointEvery: {
    kind: 'whole',
    least: 0,
    flags: '--checkpoint-every <n>',
    describe: 'steps between checkpoints; the last one is always saved',
    default: 100,
  },
  evaluateEvery: {
    kind: 'whole',
    least: 0,
    flags: '--evaluate-every <n>',
    describe: 'steps between validations; 0 for none',
    default: 200,
  },
  sampleEvery: {
    kind: 'whole',
    least: 0,
    flags: '--sample-every <n>',
    describe: 'steps between samples of text; 0 for none',
    default: 0,
  },
  prompt: { kind: 'word', flags: '--prompt <text>', describe: 'how samples begin', default: 'The ' },
} as const satisfies Readonly<Record<string, Key>>;

export type KeyName = keyof typeof keys;

/** May differ when a run goes on: they do not change what a step computes. */
export const changeable: readonly (keyof TrainSettings)[] = [
  'steps',
  'backend',
  'checkpointEvery',
  'evaluateEvery',
  'sampleEvery',
  'prompt',
];

/** The table as options. The defaults stay in words: a config file stands between them and the command line. */
export const settingOptions = (only: readonly KeyName[] = Object.keys(keys) as KeyName[]): CommandOption[] =>
  only.map(name => {
    const key: Key = keys[name];
    return {
      flags: key.flags,
      describe: key.default === undefined ? key.describe : `${key.describe} (default: ${key.default})`,
      ...(key.kind === 'choice' ? { choices: key.choices } : {}),
      ...(key.kind === 'words' ? { many: true } : {}),
    };
  });
