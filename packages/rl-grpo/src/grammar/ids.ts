/** Tags as tokens: finding their ids, and rows of an embedding for them. */

import { fail } from '@heddle/core';
import { tagNames, tagTexts, type TagIds } from './tags.js';

/**
 * Ids of the six tags.
 *
 * @param idOf the id of a token's text, or undefined where the vocabulary lacks it
 * @throws E_TAGS when a tag is no single token, or two share an id
 */
export function tagIds(idOf: (text: string) => number | undefined): TagIds {
  const ids = tagNames.map(name => [name, idOf(tagTexts[name])] as const);
  const missing = ids.filter(([, id]) => id === undefined).map(([name]) => tagTexts[name]);
  if (missing.length > 0)
    fail(
      'E_TAGS',
      `tagIds: expected the six tags of parallel thinking as tokens, the vocabulary lacks ${missing.join(', ')}. Add them as special tokens before training.`,
      { missing },
    );
  if (new Set(ids.map(([, id]) => id)).size !== ids.length)
    fail('E_TAGS', `tagIds: expected six distinct ids, received ${ids.map(([, id]) => id).join(', ')}.`, { ids });
  return Object.fromEntries(ids) as Record<(typeof tagNames)[number], number>;
}

/**
 * Writes a distinct row for each tag: the mean of the rows of its ordinary pieces. Rows that a vocabulary reserves are
 * often all alike, and equal rows get equal gradients for ever.
 *
 * @param table [V, width], row after row; changed in place
 * @param pieces ids of what each tag's text is split into when it is no token of its own
 * @throws E_TAGS when a tag has no pieces, or two tags the same multiset of them
 */
export function initialiseTags(
  table: Float32Array,
  width: number,
  ids: TagIds,
  pieces: Readonly<Record<keyof TagIds, readonly number[]>>,
): void {
  const keys = tagNames.map(name => pieces[name].toSorted((a, b) => a - b).join());
  for (const [i, name] of tagNames.entries()) {
    if (pieces[name].length === 0 || keys.indexOf(keys[i]!) !== i)
      fail(
        'E_TAGS',
        `initialiseTags: expected pieces of ${tagTexts[name]} that no other tag has, received [${pieces[name].join(', ')}]. Equal rows would learn alike.`,
        { name, pieces: pieces[name] },
      );
  }
  const rows = tagNames.map(name =>
    Float32Array.from(
      { length: width },
      (_, column) => pieces[name].reduce((sum, id) => sum + table[id * width + column]!, 0) / pieces[name].length,
    ),
  );
  for (const [i, name] of tagNames.entries()) table.set(rows[i]!, ids[name] * width);
}
