/** From raw values (command line, config file) to checked settings. Pure: files are read by the caller. */

import { fail, type Json } from '@heddle/core';
import { didYouMean } from './nearest.js';
import { changeable, keys, presets, sizeKeys, type Key, type KeyName, type TrainSettings } from './settings.js';

export type Raw = Readonly<Record<string, unknown>>;

export interface RawSettings {
  /** Lowest first: a later one wins. `where` is for messages: `train.json`, `command line`. */
  readonly layers: readonly { readonly where: string; readonly values: Raw }[];
}

/** A model's configuration and what it is called, from what `model` may be. */
interface ModelChoice {
  readonly architecture: string;
  readonly model: Readonly<Record<string, Json>>;
}

const plainDefaults = Object.fromEntries(
  (Object.entries(keys) as [KeyName, Key][]).flatMap(([name, key]) =>
    key.default === undefined || name === 'warmUp' ? [] : [[name, key.default]],
  ),
);

/** Of these, every config file and command line has a say; the rest is no business of a run. */
export const ownValues = (options: Raw): Raw =>
  Object.fromEntries(Object.entries(options).filter(([name, value]) => name in keys && value !== undefined));

/**
 * Checks and completes.
 *
 * @throws E_OPTION for an unknown key, with the nearest, and for a value that does not fit, naming where it came from
 */
export function readSettings({ layers }: RawSettings): TrainSettings {
  const merged: Record<string, unknown> = { ...plainDefaults };
  for (const { where, values } of layers) {
    for (const [name, value] of Object.entries(values)) {
      if (!(name in keys))
        fail(
          'E_OPTION',
          `${where}: expected a setting of a training run, received '${name}'. ${didYouMean(name, Object.keys(keys))}`,
          { where, name },
        );
      merged[name] = readValue(keys[name as KeyName], value, name, where);
    }
  }
  const { text = [], width, depth, heads, dropout, model, warmUp, ...rest } = merged;
  const chosen = model as ModelChoice | string;
  const base =
    typeof chosen === 'string' ? { architecture: 'decoder', model: presets[chosen as keyof typeof presets] } : chosen;
  const sizes = { width, depth, heads, dropout: dropout === 0 ? undefined : dropout } satisfies Readonly<
    Record<(typeof sizeKeys)[number], unknown>
  >;
  const given = Object.fromEntries(Object.entries(sizes).filter(([, value]) => value !== undefined)) as Record<
    string,
    Json
  >;
  const settings = {
    ...rest,
    text,
    architecture: base.architecture,
    model: { ...base.model, ...given },
    warmUp: warmUp ?? Math.ceil((merged['steps'] as number) / 20),
  } as unknown as TrainSettings; // every key was read by its own rule above
  if (settings.schedule === 'inverse-sqrt' && settings.warmUp < 1) {
    fail(
      'E_OPTION',
      `warmUp: expected at least 1 step for the schedule inverse-sqrt, received ${settings.warmUp}. Give --warm-up 100, or another schedule.`,
      { warmUp: settings.warmUp },
    );
  }
  return settings;
}

function readValue(key: Key, value: unknown, name: string, where: string): unknown {
  const refuse = (expected: string): never =>
    fail('E_OPTION', `${where}: ${name}: expected ${expected}, received ${glance(value)}. See heddle train --help.`, {
      where,
      name,
      value,
    });
  switch (key.kind) {
    case 'whole':
    case 'number': {
      const { least, most = Number.POSITIVE_INFINITY } = key;
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      const fits =
        typeof number === 'number' &&
        Number.isFinite(number) &&
        number >= least &&
        number <= most &&
        (key.kind === 'number' || Number.isSafeInteger(number));
      const upTo = most === Number.POSITIVE_INFINITY ? `from ${least} up` : `from ${least} to ${most}`;
      return fits ? number : refuse(`a ${key.kind === 'whole' ? 'whole number' : 'number'} ${upTo}`);
    }
    case 'word':
      return typeof value === 'string' ? value : refuse('text');
    case 'words': {
      const list = typeof value === 'string' ? [value] : value;
      return Array.isArray(list) && list.length > 0 && list.every(one => typeof one === 'string' && one !== '')
        ? list
        : refuse('one or more names');
    }
    case 'choice':
      return key.choices.includes(value as string) ? value : refuse(key.choices.join(', '));
    case 'model':
      return readModel(value, refuse);
  }
}

/** A preset, or `{ architecture?, …configuration }`; the caller has put a file's contents in place of its name. */
function readModel(value: unknown, refuse: (expected: string) => never): ModelChoice | string {
  const sizes = Object.keys(presets).join(', ');
  if (typeof value === 'string') return value in presets ? value : refuse(`one of ${sizes}, or a .json file`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(`one of ${sizes}, or an object`);
  const { architecture = 'decoder', ...model } = value as Readonly<Record<string, Json>>;
  return typeof architecture === 'string' ? { architecture, model } : refuse('a name as architecture');
}

const glance = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);

/**
 * Settings of a run that goes on: what was stored, with what may change taken from the command line.
 *
 * @throws E_RESUME naming every setting that differs and may not
 */
export function resumeSettings(
  stored: TrainSettings,
  asked: TrainSettings,
  given: readonly string[],
  folder: string,
): TrainSettings {
  const names = new Set(given.map(name => ((sizeKeys as readonly string[]).includes(name) ? 'model' : name)));
  const differing = [...names].filter(
    name =>
      !changeable.includes(name as keyof TrainSettings) &&
      JSON.stringify(stored[name as keyof TrainSettings]) !== JSON.stringify(asked[name as keyof TrainSettings]),
  );
  if (differing.length > 0) {
    const words = differing.map(
      name =>
        `${name} ${glance(stored[name as keyof TrainSettings])}, asked for ${glance(asked[name as keyof TrainSettings])}`,
    );
    fail(
      'E_RESUME',
      `${folder}: expected the settings that the run was started with, received others: ${words.join('; ')}. Leave them out, or start anew in another --out.`,
      { folder, differing },
    );
  }
  const changed = Object.fromEntries(
    [...names]
      .filter(name => changeable.includes(name as keyof TrainSettings))
      .map(name => [name, asked[name as keyof TrainSettings]]),
  );
  return { ...stored, ...changed };
}

/** What a checkpoint is of: another value of these would make another run. */
export const identityOf = (settings: TrainSettings): Json =>
  Object.fromEntries(
    Object.entries(settings).filter(([name]) => !changeable.includes(name as keyof TrainSettings) && name !== 'text'),
  ) as unknown as Json;
