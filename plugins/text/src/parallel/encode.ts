/** Pairs as token ids, in two long rows, with what was left out on the way. */

import { fail } from '@heddle/core';
import { checkCounts } from '../cursor.js';
import { idBuffer } from '../id-buffer.js';
import { endOf } from '../packed.js';
import type { Tokenizer } from '../tokenizer.js';
import { dropCount, type Dropped, type Pair } from './pair.js';

export interface EncodeOptions {
  /** Of the source; and of the target, unless `targetTokenizer` is given. */
  readonly tokenizer: Tokenizer;
  readonly targetTokenizer?: Tokenizer;
  /** The most tokens of either side, its end included. Default 256. */
  readonly longest?: number;
  /** What becomes of longer ones: left out and counted, cut to the limit, or an error. Default `drop`. */
  readonly longer?: 'drop' | 'cut' | 'fail';
  /** What becomes of pairs with characters that a tokeniser does not know. Default `keep`; they are counted anyhow. */
  readonly unknown?: 'keep' | 'drop' | 'fail';
  /** The language of the targets: its tag, a special such as `<2de>`, then begins every source. */
  readonly language?: string;
}

/** Of n pairs. Sources end with the end token; targets stand without a beginning and an end. */
export interface EncodedPairs {
  readonly count: number;
  readonly source: Int32Array;
  /** n + 1 places: pair i has `source.subarray(sourceAt[i], sourceAt[i + 1])`. */
  readonly sourceAt: Int32Array;
  readonly target: Int32Array;
  readonly targetAt: Int32Array;
  /** Which of the pairs given it is. */
  readonly pair: Int32Array;
  readonly ends: Ends;
  readonly dropped: readonly Dropped[];
  /** Tokens that stand for what no token can write, in the pairs kept. */
  readonly unknown: number;
}

/** Tokens that frame a row. */
export interface Ends {
  readonly sourcePad: number;
  /** Begins what the decoder reads. */
  readonly begin: number;
  /** Ends what the decoder writes. */
  readonly end: number;
  readonly targetPad: number;
}

/** The special that asks for a language: `<2de>`. */
export const languageTag = (language: string): string => `<2${language}>`;

/**
 * @throws E_TOKENIZER for a tokeniser without an end; E_LANGUAGE for a language without a tag in it; E_PAIRS for a pair over
 * the limit and E_TOKEN for unknown characters, where that was asked for; E_EMPTY when nothing is left; E_OPTION
 */
export function encodePairs(
  pairs: readonly Pair[],
  { tokenizer, targetTokenizer = tokenizer, longest = 256, longer = 'drop', unknown = 'keep', language }: EncodeOptions,
): EncodedPairs {
  checkCounts({ longest });
  const frame = sourceFrame(tokenizer, language);
  const drops = dropCount();
  const [source, target] = [idBuffer(), idBuffer()];
  const [sourceAt, targetAt, kept]: [number[], number[], number[]] = [[0], [0], []];
  let unknowns = 0;

  for (const [at, pair] of pairs.entries()) {
    const where = pair.where ?? `pair ${at + 1}`;
    const sides = [
      { name: 'source', ids: tokenizer.encode(pair.source), room: longest - 1 - frame.before.length, by: tokenizer },
      { name: 'target', ids: targetTokenizer.encode(pair.target), room: longest - 1, by: targetTokenizer },
    ] as const;
    const over = sides.find(({ ids, room }) => ids.length > room);
    if (over !== undefined && longer !== 'cut') {
      if (longer === 'fail')
        fail(
          'E_PAIRS',
          `${where}: expected at most ${over.room} tokens of ${over.name} beside its ends, received ${over.ids.length}. Shorten it, raise longest, or let longer pairs be dropped or cut.`,
          { where, side: over.name, tokens: over.ids.length, longest },
        );
      drops.drop(`over ${longest} tokens`, where);
      continue;
    }
    let strange = 0;
    for (const { name, ids, by } of sides) {
      const id = by.unknown;
      const count = id === undefined ? 0 : ids.reduce((sum, one) => sum + (one === id ? 1 : 0), 0);
      strange += count;
      if (count > 0 && unknown === 'fail')
        fail(
          'E_TOKEN',
          `${where}: expected a ${name} of characters that tokeniser '${by.name}' knows, received ${count} unknown in ${JSON.stringify(pair[name].slice(0, 60))}. Train the tokeniser on such text, with bytes to fall back on, or let such pairs be dropped.`,
          { where, side: name, unknown: count },
        );
    }
    if (strange > 0 && unknown === 'drop') {
      drops.drop('unknown characters', where);
      continue;
    }
    unknowns += strange;
    source.append(frame.before);
    source.append(sides[0].ids.subarray(0, sides[0].room));
    source.push(frame.end);
    target.append(sides[1].ids.subarray(0, sides[1].room));
    sourceAt.push(source.length);
    targetAt.push(target.length);
    kept.push(at);
  }
  if (kept.length === 0)
    fail(
      'E_EMPTY',
      `pairs: expected some to keep, received none of ${pairs.length}${drops
        .take()
        .map(({ reason, count }) => `, ${count} ${reason}`)
        .join('')}. Raise longest, or give other pairs.`,
      { pairs: pairs.length },
    );
  return {
    count: kept.length,
    source: source.take(),
    sourceAt: Int32Array.from(sourceAt),
    target: target.take(),
    targetAt: Int32Array.from(targetAt),
    pair: Int32Array.from(kept),
    ends: endsOf(tokenizer, targetTokenizer),
    dropped: drops.take(),
    unknown: unknowns,
  };
}

/** How rows of these tokenisers are framed. @throws E_TOKENIZER for one without an end */
export function endsOf(tokenizer: Tokenizer, targetTokenizer: Tokenizer = tokenizer): Ends {
  const { specials } = targetTokenizer;
  const end = endOf(targetTokenizer);
  return {
    sourcePad: tokenizer.specials['<pad>'] ?? endOf(tokenizer),
    begin: specials['<bos>'] ?? specials['<s>'] ?? end, // as fairseq does where there is none
    end,
    targetPad: specials['<pad>'] ?? end,
  };
}

/**
 * A text as the encoder was trained to read it, for translating it: the tag of the language wanted, if any, its ids, the end.
 *
 * @throws E_LANGUAGE for a language without a tag; E_TOKENIZER for a tokeniser without an end
 */
export function sourceIds(text: string, tokenizer: Tokenizer, language?: string): Int32Array {
  const { before, end } = sourceFrame(tokenizer, language);
  return Int32Array.of(...before, ...tokenizer.encode(text), end);
}

const sourceFrame = (tokenizer: Tokenizer, language: string | undefined) => ({
  before: Int32Array.from(language === undefined ? [] : [tagOf(tokenizer, language)]),
  end: endOf(tokenizer),
});

function tagOf({ specials, name }: Tokenizer, language: string): number {
  const known = Object.keys(specials).flatMap(special => /^<2(.+)>$/.exec(special)?.[1] ?? []);
  return (
    specials[languageTag(language)] ??
    fail(
      'E_LANGUAGE',
      `tokeniser '${name}': expected a special ${languageTag(language)} for the language '${language}', received ${known.length > 0 ? `those of ${known.join(', ')}` : 'none of any language'}. Train it with specials: ['${languageTag(language)}'] beside the usual ones.`,
      { language, known },
    )
  );
}
