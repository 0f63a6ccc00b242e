/** What the chain of mmt-merge works with on this machine: a model, texts as batches, translations with their scores. */

import { MERGES, type Backend, type Host } from '@heddle/core';
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
import { capTargets, type Pair, type Tokenizer } from '@heddle/text';
import {
  framingOf,
  openDirectionWriter,
  toOf,
  writeAll,
  type DirectionWriter,
  type Framed,
  type LearntBatches,
} from './framing.js';
import { unfinishedStage } from '../unfinished.js';
import type { MultilingualSettings } from './settings.js';
import { denoising, type MultilingualTexts } from './texts.js';

/** Steps between two checkpoints. */
const saveEvery = 50;
/** Texts of a language that the one who tells languages apart is shown. */
const shownTexts = 4000;
/** Of a direction's scores: percent of what was written that is in another language than asked. */
export const offTargetScore = 'off target';

export interface MultilingualBench extends ChainBench {
  pairs(directions: readonly DirectionName[], seed: number): LearntBatches;
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
  const { tokens, temperature, most, englishRepeats } = settings;
  const framing = framingOf(host, settings, tokenizer);
  const known = new Map<string, Framed>();
  const framed = (
    name: string,
    language: string,
    direction: DirectionName | null,
    pairs: () => readonly Pair[],
  ): Framed => {
    const found = known.get(name) ?? framing.frame(pairs(), language, direction);
    known.set(name, found);
    return found;
  };
  const sides = (direction: DirectionName, pairs: readonly Pair[]): readonly Pair[] =>
    directionOf(direction).way === 'out-of'
      ? pairs
      : pairs.map(({ source, target }) => ({ source: target, target: source }));
  const languageOf = (direction: DirectionName): string => directionOf(direction).language;
  const batches = (corpora: readonly Framed[], seed: number): LearntBatches =>
    framing.batches(corpora, { tokens, buckets: 4, seed, temperature, ...(most === null ? {} : { most }) });
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
  let writer: { readonly parameters: object; readonly open: DirectionWriter } | null = null;
  const writerOf = async (parameters: Parameters<ChainBench['score']>[1]): Promise<DirectionWriter> => {
    if (writer?.parameters === parameters) return writer.open;
    await writer?.open.close();
    const open = openDirectionWriter({ model: framing.model, parameters, tokenizer, backend, kernels: host.kernels, batch: Math.min(32, settings.test), beams: 1 }); // prettier-ignore
    writer = { parameters, open };
    return open;
  };
  const write = async (
    direction: DirectionName,
    pairs: readonly Pair[],
    parameters: Parameters<ChainBench['score']>[1],
    signal: AbortSignal,
  ): Promise<readonly string[]> =>
    writeAll(
      await writerOf(parameters),
      pairs.map(({ source }) => source),
      direction,
      signal,
    );
  return {
    model: framing.model,
    backend,
    kernels: host.kernels,
    objective: framing.objective,
    methods: host.all(MERGES),
    data: `${texts.id}/${JSON.stringify({ vocabulary: settings.vocabulary, tokens, temperature, most, englishRepeats })}`,
    tests: texts.testId,
    pretraining: seed =>
      batches(
        Object.entries(texts.train).flatMap(([language, pairs]) => {
          const english = pairs.map(({ source }) => ({ source, target: source }));
          const { own, both } = denoising(pairs, settings.seed);
          return [
            framed(`own ${language}`, language, null, () => own),
            framed(`both ${language}`, language, null, () => both),
            framed(`english ${language}`, 'en', null, () => denoising(english, settings.seed).own),
          ];
        }),
        seed,
      ),
    pairs(directions, seed) {
      const corpora = learntFrom(directions);
      const among = englishRepeats === null ? '' : ` among ${directions.join()}`;
      return batches(
        directions.map((direction, i) => framed(`${direction}${among}`, toOf(direction), direction, () => corpora[i]!)),
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
    checkpoints: key => ({ store: unfinishedStage(folder, key), every: saveEvery }),
    async close() {
      await writer?.open.close();
      writer = null;
    },
  };
}
