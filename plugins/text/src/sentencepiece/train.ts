/**
 * Learning a unigram vocabulary (Kudo 2018): begin with very many substrings, fit their probabilities by expectation
 * maximisation, drop those whose loss hurts least, and again, until few enough are left.
 */

import { fail } from '@heddle/core';
import { numberSpecials, standardSpecials } from '../specials.js';
import type { Tokenizer } from '../tokenizer.js';
import { bytePiece } from './byte-pieces.js';
import { byteTrie, type ByteTrie } from './byte-trie.js';
import { forEachChunk } from './chunks.js';
import { spaceMark, type Piece } from './parts.js';
import { sentencePieceTokenizer } from './tokenizer.js';

export interface TrainUnigramOptions {
  /** Specials, bytes and `<unk>` included. Text too small or too plain for so many gives fewer: look at the result's `vocabularySize`. */
  readonly vocabularySize: number;
  /** Default `<bos> <eos> <pad>`; `<unk>` has id 0, theirs follow, whatever the size. */
  readonly specials?: readonly string[];
  /** Characters without a piece become bytes (256 pieces), so that every text can be read. Default true; without it they become `<unk>`. */
  readonly byteFallback?: boolean;
  /** Share of the text whose characters get pieces of their own, the most frequent first. Default 0.9995 with bytes, else 1. */
  readonly coverage?: number;
  /** Characters of the longest piece. Default 16. */
  readonly longest?: number;
}

/**
 * The result depends on how often each chunk of text occurs and not on the order of the texts.
 *
 * With bytes, `decode(encode(text)) === text` for every text without U+2581, which stands for a space.
 *
 * @throws E_TOKENIZER for a vocabulary too small for specials, bytes and the characters of the text; E_OPTION
 *
 * @example
 * const tokenizer = trainUnigram(['low lower lowest'], { vocabularySize: 280 });
 */
export function trainUnigram(
  texts: Iterable<string>,
  {
    vocabularySize,
    specials: names = standardSpecials,
    byteFallback = true,
    coverage = byteFallback ? 0.9995 : 1,
    longest = 16,
  }: TrainUnigramOptions,
): Tokenizer {
  if (!(coverage > 0 && coverage <= 1))
    fail('E_OPTION', `coverage: expected a share above 0 and up to 1, received ${coverage}. 0.9995 is usual.`, {
      coverage,
    });
  if (!Number.isInteger(longest) || longest < 1)
    fail('E_OPTION', `longest: expected a whole number of at least 1, received ${longest}. 16 is usual.`, { longest });
  numberSpecials(['<unk>', ...names], 0); // looks at the names

  const counted = new Map<string, number>();
  for (const text of texts)
    forEachChunk(`${spaceMark}${text.replaceAll(' ', spaceMark)}`, chunk =>
      counted.set(chunk, (counted.get(chunk) ?? 0) + 1),
    );
  const letters = charactersOf(counted, coverage);
  const meta = 1 + names.length + (byteFallback ? 256 : 0);
  const least = meta + letters.size;
  if (!Number.isInteger(vocabularySize) || vocabularySize < least || vocabularySize >= 2 ** 21)
    fail(
      'E_TOKENIZER',
      `vocabularySize: expected a whole number from ${least} (specials${byteFallback ? ', bytes' : ''} and ${letters.size} characters of the text) to ${2 ** 21 - 1}, received ${vocabularySize}. Ask for more tokens, or less coverage.`,
      { vocabularySize, least },
    );

  const room = vocabularySize - meta;
  const chunks = prepare(counted, letters);
  let pieces = seeds(chunks, letters, longest, Math.max(1_000, Math.min(1_000_000, room * 40)));
  const wanted = Math.floor(room * 1.1);
  for (;;) {
    for (let pass = 0; pass < 2; pass++) pieces = fit(pieces, chunks, letters);
    if (pieces.length <= wanted) break;
    const fewer = prune(pieces, chunks, wanted);
    if (fewer.length === pieces.length) break;
    pieces = fewer;
  }

  const plain = (text: string, kind: Piece['kind']): Piece => ({ text, score: 0, kind });
  return sentencePieceTokenizer({
    algorithm: 'unigram',
    byteFallback,
    unknownText: ' \u2047 ',
    normalizer: {
      charsMap: new Uint8Array(0),
      dummyPrefix: true,
      removeExtraSpaces: false,
      escapeSpaces: true,
      spaceAsSuffix: false,
    },
    pieces: [
      plain('<unk>', 'unknown'),
      ...names.map(name => plain(name, 'control')),
      ...(byteFallback ? Array.from({ length: 256 }, (_, byte) => plain(bytePiece(byte), 'byte')) : []),
      ...chosen(pieces, letters, room, new Set(['<unk>', ...names])).map(({ text, score }): Piece => ({
        text,
        score: Math.fround(score),
        kind: 'normal',
      })),
    ],
  });
}

interface Candidate {
  readonly text: string;
  /** Log-probability. */
  readonly score: number;
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly count: number;
}

const byText = (a: { readonly text: string }, b: { readonly text: string }): number =>
  a.text < b.text ? -1 : a.text > b.text ? 1 : 0;

/** The most frequent characters that make up this share of the text, and how often each occurs. */
function charactersOf(counted: ReadonlyMap<string, number>, coverage: number): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  let total = 0;
  for (const [chunk, count] of counted)
    for (const character of chunk) {
      all.set(character, (all.get(character) ?? 0) + count);
      total += count;
    }
  const sorted = [...all].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const kept = new Map<string, number>();
  let sum = 0;
  for (const [character, count] of sorted) {
    if (sum >= total * coverage) break;
    kept.set(character, count);
    sum += count;
  }
  return kept;
}

/** Chunks cut where a character has no piece, in the order of their texts: sums must not depend on the order of the input. */
function prepare(counted: ReadonlyMap<string, number>, letters: ReadonlyMap<string, number>): readonly Chunk[] {
  const cut = new Map<string, number>();
  for (const [chunk, count] of counted) {
    let run = '';
    const end = (): void => {
      if (run !== '') cut.set(run, (cut.get(run) ?? 0) + count);
      run = '';
    };
    for (const character of chunk) {
      if (letters.has(character)) run += character;
      else end();
    }
    end();
  }
  return [...cut].map(([text, count]) => ({ text, count, bytes: encoder.encode(text) })).sort(byText);
}

/** Each character, and the substrings that occur at least twice, those that cover most text first. */
function seeds(
  chunks: readonly Chunk[],
  letters: ReadonlyMap<string, number>,
  longest: number,
  most: number,
): readonly Candidate[] {
  const counts = new Map<string, number>();
  for (const { text, count } of chunks) {
    const characters = [...text];
    for (let from = 0; from < characters.length; from++) {
      let part = characters[from]!;
      for (let to = from + 1; to < characters.length && to - from < longest; to++) {
        part += characters[to]!;
        counts.set(part, (counts.get(part) ?? 0) + count);
      }
    }
  }
  const frequent = [...counts]
    .filter(([, count]) => count >= 2)
    .map(([text, count]) => ({ text, score: count * [...text].length }))
    .sort((a, b) => b.score - a.score || byText(a, b))
    .slice(0, most);
  const all = [...[...letters].map(([text, score]) => ({ text, score })), ...frequent];
  const total = Math.log(all.reduce((sum, { score }) => sum + score, 0));
  return all.map(({ text, score }) => ({ text, score: Math.log(score) - total }));
}

const trieOf = (pieces: readonly Candidate[]): ByteTrie => byteTrie(pieces.map(({ text }, id) => [text, id] as const));

/** One round of expectation maximisation; pieces that are hardly ever used fall out, characters never do. */
function fit(
  pieces: readonly Candidate[],
  chunks: readonly Chunk[],
  letters: ReadonlyMap<string, number>,
): readonly Candidate[] {
  const trie = trieOf(pieces);
  const scores = Float64Array.from(pieces, ({ score }) => score);
  const expected = new Float64Array(pieces.length);
  const add = expectation(trie, scores, expected);
  for (const { bytes, count } of chunks) add(bytes, count);
  const kept = pieces.flatMap(({ text }, id) => {
    const count = expected[id]!;
    return count >= 0.5 || letters.has(text) ? [{ text, count: Math.max(count, 1e-3) }] : [];
  });
  // Digamma instead of log: a sparse prior (Liang and Klein 2009), as SentencePiece has it.
  const total = digamma(kept.reduce((sum, { count }) => sum + count, 0));
  return kept.map(({ text, count }) => ({ text, score: digamma(count) - total }));
}

/** Adds to `expected` how often each piece is used in a chunk, over all ways to cut it. */
function expectation(trie: ByteTrie, scores: Float64Array, expected: Float64Array) {
  let forward = new Float64Array(256);
  let backward = new Float64Array(256);
  return (bytes: Uint8Array, count: number): void => {
    const size = bytes.length;
    if (size >= forward.length) {
      forward = new Float64Array(size * 2);
      backward = new Float64Array(size * 2);
    }
    forward.fill(-Infinity, 0, size + 1);
    backward.fill(-Infinity, 0, size + 1);
    forward[0] = 0;
    const ends: number[] = [];
    const starts: number[] = [];
    const ids: number[] = [];
    for (let from = 0; from < size; from++) {
      if (forward[from] === -Infinity) continue; // inside a character
      for (let at = from, node = 0; at < size;) {
        node = trie.step(node, bytes[at++]!);
        if (node < 0) break;
        const id = trie.value(node);
        if (id < 0) continue;
        starts.push(from);
        ends.push(at);
        ids.push(id);
        forward[at] = logAdd(forward[at]!, forward[from]! + scores[id]!);
      }
    }
    backward[size] = 0;
    for (let i = ids.length - 1; i >= 0; i--) {
      const from = starts[i]!;
      backward[from] = logAdd(backward[from]!, backward[ends[i]!]! + scores[ids[i]!]!);
    }
    const total = forward[size]!;
    if (total === -Infinity) return;
    for (let i = 0; i < ids.length; i++) {
      const share = Math.exp(forward[starts[i]!]! + scores[ids[i]!]! + backward[ends[i]!]! - total);
      expected[ids[i]!] = expected[ids[i]!]! + count * share;
    }
  };
}

/** The likeliest cut of some bytes, without piece `without` where it would span them all; null where there is none. */
function likeliest(trie: ByteTrie, scores: Float64Array) {
  let best = new Float64Array(256);
  let start = new Int32Array(256);
  let chosenIds = new Int32Array(256);
  return (bytes: Uint8Array, without = -1): readonly number[] | null => {
    const size = bytes.length;
    if (size >= best.length) {
      best = new Float64Array(size * 2);
      start = new Int32Array(size * 2);
      chosenIds = new Int32Array(size * 2);
    }
    best.fill(-Infinity, 0, size + 1);
    best[0] = 0;
    for (let from = 0; from < size; from++) {
      if (best[from] === -Infinity) continue;
      for (let at = from, node = 0; at < size;) {
        node = trie.step(node, bytes[at++]!);
        if (node < 0) break;
        const id = trie.value(node);
        if (id < 0 || id === without) continue;
        const total = best[from]! + scores[id]!;
        if (total <= best[at]!) continue;
        best[at] = total;
        start[at] = from;
        chosenIds[at] = id;
      }
    }
    if (best[size] === -Infinity) return null;
    const ids: number[] = [];
    for (let end = size; end > 0; end = start[end]!) ids.push(chosenIds[end]!);
    return ids.reverse();
  };
}

/** Keeps three quarters, or as many as wanted: those without which the text would be least likely. */
function prune(pieces: readonly Candidate[], chunks: readonly Chunk[], wanted: number): readonly Candidate[] {
  const trie = trieOf(pieces);
  const scores = Float64Array.from(pieces, ({ score }) => score);
  const cut = likeliest(trie, scores);
  const used = new Float64Array(pieces.length);
  for (const { bytes, count } of chunks) for (const id of cut(bytes) ?? []) used[id] = used[id]! + count;
  const total = used.reduce((sum, count) => sum + count, 0);
  const logTotal = Math.log(total);

  const kept: Candidate[] = [];
  const losses: { readonly piece: Candidate; readonly loss: number }[] = [];
  for (const [id, piece] of pieces.entries()) {
    if (used[id] === 0 && piece.text.length > 2) continue; // longer than a character, and in no best cut
    const instead = cut(encoder.encode(piece.text), id);
    if (instead === null) kept.push(piece); // a character
    else if (used[id]! > 0 && instead.reduce((sum, other) => sum + scores[other]!, 0) < scores[id]!) {
      // How much less likely the text becomes when this piece's uses go to what it would be cut into.
      const logAfter = Math.log(total + used[id]! * (instead.length - 1));
      const after = instead.reduce((sum, other) => sum + Math.log(used[other]! + used[id]!) - logAfter, 0);
      losses.push({ piece, loss: (used[id]! / total) * (Math.log(used[id]!) - logTotal - after) });
    }
  }
  losses.sort((a, b) => b.loss - a.loss || byText(a.piece, b.piece));
  const size = Math.max(wanted, Math.floor(pieces.length * 0.75));
  return [...kept, ...losses.slice(0, Math.max(0, size - kept.length)).map(({ piece }) => piece)];
}

/** Every character, then the likeliest pieces while there is room; the likeliest first. */
function chosen(
  pieces: readonly Candidate[],
  letters: ReadonlyMap<string, number>,
  room: number,
  taken: ReadonlySet<string>,
): readonly Candidate[] {
  const sorted = [...pieces].sort((a, b) => b.score - a.score || byText(a, b));
  const own = sorted.filter(({ text }) => letters.has(text));
  const rest = sorted.filter(({ text }) => !letters.has(text) && !taken.has(text)).slice(0, room - own.length);
  return [...own, ...rest].sort((a, b) => b.score - a.score || byText(a, b));
}

const logAdd = (a: number, b: number): number => {
  if (a === -Infinity) return b;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
};

/** Derivative of log gamma: recurrence up to 7, then the asymptotic series (Abramowitz and Stegun 6.3.18). */
function digamma(x: number): number {
  let [value, at] = [0, x];
  for (; at < 7; at++) value -= 1 / at;
  const inverse = 1 / at;
  const square = inverse * inverse;
  return (
    value + Math.log(at) - inverse / 2 - square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))
  );
}

const encoder = new TextEncoder();
