/** Reading any of our own tokeniser files. */

import { fail } from '@heddle/core';
import { bpeFromJson } from './bpe.js';
import { byteTokenizer } from './byte.js';
import { huggingFaceTokenizer } from './hugging-face.js';
import { sentencePieceFromJson } from './sentencepiece/json.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * The tokeniser that `toJSON` wrote.
 *
 * @param json parsed
 * @param where names the source in messages: a file
 * @throws E_TOKENIZER for another format, version or kind, and for contents that contradict each other
 */
export function tokenizerFrom(json: unknown, where = 'tokenizer'): Tokenizer {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  const { format, version, kind } = fields;
  if (format !== 'heddle-tokenizer') {
    fail(
      'E_TOKENIZER',
      `${where}: expected format 'heddle-tokenizer', received ${show(format)}. Give a file that Heddle saved; readTokenizer also takes tokenizer.json and SentencePiece models, readGpt2 GPT-2's pair.`,
      { format },
    );
  }
  if (version !== 1) {
    fail(
      'E_TOKENIZER',
      `${where}: expected version 1, received ${show(version)}. It was saved by another version of Heddle: update @heddle/text.`,
      { version },
    );
  }
  if (kind === 'bpe') return bpeFromJson(fields, where);
  if (kind === 'sentencepiece') return sentencePieceFromJson(fields, where);
  if (kind === 'hugging-face')
    return huggingFaceTokenizer(fields['tokenizer'], {
      where,
      ...(fields['config'] === undefined ? {} : { config: fields['config'] }),
    });
  if (kind !== 'byte')
    fail(
      'E_TOKENIZER',
      `${where}: expected kind 'byte', 'bpe', 'sentencepiece' or 'hugging-face', received ${show(kind)}. Update @heddle/text, or train one of these.`,
      { kind },
    );
  const { specials } = fields;
  if (!Array.isArray(specials)) {
    return fail(
      'E_TOKENIZER',
      `${where}: specials: expected a list of names, received ${show(specials)}. Save the tokeniser again.`,
      { specials },
    );
  }
  return byteTokenizer({ specials: specials as readonly string[] }); // each name is checked there
}

const show = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60);
