/** `heddle text inspect`. */

import type { CommandCall } from '@heddle/core';
import { pairBatches, type PairBatchOptions } from '../parallel/batches.js';
import { corpusFrom, readCorpus } from '../parallel/corpora.node.js';
import { encodePairs, type EncodedPairs } from '../parallel/encode.js';
import { filterPairs } from '../parallel/filter.js';
import { byCount } from '../parallel/pair.js';
import { tokenizerOf } from '../tokenizer.node.js';
import { filterOptions, numberOption, percent, table } from './options.js';

export async function runInspect(call: CommandCall): Promise<number> {
  const { options } = call;
  const number = (name: string, least: number, whole = true) => numberOption(options, name, least, whole);
  const batching: PairBatchOptions = {
    ...optional('tokens', number('tokens', 1)),
    ...optional('buckets', number('buckets', 1)),
    ...optional('temperature', number('temperature', 1, false)),
  };
  const longest = number('longestTokens', 1);
  const examples = number('examples', 0) ?? 3;
  const filter = filterOptions(options);
  const tokenizer = await tokenizerOf(typeof options['tokenizer'] === 'string' ? options['tokenizer'] : 'byte');
  const json = options['json'] === true;

  const all: EncodedPairs[] = [];
  for (const name of call.args) {
    if (call.signal.aborted) return 130;
    const reading = filterPairs(await readCorpus(corpusFrom(name)), filter);
    const encoded = encodePairs(reading.pairs, { tokenizer, ...optional('longest', longest) });
    all.push(encoded);
    const kept = {
      pairs: Array.from(encoded.pair, at => reading.pairs[at]!),
      seen: reading.seen,
      dropped: byCount(reading.dropped, encoded.dropped),
    };
    const lengths = { source: lengthsOf(encoded.sourceAt, 0), target: lengthsOf(encoded.targetAt, 1) };
    const shown = Array.from(
      { length: Math.min(examples, encoded.count) },
      (_, i) => kept.pairs[Math.floor((i * encoded.count) / examples)]!,
    );
    if (json) {
      const { seen, dropped } = kept;
      const { unknown, count } = encoded;
      call.print(JSON.stringify({ type: 'corpus', name, seen, pairs: count, dropped, tokens: lengths, unknown, examples: shown })); // prettier-ignore
      continue;
    }
    call.print(`${name}: ${encoded.count} pairs, ${kept.seen - encoded.count} of ${kept.seen} dropped`);
    for (const { reason, count, first } of kept.dropped)
      call.print(`  ${String(count).padStart(String(kept.seen).length)} ${reason} (first: ${first})`);
    for (const line of table([
      ['  tokens', 'all', 'median', '90 %', 'longest'],
      ...Object.entries(lengths).map(([side, own]) => [
        `  ${side}`,
        ...[own.all, own.median, own.ninth, own.longest].map(String),
      ]),
    ]))
      call.print(line);
    if (encoded.unknown > 0) call.print(`  ${encoded.unknown} tokens are unknown to the tokeniser`);
    for (const { source, target } of shown) call.print(`  ${source}\n    ${target}`);
  }

  const batches = pairBatches(all, batching);
  const { padding, batches: count } = batches.report();
  if (json) {
    call.print(JSON.stringify({ type: 'batches', batches: count, padding, shapes: batches.shapes }));
    return 0;
  }
  call.print(`an epoch: ${count} batches, ${percent(padding)} padding`);
  for (const line of table([
    ['  rows', 'source', 'target'],
    ...batches.shapes.map(({ batch, source, target }) => [`  ${batch}`, String(source), String(target)]),
  ]))
    call.print(line);
  return 0;
}

/** Lengths in tokens, ends included. */
function lengthsOf(places: Int32Array, ends: number) {
  const lengths = Array.from({ length: places.length - 1 }, (_, i) => places[i + 1]! - places[i]! + ends).sort(
    (a, b) => a - b,
  );
  const at = (share: number): number => lengths[Math.min(lengths.length - 1, Math.floor(share * lengths.length))]!;
  return {
    all: lengths.reduce((sum, length) => sum + length, 0),
    median: at(0.5),
    ninth: at(0.9),
    longest: lengths.at(-1)!,
  };
}

const optional = <K extends string>(name: K, value: number | undefined): { readonly [key in K]?: number } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [key in K]: number });
