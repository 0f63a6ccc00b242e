/** The data source `text`: from options as a command line or a config has them to packed batches. */

import { fail, type DataSource } from '@heddle/core';
import { split, type Document, type SplitOptions } from './corpus.js';
import { readDocuments } from './corpus.node.js';
import { checkOptions, numeric, numericOrNull, oneOf, strings, tokenizerLike, type Rule } from './options.js';
import { packDocuments, packedBatches, type PackedBatches, type PackedOptions } from './packed.js';
import type { Tokenizer, TokenizerJson } from './tokenizer.js';
import { tokenizerOf } from './tokenizer.node.js';

export interface TextOptions extends PackedOptions {
  /** Files, or folders with documents in them. Either these or `text`. */
  readonly files?: string | readonly string[];
  /** The text itself; a list gives one document each. */
  readonly text?: string | readonly string[];
  /** A tokeniser, its JSON, or a file of it. Default: `byte`. */
  readonly tokenizer?: Tokenizer | TokenizerJson | string;
  /** Part kept back for validation. Default 0. */
  readonly share?: number;
  readonly by?: 'document' | 'tail';
  /** Which side of the split. Default `train`. */
  readonly part?: 'train' | 'validation';
}

/** @throws E_OPTION, E_IO, E_EMPTY, E_UTF8, E_BINARY, E_TOKENIZER */
export async function openText(options: TextOptions): Promise<PackedBatches> {
  const { tokenizer: given = 'byte', share = 0, by, part = 'train', seed = 0 } = options;
  const tokenizer = await tokenizerOf(given);
  const splitting: SplitOptions = { share, seed, ...(by ? { by } : {}) };
  const documents = split(await documentsOf(options), splitting)[part];
  if (documents.length === 0)
    fail(
      'E_EMPTY',
      `corpus: expected text for ${part}, received share 0, which keeps nothing for validation. Give a share such as 0.1.`,
      { part, share },
    );
  return packedBatches(packDocuments(documents, tokenizer), options);
}

export const textSource: DataSource = {
  name: 'text',
  open: async options => openText(checked(options)),
};

async function documentsOf({ files, text }: TextOptions): Promise<readonly Document[]> {
  if ((files === undefined) === (text === undefined)) {
    fail(
      'E_OPTION',
      `text source: expected either files or text, received ${files === undefined ? 'neither' : 'both'}. Give one of them.`,
    );
  }
  if (files !== undefined) return (await readDocuments(files)).documents;
  const texts = typeof text === 'string' ? [text] : (text ?? []);
  const documents = texts.map((document, at) => ({ name: `text ${at + 1}`, text: document }));
  const blank = documents.find(document => document.text.trim() === '');
  if (blank)
    fail(
      'E_EMPTY',
      `${blank.name}: expected text, received ${blank.text === '' ? 'an empty string' : 'white space only'}. Leave it out.`,
      { name: blank.name },
    );
  if (documents.length === 0) fail('E_EMPTY', 'corpus: expected text, received an empty list. Give at least one text.');
  return documents;
}

/** Each field was looked at: sizes are by `packedBatches`. */
const checked = (options: Readonly<Record<string, unknown>>): TextOptions =>
  checkOptions('text source', rules, options, ['batch', 'length']) as unknown as TextOptions;

const rules: Readonly<Record<string, Rule>> = {
  files: strings,
  text: strings,
  tokenizer: tokenizerLike,
  batch: numeric,
  length: numeric,
  seed: numeric,
  share: numeric,
  by: oneOf('document', 'tail'),
  part: oneOf('train', 'validation'),
  shuffle: oneOf(true, false),
  epochs: numericOrNull,
};
