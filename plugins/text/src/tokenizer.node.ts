/** Tokenisers in files. */

import { fail } from '@heddle/core';
import { byteTokenizer } from './byte.js';
import { bpeFromGpt2 } from './bpe-gpt2.js';
import { files, readBytes, readText } from './corpus.node.js';
import { huggingFaceTokenizer } from './hugging-face.js';
import { sentencePieceFromModel } from './sentencepiece/model-file.js';
import type { Tokenizer, TokenizerJson } from './tokenizer.js';
import { tokenizerFrom } from './tokenizer-from.js';

/**
 * Writes beside the file first and then renames, so that a reader never finds half of it.
 *
 * @throws E_IO when it cannot be written; E_DISK_FULL; the old file is then as it was
 */
export async function saveTokenizer(path: string, tokenizer: Tokenizer): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`;
  const fs = files();
  try {
    await fs.writeFile(unfinished, `${JSON.stringify(tokenizer)}\n`, { flush: true });
    await fs.rename(unfinished, path);
  } catch (error) {
    await fs.rm(unfinished, { force: true }).catch(() => undefined);
    const { code } = error as { readonly code?: string };
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    fail(
      full ? 'E_DISK_FULL' : 'E_IO',
      `${path}: expected a place to write, received ${String(code ?? error)}. ${full ? 'Free some space' : 'Check the folder and its permissions'}; what was there before is unharmed.`,
      { path, code },
      error,
    );
  }
}

/**
 * Reads what `saveTokenizer` wrote, Hugging Face's `tokenizer.json` (with the `tokenizer_config.json` beside it, where
 * there is one), and SentencePiece's `.model`.
 *
 * @throws E_IO, E_UTF8, E_BINARY, E_TOKENIZER
 */
export async function readTokenizer(path: string): Promise<Tokenizer> {
  if (path.endsWith('.model')) return sentencePieceFromModel(await readBytes(path), path);
  const json = await readJson(path);
  const isOurs = typeof json === 'object' && json !== null && 'format' in json;
  const isTheirs = typeof json === 'object' && json !== null && 'model' in json && 'added_tokens' in json;
  if (isOurs || !isTheirs) return tokenizerFrom(json, path);
  const beside = path.replace(/[^/\\]*$/, 'tokenizer_config.json');
  const config = await files()
    .access(beside)
    .then(
      () => readJson(beside),
      () => undefined,
    );
  return huggingFaceTokenizer(json, { where: path, ...(config === undefined ? {} : { config }) });
}

/** A tokeniser as options name one: itself, its JSON, `byte`, or a file that `readTokenizer` reads. */
export async function tokenizerOf(given: Tokenizer | TokenizerJson | string): Promise<Tokenizer> {
  if (given === 'byte') return byteTokenizer();
  if (typeof given === 'string') return readTokenizer(given);
  return 'encode' in given && typeof given.encode === 'function' ? (given as Tokenizer) : tokenizerFrom(given);
}

/** Reads GPT-2's pair of files. @throws E_IO, E_UTF8, E_BINARY, E_TOKENIZER */
export const readGpt2 = async (vocabulary: string, merges: string, specials?: readonly string[]): Promise<Tokenizer> =>
  bpeFromGpt2({
    vocabulary: await readJson(vocabulary),
    merges: await readText(merges),
    ...(specials ? { specials } : {}),
  });

async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(
      'E_TOKENIZER',
      `${path}: expected JSON, received ${(error as Error).message}. Copy or save the file again.`,
      { path },
      error,
    );
  }
}
