/** SentencePiece as a tokeniser: normalise, cut, and back. */

import { fail } from '@heddle/core';
import { unfinished } from '../byte-decoder.js';
import { idBuffer } from '../id-buffer.js';
import { cutSpecials } from '../specials.js';
import type { Decoder, DecodeOptions, Specials, Tokenizer } from '../tokenizer.js';
import { firstBroken } from '../utf8.js';
import { bpeCut } from './bpe.js';
import { byteOf } from './byte-pieces.js';
import { byteTrie } from './byte-trie.js';
import { sentencePieceJson } from './json.js';
import { normalizer } from './normalize.js';
import { checkParts, spaceMark, type SentencePieceParts } from './parts.js';
import { unigramCut } from './unigram.js';

/**
 * Ids and decoded text are those of SentencePiece. Control pieces (`<s>`, `</s>`) are the specials. A character that no
 * piece has becomes its bytes where the model falls back on bytes; otherwise it and its neighbours of the same sort
 * become one unknown piece, and are lost.
 *
 * @param parts from a `.model` file, `trainUnigram` or a file of ours
 * @param where names the source in messages
 * @throws E_TOKENIZER for parts that contradict each other
 */
export function sentencePieceTokenizer(parts: SentencePieceParts, where = 'sentencepiece'): Tokenizer {
  checkParts(parts, where);
  const { algorithm, pieces, byteFallback, unknownText } = parts;
  const ofKind = (...kinds: readonly string[]): (readonly [string, number])[] =>
    pieces.flatMap(({ text, kind }, id) => (kinds.includes(kind) ? [[text, id] as const] : []));
  const users = ofKind('user');
  const user = users.length > 0 ? byteTrie(users) : null;
  const normalize = normalizer(parts.normalizer, user);
  const cut = algorithm === 'unigram' ? unigramCut(pieces, byteTrie(ofKind('normal', 'user'))) : bpeCut(pieces, user);
  const unknown = pieces.findIndex(({ kind }) => kind === 'unknown');
  const byteIds = new Map(ofKind('byte').map(([text, id]) => [byteOf(text), id]));
  const specials: Specials = Object.freeze(
    Object.assign(Object.create(null) as Record<string, number>, Object.fromEntries(ofKind('control'))),
  );

  const encodeText = (text: string, ids: ReturnType<typeof idBuffer>): void => {
    const bytes = normalize(text);
    let afterUnknown = false;
    cut(bytes, (id, from, to) => {
      if (id >= 0) ids.push(id);
      else if (byteFallback) for (let at = from; at < to; at++) ids.push(byteIds.get(bytes[at]!)!);
      else if (!afterUnknown) ids.push(unknown);
      afterUnknown = id < 0;
    });
  };

  const { dummyPrefix, removeExtraSpaces } = parts.normalizer;
  const decoder = ({ specials: named = false }: DecodeOptions = {}): Decoder => {
    let waiting: Uint8Array = none; // an unfinished character: at most 3 bytes
    let [begun, atStart] = [false, dummyPrefix || removeExtraSpaces];
    const flush = (): string => {
      const text = textOfBytes(waiting);
      waiting = none;
      return text;
    };
    const show = (id: number): string => {
      const { text, kind } = pieces[id]!;
      if (kind === 'control') return named ? text : '';
      if (kind === 'unknown') return unknownText;
      let shown = text;
      if (atStart && !begun && shown.startsWith(spaceMark)) {
        shown = shown.slice(1);
        if (!removeExtraSpaces) atStart = false; // only one, which the normaliser put there
      }
      return shown.replaceAll(spaceMark, ' ');
    };
    return {
      push(id) {
        const piece = pieces[id];
        if (piece === undefined)
          return fail(
            'E_TOKEN',
            `token ${id}: expected an id from 0 to ${pieces.length - 1}. Decode with the tokeniser that the ids come from.`,
            { id, vocabularySize: pieces.length },
          );
        if (piece.kind === 'byte') {
          begun = true;
          const bytes = Uint8Array.of(...waiting, byteOf(piece.text));
          const whole = bytes.length - unfinished(bytes);
          waiting = bytes.subarray(whole);
          return textOfBytes(bytes.subarray(0, whole));
        }
        const text = flush() + show(id);
        if (text !== '') begun = true;
        return text;
      },
      end: flush,
    };
  };

  return {
    name: algorithm === 'unigram' ? 'unigram' : 'sentencepiece-bpe',
    vocabularySize: pieces.length,
    specials,
    unknown,
    encode(text, options = {}) {
      const ids = idBuffer(text.length >> 1);
      for (const part of options.specials ? cutSpecials(text, specials) : [text]) {
        if (typeof part === 'number') ids.push(part);
        else if (part !== '') encodeText(part, ids);
      }
      return ids.take();
    },
    decode(ids, options) {
      const read = decoder(options);
      let text = '';
      for (let at = 0; at < ids.length; at++) text += read.push(ids[at]!);
      return text + read.end();
    },
    decoder,
    toJSON: () => sentencePieceJson(parts),
  };
}

/** As SentencePiece shows bytes: each one that begins no character is U+FFFD. */
function textOfBytes(bytes: Uint8Array): string {
  let text = '';
  for (let rest = bytes; rest.length > 0;) {
    const whole = firstBroken(rest);
    text += utf8.decode(rest.subarray(0, whole));
    if (whole < rest.length) text += '\ufffd';
    rest = rest.subarray(whole + 1);
  }
  return text;
}

const none = new Uint8Array(0);
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
