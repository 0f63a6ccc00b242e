/** What a run of `heddle curriculum` is told: which curricula, what model, which problems. */

import { fail, type CommandCall } from '@heddle/core';
import {
  curriculumOf,
  curriculumPresets,
  type Curriculum,
  type CurriculumOptions,
  type StageConfig,
} from '@heddle/rl-grpo';
import type { ServerOptions } from '@heddle/openai-client';
import { readJsonObject } from '../json-file.js';
import { numberOption } from '../numbers.js';

export interface CurriculumSettings {
  /** Run one after the other; what they begin with in common is done once. */
  readonly curricula: readonly Curriculum[];
  /** A folder of a trained decoder with the tags in its vocabulary; null for a small model of one's own. */
  readonly model: string | null;
  /** Files of problems by the names that stages use. */
  readonly files: Readonly<Record<string, string>>;
  /** A server that solves problems for stages that gather. */
  readonly teacher: ServerOptions | null;
  /** Of a model of one's own. */
  readonly width: number;
  readonly depth: number;
}

/**
 * The reference engine defines what is right and is a thousand times slower: of what nobody chose, it gets a job of the same
 * stages that ends.
 */
export function forReference(
  settings: CurriculumSettings,
  { options }: Pick<CommandCall, 'options'>,
): CurriculumSettings {
  const chosen = ['preset', 'config', 'model', 'width', 'depth'].some(name => options[name] !== undefined);
  if (chosen) return settings;
  const small = (stage: StageConfig): StageConfig => {
    switch (stage.kind) {
      case 'gather':
        return { ...stage, count: 8 };
      case 'learn':
        return { ...stage, steps: 2, batch: 2 };
      case 'policy':
        return { ...stage, steps: 1, tokens: null, prompts: 2, batch: 4, loss: { ...stage.loss, groupSize: 2 } };
    }
  };
  const curricula = settings.curricula.map(one =>
    curriculumOf({ ...one, measure: { problems: ['level:1'], count: 4, samples: 1 }, stages: one.stages.map(small) }),
  );
  return { ...settings, curricula, width: 16, depth: 1 };
}

/** @throws E_OPTION, E_CONFIG, E_FILE */
export async function readCurriculumSettings({ options }: Pick<CommandCall, 'options'>): Promise<CurriculumSettings> {
  const text = (name: string): string | null => (typeof options[name] === 'string' ? options[name] : null);
  const [preset, config] = [text('preset'), text('config')];
  if (preset !== null && config !== null)
    fail('E_OPTION', 'preset, config: expected one of them, received both. Leave one out.', {});
  const chosen: readonly CurriculumOptions[] =
    config === null
      ? (preset ?? 'tiny,tiny-sequential').split(',').map(presetOf)
      : [(await readJsonObject(config, 'a curriculum')) as unknown as CurriculumOptions]; // curriculumOf looks at it
  const seed = options['seed'] === undefined ? null : numberOption(options, 'seed', { least: 0, whole: true, default: 0 }); // prettier-ignore
  const curricula = chosen.map(one => curriculumOf(seed === null ? one : { ...one, seed }));
  const names = curricula.map(({ name }) => name);
  if (new Set(names).size < names.length)
    fail('E_OPTION', `preset: expected each once, received ${names.join(', ')}.`, { names });
  return {
    curricula,
    model: text('model'),
    files: Object.fromEntries(((options['problems'] ?? []) as readonly string[]).map(named)),
    teacher: teacherOf(text('teacher'), text('teacherModel'), text('keyFrom'), numberOption(options, 'atOnce', { least: 1, most: 4096, whole: true, default: 8 })), // prettier-ignore
    width: numberOption(options, 'width', { least: 8, most: 4096, whole: true, default: 128 }),
    depth: numberOption(options, 'depth', { least: 1, most: 96, whole: true, default: 3 }),
  };
}

function presetOf(name: string): CurriculumOptions {
  if (!Object.hasOwn(curriculumPresets, name))
    fail('E_OPTION', `preset: expected some of ${Object.keys(curriculumPresets).join(', ')}, received '${name}'.`, { name }); // prettier-ignore
  return curriculumPresets[name as keyof typeof curriculumPresets];
}

function teacherOf(
  url: string | null,
  model: string | null,
  keyFrom: string | null,
  atOnce: number,
): ServerOptions | null {
  if (url === null) return null;
  if (model === null) return fail('E_OPTION', 'teacher-model: expected the name of the model that the server runs, received none. Give --teacher-model NAME.', {}); // prettier-ignore
  const variable = keyFrom ?? 'OPENAI_API_KEY';
  const apiKey = process.env[variable];
  if (keyFrom !== null && apiKey === undefined)
    fail('E_OPTION', `key-from: expected a variable of the environment that holds the key, received ${keyFrom}, which is not set. Set it.`, { variable }); // prettier-ignore
  return { url, model, atOnce, ...(apiKey === undefined ? {} : { apiKey }) };
}

function named(item: string): readonly [string, string] {
  const at = item.indexOf('=');
  if (at < 1 || at === item.length - 1)
    fail('E_OPTION', `problems: expected NAME=FILE, received ${JSON.stringify(item)}. NAME is what stages call them.`, { item }); // prettier-ignore
  return [item.slice(0, at), item.slice(at + 1)];
}
