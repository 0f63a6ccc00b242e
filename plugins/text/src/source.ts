/** The data source `text`: from options as a command line or a config has them to packed batches. */

import { fail, type DataSource } from '@heddle/core';
import { byteTokenizer } from './byte.js';
import { split, type Document, type SplitOptions } from './corpus.js';
import { readDocuments } from './corpus.node.js';
import { packDocuments, packedBatches, type PackedBatches, type PackedOptions } from './packed.js';
import type { Tokenizer, TokenizerJson } from './tokenizer.js';
import { tokenizerFrom } from './tokenizer-from.js';
import { readTokenizer } from './tokenizer.node.js';

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

async function tokenizerOf(given: Tokenizer | TokenizerJson | string): Promise<Tokenizer> {
  if (given === 'byte') return byteTokenizer();
  if (typeof given === 'string') return readTokenizer(given);
  return 'encode' in given && typeof given.encode === 'function' ? (given as Tokenizer) : tokenizerFrom(given);
}

/** Options come from config files and command lines: look before believing. Sizes are looked at by `packedBatches`. */
function checked(options: Readonly<Record<string, unknown>>): TextOptions {
  for (const [name, value] of Object.entries(options)) {
    const expected = rules[name];
    if (!expected)
      fail(
        'E_OPTION',
        `text source: expected one of ${Object.keys(rules).join(', ')}, received an option '${name}'. Correct its name or leave it out.`,
        { option: name },
      );
    if (value !== undefined && !expected.fits(value)) {
      fail(
        'E_OPTION',
        `text source: ${name}: expected ${expected.what}, received ${(JSON.stringify(value) ?? String(value)).slice(0, 60)}. Correct the option.`,
        { option: name },
      );
    }
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  for (const name of ['batch', 'length'])
    if (!(name in given))
      fail('E_OPTION', `text source: ${name}: expected a number, received nothing. Give it.`, { option: name });
  return given as unknown as TextOptions; // each field was looked at above
}

interface Rule {
  readonly what: string;
  readonly fits: (value: unknown) => boolean;
}

const numeric: Rule = { what: 'a number', fits: value => typeof value === 'number' };
const strings: Rule = {
  what: 'a string or a list of strings',
  fits: value => [value].flat().every(one => typeof one === 'string'),
};
const oneOf = (...values: readonly unknown[]): Rule => ({
  what: values.map(value => JSON.stringify(value)).join(' or '),
  fits: value => values.includes(value),
});

const rules: Readonly<Record<string, Rule>> = Object.assign(Object.create(null) as Record<string, Rule>, {
  files: strings,
  text: strings,
  tokenizer: {
    what: "'byte', a file, or a tokeniser",
    fits: value => (typeof value === 'string' || typeof value === 'object') && value !== null,
  },
  batch: numeric,
  length: numeric,
  seed: numeric,
  share: numeric,
  by: oneOf('document', 'tail'),
  part: oneOf('train', 'validation'),
  shuffle: oneOf(true, false),
  epochs: { what: 'a number or null', fits: value => value === null || typeof value === 'number' },
} satisfies Record<string, Rule>);
