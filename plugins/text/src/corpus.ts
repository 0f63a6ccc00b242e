/** A corpus: documents, and which of them are kept back for validation. */

import { fail } from '@heddle/core';
import { fingerprint } from './hash.js';

export interface Document {
  /** For messages: a file, or `text 1`. */
  readonly name: string;
  readonly text: string;
}

export interface SplitOptions {
  /** Part kept back for validation: 0 up to, not including, 1. */
  readonly share: number;
  /**
   * `document`: whole documents, chosen by a hash of their text: neither order nor names matter, and two copies stay
   * on one side. `tail`: the end of each document. Default: `document` where there are enough for the share.
   */
  readonly by?: 'document' | 'tail';
  readonly seed?: number;
}

export interface Split {
  readonly train: readonly Document[];
  readonly validation: readonly Document[];
}

/**
 * The same documents and options give the same split, everywhere and always.
 *
 * @throws E_OPTION for a share outside its range; E_EMPTY when nothing is left on one side
 */
export function split(documents: readonly Document[], { share, by, seed = 0 }: SplitOptions): Split {
  if (!(share >= 0 && share < 1))
    fail(
      'E_OPTION',
      `share: expected 0 up to, not including, 1, received ${share}. 0.1 keeps a tenth for validation.`,
      { share },
    );
  if (share === 0) return { train: documents, validation: [] };
  const whole = by ?? (documents.length * share >= 1 ? 'document' : 'tail');
  const parts = whole === 'document' ? byDocument(documents, share, seed) : byTail(documents, share);
  if (parts.train.length === 0 || parts.validation.length === 0) {
    const side = parts.train.length === 0 ? 'training' : 'validation';
    fail(
      'E_EMPTY',
      `corpus: expected text on both sides of the split, received none for ${side} (share ${share}, by ${whole}, ${documents.length} documents). Give more text, another share, or share 0.`,
      { share, by: whole, documents: documents.length },
    );
  }
  return parts;
}

function byDocument(documents: readonly Document[], share: number, seed: number): Split {
  const key = documents.map(({ text }) => fingerprint(text, seed));
  const distinct = [...new Set(key)].sort(); // by hash: an order that has nothing to do with the documents
  const kept = new Set(distinct.slice(0, Math.max(1, Math.round(distinct.length * share))));
  const side = (wanted: boolean): Document[] => documents.filter((_, at) => kept.has(key[at]!) === wanted);
  return { train: side(false), validation: side(true) };
}

function byTail(documents: readonly Document[], share: number): Split {
  const cuts = documents.map(document => ({
    ...document,
    cut: cutNear(document.text, Math.floor(document.text.length * (1 - share))),
  }));
  const filled = (document: Document): boolean => document.text !== '';
  return {
    train: cuts.map(({ name, text, cut }) => ({ name, text: text.slice(0, cut) })).filter(filled),
    validation: cuts.map(({ name, text, cut }) => ({ name: `${name} (end)`, text: text.slice(cut) })).filter(filled),
  };
}

/** At the end of a line if one is near, else of a word, else not inside a character. */
function cutNear(text: string, at: number): number {
  const near = Math.max(0, at - 1000);
  const line = text.lastIndexOf('\n', at - 1);
  if (line >= near && line > 0) return line + 1;
  const space = text.lastIndexOf(' ', at - 1);
  if (space >= near && space > 0) return space; // the space belongs to the word after it
  const inside = /[\udc00-\udfff]/.test(text.charAt(at)) && /[\ud800-\udbff]/.test(text.charAt(at - 1));
  return inside ? at - 1 : at;
}
