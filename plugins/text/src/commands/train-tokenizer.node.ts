/** `heddle text train-tokenizer`. */

import { fail, type CommandCall } from '@heddle/core';
import { trainBpe } from '../bpe-train.js';
import { files, readDocuments } from '../corpus.node.js';
import { corpusFrom, readCorpus } from '../parallel/corpora.node.js';
import { languageTag } from '../parallel/encode.js';
import { trainUnigram } from '../sentencepiece/train.js';
import { standardSpecials } from '../specials.js';
import { saveTokenizer } from '../tokenizer.node.js';
import { listOption, numberOption } from './options.js';

/** What names a parallel corpus; all else is documents. */
const isCorpus = (name: string): boolean =>
  /^(?:catalogs|grammar|summaries|corrections):|\.tsv(?::|$)|\.jsonl:|\.m2$|\+/.test(name);

export async function runTrainTokenizer(call: CommandCall): Promise<number> {
  const { options } = call;
  const kind = options['kind'] === 'unigram' ? 'unigram' : 'bpe';
  const vocabularySize = numberOption(options, 'size', 1, true) ?? 8000;
  const out = typeof options['out'] === 'string' ? options['out'] : 'tokenizer.json';
  const named = listOption(options, 'specials');
  const specials = [
    ...(named.length > 0 ? named : standardSpecials),
    ...listOption(options, 'languages').map(languageTag),
  ];
  if (options['force'] !== true && (await exists(out)))
    fail('E_EXISTS', `${out}: expected no such file yet, received one. Name another with --out, or replace it with --force.`, { path: out }); // prettier-ignore

  const texts: string[] = [];
  for (const name of call.args) {
    if (isCorpus(name)) {
      const { pairs } = await readCorpus(corpusFrom(name));
      texts.push(...pairs.flatMap(({ source, target }) => [source, target]));
    } else texts.push(...(await readDocuments(name)).documents.map(({ text }) => text));
  }
  if (call.signal.aborted) return 130;
  call.note(`training ${kind} on ${texts.length} texts`);
  const tokenizer = (kind === 'bpe' ? trainBpe : trainUnigram)(texts, { vocabularySize, specials });
  await saveTokenizer(out, tokenizer);

  const encoder = new TextEncoder();
  let [bytes, tokens] = [0, 0];
  for (const text of texts) {
    bytes += encoder.encode(text).length;
    tokens += tokenizer.encode(text).length;
  }
  const size = tokenizer.vocabularySize;
  if (options['json'] === true)
    call.print(JSON.stringify({ type: 'tokenizer', path: out, kind, size, texts: texts.length, bytes, tokens })); // prettier-ignore
  else {
    call.print(`${out}: ${kind} of ${size} tokens, ${(bytes / tokens).toFixed(2)} bytes a token on this text`);
    if (size < vocabularySize) call.print(`the text gives no more: ${vocabularySize} were asked for`);
  }
  return 0;
}

const exists = async (path: string): Promise<boolean> =>
  files()
    .access(path)
    .then(
      () => true,
      () => false,
    );
