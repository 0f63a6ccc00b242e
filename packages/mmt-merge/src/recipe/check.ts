/** Looks at a recipe that somebody wrote, and says where it is wrong. */

import { fail } from '@heddle/core';
import { isPlainName } from '@heddle/core/files';
import type { Recipe } from './recipe.js';

export type Path = readonly (string | number)[];

/** Says where in a text something stands: `recipe.yml:3:5`; for values, their path. */
export type Locate = (path: Path, key?: boolean) => string;

/** A place without a text: `recipe.models[0].model`. */
export const pathText: Locate = path =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${part}`), 'recipe');

type Check = (value: unknown, path: Path, at: Locate) => void;

function refuse(
  at: Locate,
  path: Path,
  expected: string,
  value: unknown,
  advice = 'Correct the recipe.',
  key = false,
): never {
  const received = key ? `'${String(path.at(-1))}'` : show(value);
  const what = path.length === 0 ? 'recipe' : path.filter(part => typeof part === 'string').at(-1)!;
  return fail(
    'E_RECIPE',
    `${at(path, key)}: ${key ? '' : `${what}: `}expected ${expected}, received ${received}. ${advice}`,
    {
      path,
      place: at(path, key),
    },
  );
}

const show = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing';
  const text =
    typeof value === 'object'
      ? Array.isArray(value)
        ? `a list of ${value.length}`
        : 'a mapping'
      : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

const text: Check = (value, path, at) => {
  if (typeof value !== 'string' || value.trim() === '') refuse(at, path, 'a text', value);
};
const whole =
  (least: number): Check =>
  (value, path, at) => {
    if (!Number.isSafeInteger(value) || (value as number) < least)
      refuse(at, path, `a whole number from ${least}`, value);
  };
const truth: Check = (value, path, at) => {
  if (typeof value !== 'boolean') refuse(at, path, 'true or false', value);
};
const oneOf =
  (...names: readonly string[]): Check =>
  (value, path, at) => {
    if (!names.includes(value as string)) refuse(at, path, `one of ${names.join(', ')}`, value);
  };
const orNull =
  (check: Check): Check =>
  (value, path, at) => {
    if (value !== null) check(value, path, at);
  };

function mapping(value: unknown, path: Path, at: Locate, expected = 'a mapping'): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(at, path, expected, value);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, path: Path, at: Locate, expected = 'a list'): readonly unknown[] {
  return Array.isArray(value) && value.length > 0
    ? value
    : refuse(at, path, `${expected} with at least one entry`, value);
}

/** A mapping of known keys. */
const record =
  (fields: Readonly<Record<string, Check>>, required: readonly string[] = []): Check =>
  (value, path, at) => {
    const all = mapping(value, path, at);
    for (const [key, entry] of Object.entries(all)) {
      const check = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (check === undefined) refuse(at, [...path, key], `one of the keys ${Object.keys(fields).join(', ')}`, entry, nearest(key, Object.keys(fields)), true); // prettier-ignore
      if (entry !== undefined) check(entry, [...path, key], at);
    }
    for (const key of required) {
      if (all[key] === undefined) refuse(at, path, `a ${key}`, undefined, `Add ${key}.`);
    }
  };

const each =
  (check: Check, expected?: string): Check =>
  (value, path, at) => {
    for (const [i, entry] of list(value, path, at, expected).entries()) check(entry, [...path, i], at);
  };

const byName =
  (check: Check, plain = false): Check =>
  (value, path, at) => {
    for (const [key, entry] of Object.entries(mapping(value, path, at))) {
      if (plain && !isPlainName(key))
        refuse(at, [...path, key], 'a name that can be a folder', entry, 'Rename it.', true);
      check(entry, [...path, key], at);
    }
  };

const scalar: Check = (value, path, at) => {
  if (!['number', 'boolean', 'string'].includes(typeof value))
    refuse(at, path, 'a number, true, false or a text', value);
};
const value: Check = (entry, path, at) =>
  Array.isArray(entry) ? each(scalar)(entry, path, at) : scalar(entry, path, at);
const condition = record({ filter: text, value }, ['value']);

/** A scalar, a gradient, or conditions; not mixed. */
const setting: Check = (entry, path, at) => {
  if (!Array.isArray(entry)) scalar(entry, path, at);
  else {
    const conditions = entry.length > 0 && typeof entry[0] === 'object';
    each(conditions ? condition : scalar)(entry, path, at);
  }
};
const parameters: Check = byName(orNull(setting));

const located = record({ path: text, revision: orNull(text) }, ['path']);
const place: Check = (entry, path, at) => (typeof entry === 'string' ? text : located)(entry, path, at);
const modelName: Check = (entry, path, at) => {
  if (typeof entry === 'string') return text(entry, path, at);
  return record({ model: place, lora: orNull(place), override_architecture: orNull(text) }, ['model'])(entry, path, at);
};

const layerRange: Check = (entry, path, at) => {
  const range = entry as readonly number[];
  const fits = Array.isArray(range) && range.length === 2 && range.every(n => Number.isSafeInteger(n) && n >= 0);
  if (!fits || range[0]! >= range[1]!) refuse(at, path, 'two whole numbers [from, to], from before to', entry);
};

const source = record({ model: modelName, layer_range: layerRange, parameters }, ['model']);
const slice: Check = (entry, path, at) => {
  const { residual_weight: residual } = mapping(entry, path, at);
  if (residual !== undefined && residual !== null)
    refuse(at, [...path, 'residual_weight'], 'no residual_weight, which is not supported', residual, 'Take it out.');
  record({ sources: each(source), base_model: orNull(modelName), parameters, residual_weight: () => {} }, ['sources'])(entry, path, at); // prettier-ignore
};

const tokenSource: Check = (entry, path, at) => {
  if (typeof entry === 'string') return text(entry, path, at);
  const { kind } = mapping(entry, path, at);
  if (kind === undefined) return modelName(entry, path, at);
  if (kind === 'zero') return record({ kind: text })(entry, path, at);
  oneOf('zero', 'model_token')(kind, [...path, 'kind'], at);
  record({ kind: text, model: modelName, token: text, token_id: whole(0) }, ['model'])(entry, path, at);
  const { token, token_id: id } = mapping(entry, path, at);
  if ((token === undefined) === (id === undefined)) refuse(at, path, 'either token or token_id', entry);
};

const tokenizer = record({
  source: text,
  tokens: byName(record({ source: tokenSource, force: truth }, ['source'])),
  pad_to_multiple_of: orNull(whole(1)),
});

const floats = ['float32', 'float16', 'bfloat16', 'float64'] as const;
const float = orNull(oneOf(...floats));

const fields: Readonly<Record<keyof Recipe | 'modules', Check>> = {
  name: (entry, path, at) => {
    text(entry, path, at);
    if (!isPlainName(entry as string)) refuse(at, path, 'a name that can be a folder', entry, 'Rename it.');
  },
  merge_method: text,
  base_model: orNull(modelName),
  models: each(record({ model: modelName, parameters }, ['model'])),
  slices: each(slice),
  groups: byName(
    record(
      {
        models: each(record({ model: modelName, label: text, parameters }, ['model'])),
        base_model: orNull(modelName),
        parameters,
      },
      ['models'],
    ),
    true,
  ),
  modules: (entry, path, at) =>
    refuse(
      at,
      path,
      'models, slices or groups',
      entry,
      'modules are not supported: write models, and filters for what differs.',
      true,
    ),
  parameters,
  dtype: float,
  out_dtype: float,
  dtypes: record({ read: float, accumulate: orNull(oneOf('float32', 'float64')), write: float }),
  tokenizer,
  tokenizer_source: text,
  chat_template: orNull(text),
  adapters: record({ mode: oneOf('delta', 'factors'), rank: whole(1) }, ['mode']),
  seed: whole(0),
};

/**
 * Checks everything that can be seen without models.
 *
 * @param at where things stand, for messages; by path where there is no text
 * @throws E_RECIPE
 */
export function checkRecipe(recipe: unknown, at: Locate = pathText): Recipe {
  record(fields, ['merge_method'])(recipe, [], at);
  const all = recipe as Recipe;
  const kinds = (['models', 'slices', 'groups'] as const).filter(kind => all[kind] !== undefined);
  if (kinds.length !== 1)
    refuse(at, kinds.length > 1 ? [kinds[1]!] : [], 'exactly one of models, slices and groups', undefined, kinds.length === 0 ? 'List the models.' : 'Leave one of them.'); // prettier-ignore
  if (all.tokenizer !== undefined && all.tokenizer_source !== undefined)
    refuse(
      at,
      ['tokenizer_source'],
      'tokenizer or tokenizer_source, not both',
      all.tokenizer_source,
      'Leave one of them.',
    );
  for (const [i, { sources }] of (all.slices ?? []).entries()) {
    const [first] = sources;
    for (const [j, { layer_range: range }] of sources.entries()) {
      const [length, expected] = [range, first!.layer_range].map(one => (one ? one[1] - one[0] : null));
      if (length !== expected)
        refuse(
          at,
          ['slices', i, 'sources', j, 'layer_range'],
          `as many layers as the first source has (${expected ?? 'all'})`,
          range,
        );
    }
  }
  return all;
}

/** The advice for a key that is not known. */
export function nearest(word: string, known: readonly string[]): string {
  const scored = known.map(name => [distance(word, name), name] as const).sort((a, b) => a[0] - b[0]);
  const [best] = scored;
  return best !== undefined && best[0] <= Math.max(2, word.length / 3)
    ? `Did you mean ${best[1]}?`
    : 'Take it out, or correct its name.';
}

/** Letters to change, add or take away. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
