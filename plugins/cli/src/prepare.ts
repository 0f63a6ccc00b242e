/** Everything that training needs before an engine is opened: text, tokeniser, model. */

import { fail, type DecoderModel, type Host } from '@heddle/core';
import {
  byteTokenizer,
  packDocuments,
  readTokenizer,
  split,
  trainBpe,
  type Document,
  type PackedTokens,
  type Tokenizer,
} from '@heddle/text';
import { createModel, expectKind } from './model.js';
import type { TrainSettings } from './settings.js';

export interface Prepared {
  readonly settings: TrainSettings;
  readonly tokenizer: Tokenizer;
  readonly model: DecoderModel;
  readonly training: PackedTokens;
  /** null where nothing is kept back. */
  readonly validation: PackedTokens | null;
  readonly bytes: number;
}

export interface Preparation {
  readonly host: Host;
  readonly settings: TrainSettings;
  readonly documents: readonly Document[];
  /** Of a run that goes on. */
  readonly tokenizer?: Tokenizer;
}

/** @throws E_OPTION for a tokeniser that cannot be understood; E_EMPTY when there is too little text; E_UNKNOWN, E_CONFIG */
export async function prepare({ host, settings, documents, tokenizer: known }: Preparation): Promise<Prepared> {
  const { train, validation } = split(documents, { share: settings.share, seed: settings.seed });
  const tokenizer = known ?? (await tokenizerFor(settings.tokenizer, train));
  return {
    settings,
    tokenizer,
    model: expectKind(createModel(host, settings, tokenizer.vocabularySize), 'decoder'),
    training: packDocuments(train, tokenizer),
    validation: validation.length === 0 ? null : packDocuments(validation, tokenizer),
    bytes: documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
  };
}

/** @param text that a BPE vocabulary is learnt from: of the training side only, so that validation stays unseen */
async function tokenizerFor(name: string, text: readonly Document[]): Promise<Tokenizer> {
  if (name === 'byte') return byteTokenizer();
  const [, size] = /^bpe:(\d+)$/.exec(name) ?? [];
  if (size !== undefined)
    return trainBpe(
      text.map(document => document.text),
      { vocabularySize: Number(size) },
    );
  if (name.endsWith('.json')) return readTokenizer(name);
  return fail('E_OPTION', `tokenizer: expected byte, bpe:SIZE or a .json file, received '${name}'. Try bpe:1024.`, {
    tokenizer: name,
  });
}
