/** What a run of `heddle classify` is told: whose brains, which models, how long. */

import { fail, type CommandCall } from '@heddle/core';
import { numberOption } from '../numbers.js';
import { taskModels, type TaskModel } from '../tasks/settings.js';

export interface ClassifySettings {
  /** Matrices and the table of their labels; null: subjects that are generated. */
  readonly files: { readonly matrices: string; readonly table: string } | null;
  /** Of generated subjects: how many, their regions, and how far the groups are apart. */
  readonly subjects: number;
  readonly regions: number;
  readonly effect: number;
  readonly models: readonly TaskModel[];
  /** Every model learns once from each split of the subjects. */
  readonly splits: number;
  readonly steps: number;
  /** Subjects of a batch. */
  readonly batch: number;
  readonly width: number;
  readonly depth: number;
  readonly rate: number;
  readonly seed: number;
  /** null: as many as the machine can have. */
  readonly processes: number | null;
}

/** @throws E_OPTION */
export function readClassifySettings({ options }: Pick<CommandCall, 'options'>): ClassifySettings {
  const count = (name: string, least: number, otherwise: number): number =>
    numberOption(options, name, { least, most: 2 ** 31 - 1, whole: true, default: otherwise });
  const models = typeof options['models'] === 'string' ? options['models'].split(',') : Object.keys(taskModels);
  const odd = models.find(name => !Object.hasOwn(taskModels, name));
  if (odd !== undefined || new Set(models).size < models.length)
    fail('E_OPTION', `models: expected some of ${Object.keys(taskModels).join(', ')}, each once, received '${models.join(',')}'.`, { models }); // prettier-ignore
  const { matrices, table } = options;
  if ((matrices === undefined) !== (table === undefined))
    fail('E_OPTION', `${matrices === undefined ? 'matrices' : 'table'}: expected --matrices and --table together, received one of them. Give both, or none for generated subjects.`, {}); // prettier-ignore
  return {
    files: typeof matrices === 'string' ? { matrices, table: String(table) } : null,
    subjects: count('subjects', 20, 400),
    regions: count('regions', 6, 60),
    effect: numberOption(options, 'effect', { least: 0, most: 1, default: 0.4 }),
    models: models as readonly TaskModel[],
    splits: count('splits', 1, 3),
    steps: count('steps', 1, 200),
    batch: count('batch', 1, 16),
    width: count('width', 8, 64),
    depth: count('depth', 1, 2),
    rate: numberOption(options, 'rate', { least: 1e-9, default: 0.001 }),
    seed: count('seed', 0, 0),
    processes: options['processes'] === undefined ? null : count('processes', 1, 1),
  };
}

/** The reference engine is a thousand times slower: of what nobody chose, it gets a job that ends. */
export const forReference = (settings: ClassifySettings, { options }: Pick<CommandCall, 'options'>): ClassifySettings =>
  ['subjects', 'regions', 'steps', 'width', 'depth', 'splits'].some(name => options[name] !== undefined)
    ? settings
    : { ...settings, subjects: 40, regions: 6, steps: 2, batch: 4, width: 8, depth: 1, splits: 1 };
