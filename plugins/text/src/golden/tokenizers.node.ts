/** Kind `tokenizers`: texts with the ids, and mostly the decoded text, of reference tokenisers. Compared exactly. */

import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GoldenCase, GoldenFile, GoldenKind } from '@heddle/core/testing/golden';
import { byteLetters } from '../bpe-gpt2.js';
import { huggingFaceTokenizer } from '../hugging-face.js';
import type { Tokenizer } from '../tokenizer.js';
import { readGpt2, readTokenizer } from '../tokenizer.node.js';

interface Row {
  readonly id: string;
  /** Named where the row comes from the tests of transformers.js, which run tokenisers as Hugging Face configures them. */
  readonly model?: string;
  readonly text: string;
  readonly textPair?: string | null;
  readonly ids: readonly number[];
  readonly decoded?: string;
}

/** What Qwen's files leave out of `tokenizer.json` and `tokenizer-meta.json` says. */
interface QwenMeta {
  readonly byteOrder: readonly number[];
  readonly preTokenizerRegex: string;
  readonly normalizer: string;
  readonly specialTokens: Readonly<Record<string, number>>;
  readonly missingMerge?: { readonly merge: readonly [string, string]; readonly id: number };
}

async function qwen(folder: string): Promise<Tokenizer> {
  const meta = JSON.parse(await readFile(join(folder, 'tokenizer-meta.json'), 'utf8')) as QwenMeta;
  const merges = (await readFile(join(folder, 'merges.txt'), 'utf8')).split('\n').filter(line => line !== '');
  const vocabulary = new Map(meta.byteOrder.map((byte, id) => [byteLetters[byte]!, id]));
  const add = (merge: string): void => {
    const token = merge.replace(' ', '');
    if (!vocabulary.has(token)) vocabulary.set(token, vocabulary.size);
  };
  for (const merge of merges) add(merge);
  if (meta.missingMerge && !vocabulary.has(meta.missingMerge.merge.join(''))) {
    merges.push(meta.missingMerge.merge.join(' '));
    add(merges.at(-1)!);
  }
  return huggingFaceTokenizer({
    model: { type: 'BPE', vocab: Object.fromEntries(vocabulary), merges },
    added_tokens: Object.entries(meta.specialTokens).map(([content, id]) => ({
      id,
      content,
      special: true,
      normalized: false,
      single_word: false,
      lstrip: false,
      rstrip: false,
    })),
    normalizer: { type: meta.normalizer },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: meta.preTokenizerRegex }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    decoder: { type: 'ByteLevel' },
    post_processor: null,
  });
}

/** The tokeniser whose files stand in this folder; null where there are none. */
async function tokenizerIn(folder: string): Promise<Tokenizer | null> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  const model = names.find(name => name.endsWith('.model'));
  if (model !== undefined) return readTokenizer(join(folder, model));
  const has = (...wanted: readonly string[]): boolean => wanted.every(name => names.includes(name));
  if (has('tokenizer.json')) return readTokenizer(join(folder, 'tokenizer.json'));
  if (has('vocab.json', 'merges.txt')) return readGpt2(join(folder, 'vocab.json'), join(folder, 'merges.txt'));
  return has('merges.txt', 'tokenizer-meta.json') ? qwen(folder) : null;
}

/** Sets of cases may come without the vocabularies, which are then taken from beside the workspace. */
const shared = fileURLToPath(new URL('../../../../../shared/golden/tokenizers/', import.meta.url));

async function* check(file: GoldenFile): AsyncGenerator<GoldenCase> {
  const folder = dirname(file.path);
  const tokenizer = (await tokenizerIn(folder)) ?? (await tokenizerIn(join(shared, basename(folder))));
  if (tokenizer === null) throw new Error(`no vocabulary stands beside ${file.name}`);
  const first = tokenizer.specials['<s>'];
  for (const line of (await file.text()).split('\n')) {
    if (line.trim() === '') continue;
    const { id, model, text, textPair, ids: expected, decoded } = JSON.parse(line) as Row;
    // Hugging Face finds specials in text, and begins where the model's template says so.
    const options = { specials: model !== undefined };
    const begins = model !== undefined && first !== undefined && expected[0] === first;
    const ids = [
      ...(begins ? [first] : []),
      ...tokenizer.encode(text, options),
      ...(typeof textPair === 'string' ? tokenizer.encode(textPair, options) : []),
    ];
    const read = tokenizer.decode(expected, options);
    const same = ids.length === expected.length && ids.every((one, at) => one === expected[at]);
    const wrong = [
      ...(same ? [] : [`ids: expected ${expected.join(' ')}, received ${ids.join(' ')}`]),
      ...(decoded === undefined || read === decoded
        ? []
        : [`decoded: expected ${JSON.stringify(decoded)}, received ${JSON.stringify(read)}`]),
    ];
    yield {
      id,
      passed: wrong.length === 0,
      detail: wrong.length > 0 ? wrong.join('; ') : `${ids.length} ids${decoded === undefined ? '' : ', decoded text'}`,
    };
  }
}

const nameOf = (path: string): string => path.split('/').at(-1)!;

export const tokenizers: GoldenKind = {
  name: 'tokenizers',
  recognises: name => /^golden(?:[-_.\d].*)?\.jsonl$/.test(nameOf(name)),
  // Vocabularies; and cases of models (T5, NLLB) whose vocabulary no one may pass on, so that nothing can be run.
  ignores: name =>
    name.startsWith('other-goldens/') ||
    /\.model$|^(vocab|pieces|tokenizer|tokenizer_config|tokenizer-meta)\.json$|^merges\.txt$/.test(nameOf(name)),
  check,
};
