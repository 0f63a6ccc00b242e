/** The tasks that `heddle task` knows, and what a run of one is told. */

import { fail, type CommandCall, type Json } from '@heddle/core';
import { numberOption } from '../numbers.js';

/** What a text is written from, and where such pairs come from when nobody says. The first that has enough is taken. */
export const tasks = {
  translation: { what: 'translation', pairs: ['catalogs:en-de', 'grammar:en-de'] },
  summarisation: { what: 'summary', pairs: ['summaries:en'] },
  correction: { what: 'correction', pairs: ['corrections:en'] },
} as const satisfies Readonly<Record<string, { readonly what: string; readonly pairs: readonly string[] }>>;
export type TaskName = keyof typeof tasks;

const expanded = { attention: { expandHeads: 8 } };
/** Parts by name; the rest of the shape is alike. */
export const taskModels = {
  baseline: {},
  emha: { attention: 'emha' },
  partial: { attention: 'partial', ffn: 'none', options: expanded },
} as const satisfies Readonly<Record<string, { readonly [name: string]: Json }>>;
export type TaskModel = keyof typeof taskModels;

export interface TaskSettings {
  readonly task: TaskName;
  /** Corpora, as `corpusFrom` of @heddle/text names them; empty for the task's own. */
  readonly pairs: readonly string[];
  readonly models: readonly TaskModel[];
  /** Optimizer steps of each model. */
  readonly steps: number;
  /** The most tokens of a batch, either side. */
  readonly tokens: number;
  readonly width: number;
  readonly depth: number;
  readonly rate: number;
  readonly seed: number;
}

/** @throws E_OPTION */
export function readTaskSettings({ args, options }: Pick<CommandCall, 'args' | 'options'>): TaskSettings {
  const [task = ''] = args;
  if (!Object.hasOwn(tasks, task))
    fail('E_OPTION', `task: expected one of ${Object.keys(tasks).join(', ')}, received '${task}'.`, { task });
  const models = typeof options['models'] === 'string' ? options['models'].split(',') : Object.keys(taskModels);
  const odd = models.find(name => !Object.hasOwn(taskModels, name));
  if (odd !== undefined || models.length === 0 || new Set(models).size < models.length)
    fail(
      'E_OPTION',
      `models: expected some of ${Object.keys(taskModels).join(', ')}, each once, received '${models.join(',')}'.`,
      { models },
    );
  const count = (name: string, least: number, otherwise: number): number =>
    numberOption(options, name, { least, most: 2 ** 31 - 1, whole: true, default: otherwise });
  return {
    task: task as TaskName,
    pairs: (options['pairs'] ?? []) as readonly string[],
    models: models as readonly TaskModel[],
    steps: count('steps', 1, 300),
    tokens: count('tokens', 16, 2048),
    width: count('width', 8, 128),
    depth: count('depth', 1, 2),
    rate: numberOption(options, 'rate', { least: 1e-9, default: 0.003 }),
    seed: count('seed', 0, 0),
  };
}
