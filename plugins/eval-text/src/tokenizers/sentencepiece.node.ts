/** SentencePiece models from files. */

import { fail } from '@heddle/core';
import { builtinModule } from '../files.node.js';
import { sentencePiece } from './sentencepiece.js';
import type { Tokenizer } from './tokenizer.js';

/** @throws E_UNAVAILABLE without a file, E_TOKENIZER for one that is no model */
export async function openSentencePiece(name: string, signature: string, path: string | null): Promise<Tokenizer> {
  if (path === null)
    return fail(
      'E_UNAVAILABLE',
      `${name}: expected the file of its SentencePiece model, received none. Download it (sacreBLEU keeps it in ~/.sacrebleu/models) and name it with --tokenizer-file.`,
      { name },
    );
  const bytes = await builtinModule('node:fs/promises')
    .readFile(path)
    .catch((error: unknown) =>
      fail(
        'E_UNAVAILABLE',
        `${name}: expected a readable model at ${path}, received ${(error as NodeJS.ErrnoException).code ?? String(error)}. Check the path.`,
        { name, path },
        error,
      ),
    );
  return sentencePiece(bytes, signature);
}
