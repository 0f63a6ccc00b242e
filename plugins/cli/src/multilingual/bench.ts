/** What the chain of mmt-merge works with on this machine: a model, texts as batches, translations with their scores. */

import { join } from 'node:path';
import { MERGES, MODELS, sequenceToSequence, type Backend, type EncoderDecoderModel, type Host } from '@heddle/core';
import { checkpointFolder } from '@heddle/core/node';
import {
  chrf,
  bleu,
  corpusScore,
  offTarget,
  sentenceScore,
  trainLanguages,
  type LanguageModel,
} from '@heddle/eval-text';
import { directionOf, type ChainBench, type DirectionName } from '@heddle/mmt-merge';
import {
  capTargets,
  encodePairs,
  pairBatches,
  type EncodedPairs,
  type Pair,
  type PairBatches,
  type Tokenizer,
} from '@heddle/text';
import { partsOf } from '@heddle/transformer';
import { lastValueFrom, toArray } from 'rxjs';
import { expectKind } from '../model.js';
import { openWriter, type Writer } from '../tasks/writer.js';
import type { MultilingualSettings } from './settings.js';
import { denoising, type MultilingualTexts } from './texts.js';

/** Tokens of the longest text; longer pairs are left out. */
const length = 64;
/** Steps between two checkpoints. */
const saveEvery = 50;
/** Texts of a language that the one who tells languages apart is shown. */
const shownTexts = 4000;
/** Of a direction's scores: percent of what was written that is in another language than asked. */
export const offTargetScore = 'off target';

export interface MultilingualBench extends ChainBench {
  readonly model: EncoderDecoderModel;
  pairs(directions: readonly DirectionName[], seed: number): PairBatches;
  close(): Promise<void>;
}

export function openMultilingualBench(
  host: Host,
  backend: Backend,
  settings: MultilingualSettings,
  texts: MultilingualTexts,
  tokenizer: Tokenizer,
  folder: string,
): MultilingualBench {
  const { width, depth, attention, tokens, temperature, most, englishRepeats } = settings;
  const config = { vocabulary: tokenizer.vocabularySize, width, heads: 4, depth, encoderDepth: depth, length, sourceLength: length, dropout: 0.1, attention }; // prettier-ignore
  const model = expectKind(host.find(MODELS, 'encoder-decoder').create(config, partsOf(host)), 'encoder-decoder');
  const known = new Map<string, EncodedPairs>();
  const encoded = (name: string, language: string, pairs: () => readonly Pair[]): EncodedPairs => {
    const found = known.get(name) ?? encodePairs(pairs(), { tokenizer, longest: length, language });
    known.set(name, found);
    return found;
  };
  const sides = (direction: DirectionName, pairs: readonly Pair[]): readonly Pair[] =>
    directionOf(direction).way === 'out-of'
      ? pairs
      : pairs.map(({ source, target }) => ({ source: target, target: source }));
  const languageOf = (direction: DirectionName): string => directionOf(direction).language;
  /** The language that is written. */
  const toOf = (direction: DirectionName): string =>
    directionOf(direction).way === 'out-of' ? languageOf(direction) : 'en';
  const batches = (corpora: readonly EncodedPairs[], seed: number) =>
    pairBatches(corpora, { tokens, buckets: 4, seed, temperature, ...(most === null ? {} : { most }) });
  /** Into English one target of many languages would be learnt many times. */
  const learntFrom = (directions: readonly DirectionName[]): readonly (readonly Pair[])[] => {
    const corpora = directions.map(direction => sides(direction, texts.train[languageOf(direction)]!));
    const into = directions.every(direction => directionOf(direction).way === 'into');
    return englishRepeats === null || !into ? corpora : capTargets(corpora, englishRepeats, settings.seed).corpora;
  };

  let told: LanguageModel | null = null;
  const languages = (): LanguageModel =>
    (told ??= trainLanguages({
      en: Object.values(texts.train).flatMap(pairs => pairs.slice(0, shownTexts / Object.keys(texts.train).length).map(({ source }) => source)), // prettier-ignore
      ...Object.fromEntries(Object.entries(texts.train).map(([language, pairs]) => [language, pairs.slice(0, shownTexts).map(({ target }) => target)])), // prettier-ignore
    }));
  let writer: { readonly parameters: object; readonly open: Writer } | null = null;
  const writerOf = async (parameters: Parameters<ChainBench['score']>[1]): Promise<Writer> => {
    if (writer?.parameters === parameters) return writer.open;
    await writer?.open.close();
    const open = openWriter({ model, parameters, tokenizer, backend, kernels: host.kernels, batch: Math.min(32, settings.test), beams: 1 }); // prettier-ignore
    writer = { parameters, open };
    return open;
  };
  const write = async (
    direction: DirectionName,
    pairs: readonly Pair[],
    parameters: Parameters<ChainBench['score']>[1],
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    const open = await writerOf(parameters);
    const sources = pairs.map(({ source }) => source);
    const done = await lastValueFrom(open.write(sources, signal, toOf(direction)).pipe(toArray()));
    signal.throwIfAborted();
    const written = new Array<string>(pairs.length).fill('');
    for (const { row, text } of done) written[row] = text;
    return written;
  };
  return {
    model,
    backend,
    kernels: host.kernels,
    objective: sequenceToSequence({ labelSmoothing: 0.1 }),
    methods: host.all(MERGES),
    data: `${texts.id}/${JSON.stringify({ vocabulary: settings.vocabulary, tokens, temperature, most, englishRepeats })}`,
    tests: texts.testId,
    pretraining: seed =>
      batches(
        Object.entries(texts.train).flatMap(([language, pairs]) => {
          const english = pairs.map(({ source }) => ({ source, target: source }));
          const { own, both } = denoising(pairs, settings.seed);
          return [
            encoded(`own ${language}`, language, () => own),
            encoded(`both ${language}`, language, () => both),
            encoded(`english ${language}`, 'en', () => denoising(english, settings.seed).own),
          ];
        }),
        seed,
      ),
    pairs(directions, seed) {
      const corpora = learntFrom(directions);
      const among = englishRepeats === null ? '' : ` among ${directions.join()}`;
      return batches(
        directions.map((direction, i) => encoded(`${direction}${among}`, toOf(direction), () => corpora[i]!)),
        seed,
      );
    },
    async validate(direction, parameters, signal) {
      const pairs = sides(direction, texts.validation[languageOf(direction)]!);
      const written = await write(direction, pairs, parameters, signal);
      return corpusScore(chrf(), written, [pairs.map(({ target }) => target)]).score.score;
    },
    async score(direction, parameters, signal) {
      const own = languageOf(direction);
      const judged = (written: readonly string[], pairs: readonly Pair[], suffix = '') => {
        const references = [pairs.map(({ target }) => target)];
        const of = (metric: Parameters<typeof corpusScore>[0]): number => corpusScore(metric, written, references).score.score; // prettier-ignore
        return { [`chrF${suffix}`]: of(chrf()), [`BLEU${suffix}`]: of(bleu()) };
      };
      const pairs = sides(direction, texts.test[own]!);
      const written = await write(direction, pairs, parameters, signal);
      let scores = {
        ...judged(written, pairs),
        [offTargetScore]: offTarget(written, toOf(direction), languages()).rate,
      };
      for (const [name, of] of Object.entries(texts.sets)) {
        if (!of[own]) continue;
        const more = sides(direction, of[own]);
        scores = { ...scores, ...judged(await write(direction, more, parameters, signal), more, ` ${name}`) };
      }
      return {
        scores,
        sentences: written.map((text, i) => sentenceScore(chrf(), text, [pairs[i]!.target]).score),
        examples: pairs.slice(0, 2).map(({ source, target }, i) => ({ source, reference: target, written: written[i]! })), // prettier-ignore
      };
    },
    checkpoints: key => ({ store: checkpointFolder(join(folder, 'unfinished', key.slice(0, 16)), { keep: 1 }), every: saveEvery }), // prettier-ignore
    async close() {
      await writer?.open.close();
      writer = null;
    },
  };
}
