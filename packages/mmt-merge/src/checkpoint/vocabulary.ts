/** The tokens of a tokenizer and their rows, and what distinguishes two of them. */

import { fail, type Json } from '@heddle/core';

export interface Vocabulary {
  /** Token to id: ordinary ones and added ones. */
  readonly ids: ReadonlyMap<string, number>;
  /** Tokens beside the model of the tokenizer: special ones and later additions, as they stand in the file. */
  readonly added: ReadonlyMap<string, Readonly<Record<string, Json>>>;
  readonly json: Readonly<Record<string, Json>>;
}

/**
 * Reads the vocabulary out of a `tokenizer.json` (BPE, WordPiece, WordLevel or Unigram).
 *
 * @throws E_TOKENIZER
 */
export function readVocabulary(json: Json, name: string): Vocabulary {
  const refuse = (expected: string): never =>
    fail(
      'E_TOKENIZER',
      `${name}: expected ${expected}, received something else. Use a tokenizer.json of Hugging Face tokenizers.`,
      { name },
    );
  const object = (value: Json | undefined): Readonly<Record<string, Json>> | null =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, Json>>)
      : null;
  const all = object(json) ?? refuse('a JSON object');
  const vocab = object(all['model'])?.['vocab'] ?? refuse('model.vocab');
  const ids = new Map<string, number>();
  if (Array.isArray(vocab)) {
    for (const [id, entry] of vocab.entries()) {
      const token = Array.isArray(entry) ? entry[0] : undefined;
      if (typeof token !== 'string') return refuse('pairs of token and score in model.vocab');
      ids.set(token, id);
    }
  } else {
    for (const [token, id] of Object.entries(object(vocab) ?? refuse('model.vocab'))) ids.set(token, idOf(id, token));
  }
  const added = new Map<string, Readonly<Record<string, Json>>>();
  for (const entry of Array.isArray(all['added_tokens']) ? (all['added_tokens'] as readonly Json[]) : []) {
    const one = object(entry) ?? refuse('added_tokens as objects');
    const token = one['content'];
    if (typeof token !== 'string') return refuse('the content of each added token');
    ids.set(token, idOf(one['id'], token));
    added.set(token, one);
  }
  return { ids, added, json: all };

  function idOf(id: Json | undefined, token: string): number {
    return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 && id < 2 ** 31
      ? id
      : refuse(`a whole number for token ${JSON.stringify(token)}`);
  }
}

export interface VocabularyDifference {
  /** Tokens that only the first, or only the second has. */
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
  /** Tokens that stand in different rows. */
  readonly moved: readonly string[];
}

/** Null where both give every token the same id. */
export function compareVocabularies(first: Vocabulary, second: Vocabulary): VocabularyDifference | null {
  const onlyFirst: string[] = [];
  const moved: string[] = [];
  for (const [token, id] of first.ids) {
    const other = second.ids.get(token);
    if (other === undefined) onlyFirst.push(token);
    else if (other !== id) moved.push(token);
  }
  const onlySecond = [...second.ids.keys()].filter(token => !first.ids.has(token));
  return onlyFirst.length + onlySecond.length + moved.length === 0 ? null : { onlyFirst, onlySecond, moved };
}

/** A difference in words. */
export function differenceText(
  first: string,
  second: string,
  { onlyFirst, onlySecond, moved }: VocabularyDifference,
): string {
  const some = (tokens: readonly string[]): string =>
    `${tokens.length} (${tokens.slice(0, 3).map(token => JSON.stringify(token)).join(', ')}${tokens.length > 3 ? ', …' : ''})`; // prettier-ignore
  return [
    ...(onlyFirst.length > 0 ? [`only ${first} has ${some(onlyFirst)}`] : []),
    ...(onlySecond.length > 0 ? [`only ${second} has ${some(onlySecond)}`] : []),
    ...(moved.length > 0 ? [`${some(moved)} have other ids`] : []),
  ].join('; ');
}
