/**
 * How a direction is told to a model: by a tag before the source of an encoder-decoder, or by ALMA's prompt before the text of a
 * decoder.
 */

import { fail, nextToken, sequenceToSequence, type Batches, type Host, type HostTensor, type Json, type Model, type Objective, MODELS } from '@heddle/core'; // prettier-ignore
import { directionOf, promptRow, translationPrompt, type DirectionName } from '@heddle/mmt-merge';
import {
  encodePairs,
  endsOf,
  pairBatches,
  type EncodedPairs,
  type Pair,
  type PairBatches,
  type PairBatchOptions,
  type Tokenizer,
} from '@heddle/text';
import { createGenerator, partsOf } from '@heddle/transformer';
import { filter, lastValueFrom, map, toArray, type Observable } from 'rxjs';
import { expectKind } from '../model.js';
import { openWriter, type WriterOptions } from '../tasks/writer.js';
import type { MultilingualSettings } from './settings.js';

/** Tokens of the longest text; longer pairs are left out. */
const longestText = 64;
/** Room for the words of a prompt beside its text. */
const promptRoom = 48;

export type LearntBatches = Batches & Pick<PairBatches, 'report'>;

/** Pairs of one corpus, and whether their sources are prompts. */
export interface Framed {
  readonly pairs: EncodedPairs;
  readonly prompted: boolean;
}

export interface DirectionWriter {
  /** Texts by row, as they are done. */
  write(sources: readonly string[], direction: DirectionName, signal: AbortSignal): Observable<{ readonly row: number; readonly text: string }>; // prettier-ignore
  close(): Promise<void>;
}

export interface Framing {
  readonly model: Model;
  readonly objective: Objective;
  /** @param direction null: plain texts, the targets, of a language, whose sources are texts with words missing */
  frame(pairs: readonly Pair[], language: string, direction: DirectionName | null): Framed;
  batches(corpora: readonly Framed[], options: PairBatchOptions): LearntBatches;
}

/** The language that is written. */
export const toOf = (direction: DirectionName): string => {
  const { language, way } = directionOf(direction);
  return way === 'out-of' ? language : 'en';
};

/** Made-up languages have no English names. */
const nameOf = (language: string): string | null => (/^x[a-z][1-9]$/.test(language) ? `Language ${language}` : null);

/** ALMA's words around a text. */
export function promptOf(source: string, direction: DirectionName): string {
  const { language } = directionOf(direction);
  const name = nameOf(language);
  return translationPrompt(source, direction, name ? { [language]: name } : {});
}

export function framingOf(host: Host, settings: MultilingualSettings, tokenizer: Tokenizer): Framing {
  const { architecture, width, depth, attention } = settings;
  const shape = { vocabulary: tokenizer.vocabularySize, width, heads: 4, attention, dropout: 0.1 };
  const create = (config: Json): Model => host.find(MODELS, architecture).create(config, partsOf(host));
  return architecture === 'decoder'
    ? prompted(create({ ...shape, depth: 2 * depth, length: 2 * longestText + promptRoom }), tokenizer)
    : tagged(
        create({ ...shape, depth, encoderDepth: depth, length: longestText, sourceLength: longestText }),
        tokenizer,
      );
}

const tagged = (model: Model, tokenizer: Tokenizer): Framing => ({
  model,
  objective: sequenceToSequence({ labelSmoothing: 0.1 }) as Objective,
  frame: (pairs, language) => ({ pairs: encodePairs(pairs, { tokenizer, longest: longestText, language }), prompted: false }), // prettier-ignore
  batches: (corpora, options) => pairBatches(corpora.map(({ pairs }) => pairs), options), // prettier-ignore
});

const prompted = (model: Model, tokenizer: Tokenizer): Framing => ({
  model,
  objective: nextToken({ labelSmoothing: 0.1 }),
  frame(pairs, _, direction) {
    // A decoder reads no text with words missing: it learns to write the whole one.
    const framed = pairs.map(({ source, target }) => ({ source: direction === null ? '.' : promptOf(source, direction), target })); // prettier-ignore
    return {
      pairs: encodePairs(framed, { tokenizer, longest: longestText + promptRoom }),
      prompted: direction !== null,
    };
  },
  batches: (corpora, options) =>
    inRows(
      pairBatches(corpora.map(({ pairs }) => pairs), options), // prettier-ignore
      corpora.map(one => one.prompted),
      tokenizer,
    ),
});

/** Batches of pairs as rows of a decoder: beginning, prompt, target, end; what is learnt are the target and its end. */
function inRows(inner: PairBatches, isPrompted: readonly boolean[], tokenizer: Tokenizer): LearntBatches {
  const { begin, end, targetPad } = endsOf(tokenizer);
  return {
    report: epoch => inner.report(epoch),
    seek: cursor => inner.seek(cursor),
    close: () => inner.close(),
    async next() {
      const found = await inner.next();
      if (found === null) return null;
      const { source, sourceMask, targets, mask } = found.batch;
      const [B, S] = source.shape as readonly [number, number];
      const T = targets.shape[1]!;
      const L = S + T;
      const [ids, next, learnt] = [new Int32Array(B * L).fill(targetPad), new Int32Array(B * L).fill(targetPad), new Float32Array(B * L)]; // prettier-ignore
      for (const [b, place] of found.rows.entries()) {
        if (place === null) continue;
        // Both sides stand with their ends.
        const [s, t] = [length(sourceMask, b, S) - 1, length(mask, b, T) - 1];
        const prompt = isPrompted[place.corpus]! ? source.data.slice(b * S, b * S + s) : [];
        const row = promptRow(Array.from(prompt), Array.from(targets.data.slice(b * T, b * T + t)), { begin, end });
        ids.set(row.ids.slice(0, -1), b * L);
        next.set(row.ids.slice(1), b * L);
        learnt.set(row.learnt.slice(1), b * L);
      }
      const shape = [B, L];
      const batch = { ids: { dtype: 'i32', shape, data: ids }, targets: { dtype: 'i32', shape, data: next }, mask: { dtype: 'f32', shape, data: learnt } } as const; // prettier-ignore
      return { batch, tokens: found.tokens, cursor: found.cursor };
    },
  };
}

function length({ data }: HostTensor, row: number, columns: number): number {
  let sum = 0;
  for (let i = row * columns; i < (row + 1) * columns; i++) sum += data[i]!;
  return sum;
}

/** What a model that knows directions writes with. @throws E_MODEL for a kind of model that cannot */
export function openDirectionWriter({
  model,
  ...options
}: Omit<WriterOptions, 'model'> & { readonly model: Model }): DirectionWriter {
  // prettier-ignore
  if (model.kind === 'encoder-decoder') {
    const writer = openWriter({ ...options, model });
    return { write: (sources, direction, signal) => writer.write(sources, signal, toOf(direction)), close: () => writer.close() }; // prettier-ignore
  }
  const { parameters, tokenizer, backend, kernels, batch, beams } = options;
  if (beams > 1) fail('E_OPTION', `beams: expected 1 for a decoder that is prompted, received ${beams}. Leave it out.`, { beams }); // prettier-ignore
  const decoder = expectKind(model, 'decoder');
  const { begin, end } = endsOf(tokenizer);
  const generator = createGenerator({ model: decoder, params: parameters, backend, kernels, batch, prefillLengths: [16, 64] }); // prettier-ignore
  const room = decoder.length - longestText;
  return {
    write: (sources, direction, signal) =>
      generator
        .generate(
          sources.map(source => [begin, ...cut(source, direction, room - 1)]),
          { temperature: 0, stop: [end], maxTokens: longestText, signal },
        )
        .pipe(
          filter(event => event.type === 'finished' && event.reason !== 'cancelled'),
          map(event => ({ row: event.row, text: tokenizer.decode((event as { readonly ids: readonly number[] }).ids).trim() })), // prettier-ignore
        ),
    close: () => generator.close(),
  };

  /** A prompt keeps its end; its text is cut. */
  function cut(source: string, direction: DirectionName, most: number): readonly number[] {
    const ids = tokenizer.encode(promptOf(source, direction));
    if (ids.length <= most) return [...ids];
    const around = tokenizer.encode(promptOf('', direction)).length + 4;
    const kept = tokenizer.decode(tokenizer.encode(source).slice(0, most - around));
    return [...tokenizer.encode(promptOf(kept, direction))].slice(0, most);
  }
}

/** All texts of a direction, in order. */
export async function writeAll(
  writer: DirectionWriter,
  sources: readonly string[],
  direction: DirectionName,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const done = await lastValueFrom(writer.write(sources, direction, signal).pipe(toArray()));
  signal.throwIfAborted();
  const written = new Array<string>(sources.length).fill('');
  for (const { row, text } of done) written[row] = text;
  return written;
}
