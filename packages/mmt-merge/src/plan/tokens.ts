/** One vocabulary for models with several, and which row of which table each of its tokens takes. */

import { fail, type Json } from '@heddle/core';
import type { Vocabulary } from '../checkpoint/vocabulary.js';
import type { Locate } from '../recipe/check.js';
import type { Recipe, RecipeTokenizer, TokenRule } from '../recipe/recipe.js';
import { titleOf } from '../recipe/reference.js';
import type { RowRun } from './source.js';

export interface TokenModel {
  readonly title: string;
  readonly vocabulary: Vocabulary;
  /** Rows that mean something: ids from here on are ignored. */
  readonly size: number;
}

/** Where a token comes from for models that have no row of their own, or for all. */
type Filler =
  | { readonly kind: 'row'; readonly model: number; readonly row: number }
  | { readonly kind: 'mean'; readonly rows: readonly (readonly [model: number, row: number])[] }
  | { readonly kind: 'zero' };

export interface TokenPlan {
  /** By id. */
  readonly tokens: readonly (string | null)[];
  /** Rows of the tables, padding included. */
  readonly rows: number;
  /** The tokenizer.json to write. */
  readonly json: Readonly<Record<string, Json>>;
  /** The model whose other tokenizer files are copied. */
  readonly donor: string;
  /** For the report. */
  readonly added: readonly string[];
  readonly dropped: readonly string[];
  readonly averaged: readonly string[];
  readonly zeros: readonly string[];
  /** The rows of one model's table in the new order; sources of runs are positions in the list of models. */
  runs(model: number): readonly RowRun[];
}

/** What the recipe says about tokenizers; null where it says nothing. */
export const tokenRules = ({ tokenizer, tokenizer_source: source }: Recipe): RecipeTokenizer | null =>
  tokenizer ?? (source === undefined ? null : { source });

/**
 * @param models all that are merged, the donor (base, or first) in front
 * @throws E_TOKENIZER
 */
export function planTokens(rules: RecipeTokenizer, models: readonly TokenModel[], at: Locate): TokenPlan {
  const { source = 'union', tokens: ruled = {}, pad_to_multiple_of: multiple } = rules;
  const [first] = models;
  const donor =
    source === 'union' || source === 'base'
      ? first!
      : (models.find(({ title }) => title === source || title === titleOf(source.replace(/^model:/, ''))) ??
        refuse(at, `'union', 'base' or one of ${models.map(({ title }) => title).join(', ')}`, `'${source}'`));
  const ids = new Map<string, number>();
  for (const [token, id] of donor.vocabulary.ids) if (id < donor.size) ids.set(token, id);
  let next = 0;
  for (const id of ids.values()) next = Math.max(next, id + 1);
  const flags = new Map<string, Readonly<Record<string, Json>>>();
  const added: string[] = [];
  const add = (token: string, entry: Readonly<Record<string, Json>> | undefined): void => {
    if (ids.has(token)) return;
    ids.set(token, next++);
    added.push(token);
    flags.set(token, entry ?? ordinary);
  };
  if (source === 'union') {
    for (const isAdded of [false, true]) {
      for (const { vocabulary, size } of models) {
        const own = [...vocabulary.ids].filter(([token, id]) => id < size && vocabulary.added.has(token) === isAdded);
        for (const [token] of own.sort((a, b) => a[1] - b[1])) add(token, vocabulary.added.get(token));
      }
    }
  }
  for (const token of Object.keys(ruled)) {
    const holder = models.find(({ vocabulary }) => vocabulary.added.has(token));
    add(token, holder?.vocabulary.added.get(token) ?? special);
  }

  const tokens: (string | null)[] = new Array<null>(next).fill(null);
  for (const [token, id] of ids) tokens[id] = token;
  const rows = multiple ? Math.ceil(next / multiple) * multiple : next;
  const averaged: string[] = [];
  const zeros: string[] = [];
  const rowIn = (model: number, token: string): number | null => {
    const id = models[model]!.vocabulary.ids.get(token);
    return id !== undefined && id < models[model]!.size ? id : null;
  };
  const fillers = tokens.map((token): Filler | null => {
    if (token === null) return null;
    const rule = Object.hasOwn(ruled, token) ? ruled[token]! : null;
    if (rule !== null) return fillerOf(rule, token, models, rowIn, at);
    const holders = models.flatMap((_, model) => {
      const row = rowIn(model, token);
      return row === null ? [] : [[model, row] as const];
    });
    const [one] = holders;
    if (one === undefined) return { kind: 'zero' };
    // The first model is the base: where it has the token, its row serves those that have not.
    return holders.length === 1 || one[0] === 0
      ? { kind: 'row', model: one[0], row: one[1] }
      : { kind: 'mean', rows: holders };
  });
  for (const [id, token] of tokens.entries()) {
    if (token === null) continue;
    const missing = models.some((_, model) => rowIn(model, token) === null);
    if (missing && fillers[id]?.kind === 'mean') averaged.push(token);
    if (fillers[id]?.kind === 'zero') zeros.push(token);
  }
  const dropped = [...new Set(models.flatMap(({ vocabulary }) => [...vocabulary.ids.keys()]))].filter(
    token => !ids.has(token),
  );

  return {
    tokens,
    rows,
    json: withAdded(donor.vocabulary, added, ids, flags),
    donor: donor.title,
    added,
    dropped,
    averaged,
    zeros,
    runs(model) {
      const runs: RowRun[] = [];
      for (const [id, token] of tokens.entries()) {
        const own = token === null ? null : rowIn(model, token);
        const forced = token !== null && Object.hasOwn(ruled, token) && ruled[token]!.force === true;
        const filler: Filler =
          own !== null && !forced ? { kind: 'row', model, row: own } : (fillers[id] ?? { kind: 'zero' });
        push(runs, filler);
      }
      if (rows > next) runs.push({ count: rows - next, meanOf: model, rows: models[model]!.size });
      return runs;
    },
  };
}

const ordinary = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false } as const;
const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true } as const;

function fillerOf(
  { source }: TokenRule,
  token: string,
  models: readonly TokenModel[],
  rowIn: (model: number, token: string) => number | null,
  at: Locate,
): Filler {
  const path = ['tokenizer', 'tokens', token, 'source'];
  if (typeof source === 'object' && 'kind' in source && source.kind === 'zero') return { kind: 'zero' };
  const wanted =
    typeof source === 'object' && 'kind' in source ? source : { model: source, token, token_id: undefined };
  const title = titleOf(wanted.model);
  const model = models.findIndex(one => one.title === title);
  if (model === -1) return refuse(at, `a source among ${models.map(one => one.title).join(', ')}`, `'${title}'`, path);
  const row = wanted.token_id ?? rowIn(model, wanted.token ?? token);
  if (row === null || row >= models[model]!.size)
    return refuse(
      at,
      `a token that ${title} has`,
      row === null ? JSON.stringify(wanted.token ?? token) : `token_id ${row}`,
      path,
    );
  return { kind: 'row', model, row };
}

function push(runs: RowRun[], filler: Filler): void {
  const last = runs.at(-1);
  if (filler.kind === 'mean') runs.push({ count: 1, mean: filler.rows });
  else if (filler.kind === 'zero') {
    if (last && 'zero' in last) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ count: 1, zero: true });
  } else if (last && 'from' in last && last.source === filler.model && last.from + last.count === filler.row)
    runs[runs.length - 1] = { ...last, count: last.count + 1 };
  else runs.push({ count: 1, source: filler.model, from: filler.row });
}

/** The donor's tokenizer with the new tokens as added ones: merges of other tokenizers cannot be mixed in. */
function withAdded(
  { json }: Vocabulary,
  added: readonly string[],
  ids: ReadonlyMap<string, number>,
  flags: ReadonlyMap<string, Readonly<Record<string, Json>>>,
): Readonly<Record<string, Json>> {
  if (added.length === 0) return json;
  const before = (json['added_tokens'] ?? []) as readonly Json[];
  const entries = added.map(content => ({ ...flags.get(content), id: ids.get(content)!, content }));
  return { ...json, added_tokens: [...before, ...entries] };
}

const refuse = (at: Locate, expected: string, received: string, path: readonly string[] = ['tokenizer']): never =>
  fail('E_TOKENIZER', `${at(path)}: expected ${expected}, received ${received}. Correct the recipe.`, { path });
