/** The data source `connectome`: from options as a command line or a config has them to batches of subjects. */

import { fail, type DataSource } from '@heddle/core';
import { subjectBatches, type SubjectBatches, type SubjectBatchOptions } from './batches.js';
import { readSubjects, type ReadSubjectsOptions } from './files.node.js';
import { generateSubjects, type GenerateOptions } from './generate.js';
import { splitSubjects, type Part, type SplitOptions } from './split.js';

export type ConnectomeOptions = SubjectBatchOptions &
  SplitOptions & {
    /** Which part of the split. Default `train`. */
    readonly part?: Part;
  } & ({ readonly files: ReadSubjectsOptions } | { readonly generate: GenerateOptions });

/** @throws as its parts do: E_OPTION, E_IO, E_COLUMN, E_MATRIX, E_EMPTY, E_DUPLICATE */
export async function openConnectome(options: ConnectomeOptions): Promise<SubjectBatches> {
  const subjects =
    'files' in options ? (await readSubjects(options.files)).subjects : generateSubjects(options.generate);
  return subjectBatches(splitSubjects(subjects, options)[options.part ?? 'train'], options);
}

export const connectomeSource: DataSource = {
  name: 'connectome',
  open: async options => openConnectome(checked(options)),
};

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null;
const isNumber = (value: unknown): boolean => typeof value === 'number';

const rules: Readonly<Record<string, readonly [what: string, fits: (value: unknown) => boolean]>> = {
  files: ['{ matrices, table }', isRecord],
  generate: ['{ subjects }', isRecord],
  part: ['train, validation or test', value => ['train', 'validation', 'test'].includes(value as string)],
  validation: ['a number', isNumber],
  test: ['a number', isNumber],
  batch: ['a number', isNumber],
  seed: ['a number', isNumber],
  shuffle: ['true or false', value => typeof value === 'boolean'],
  epochs: ['a number or null', value => value === null || typeof value === 'number'],
};

function checked(options: Readonly<Record<string, unknown>>): ConnectomeOptions {
  const refuse = (name: string, expected: string, received: string): never =>
    fail('E_OPTION', `connectome source: ${name}expected ${expected}, received ${received}. Correct the option.`, {
      option: name,
    });
  for (const [name, value] of Object.entries(options)) {
    const [what, fits] = (Object.hasOwn(rules, name) ? rules[name] : undefined) ?? refuse('', `one of ${Object.keys(rules).join(', ')}`, `'${name}'`); // prettier-ignore
    if (value !== undefined && !fits(value)) refuse(`${name}: `, what, (JSON.stringify(value) ?? String(value)).slice(0, 60)); // prettier-ignore
  }
  if ('files' in options === 'generate' in options)
    refuse('', 'either files or generate', 'files' in options ? 'both' : 'neither');
  if (options['batch'] === undefined) refuse('batch: ', 'a number', 'nothing');
  return options as unknown as ConnectomeOptions; // each field was looked at above
}
