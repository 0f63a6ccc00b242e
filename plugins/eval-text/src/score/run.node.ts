/** `heddle score`: reads segments once, scores every system by every metric, prints, writes the report. */

import { fail, type CommandCall, type Host } from '@heddle/core';
import { segmentScores, documentScores } from '../corpus.js';
import { readLines, writeWhole } from '../files.node.js';
import { formatScore } from '../format.js';
import { checkTokenizer, scriptWithoutSpaces, tokenizerForLanguage } from '../language/scripts.js';
import { trainLanguages } from '../language/model.js';
import type { Score } from '../metric.js';
import { bootstrap, pairedTester, type PairedResult } from '../significance/paired.js';
import type { Interval } from '../significance/resamples.js';
import { fixed } from '../text/decimal.js';
import { tokenizerNames, tokenizerOf, type Tokenizer } from '../tokenizers/index.js';
import { bleu } from '../translation/bleu.js';
import { TOKENIZERS } from '../tokenizers/optional.js';
import { collectors, correctionMetrics, type Collected, type SummedMetric } from './collect.js';
import { scoreCorrections } from './corrections.node.js';
import { openInputs, type Chunk, type Inputs } from './inputs.node.js';
import { readSettings, type ScoreSettings } from './settings.js';
import { table } from './table.js';

/** One system by one metric. */
interface Result {
  readonly system: string;
  readonly metric: string;
  readonly score: Score;
  readonly signature: string | null;
  readonly p: number | null;
  readonly interval: Interval | null;
}

export async function runScore(call: CommandCall, host: Host): Promise<number> {
  const settings = readSettings(call.options);
  if (settings.metrics.some(name => correctionMetrics.includes(name))) return scoreCorrections(call, settings);
  const inputs = await openInputs(settings);
  try {
    return await scoreInputs(call, host, settings, inputs);
  } finally {
    await inputs.close();
  }
}

async function scoreInputs(call: CommandCall, host: Host, settings: ScoreSettings, inputs: Inputs): Promise<number> {
  const { systems } = inputs;
  if (settings.paired !== null && systems.length < 2)
    fail(
      'E_USAGE',
      `score: expected a baseline and another system for a paired test, received ${systems.length}. Give two or more --hyp, or --confidence for one.`,
    );
  const first = await inputs.next();
  const tokenizer = await tokenizerFor(call, host, settings, first!);
  const keep =
    settings.paired !== null ||
    settings.confidence ||
    settings.sentenceLevel ||
    settings.documents !== null ||
    settings.report !== null;
  const collected = collectors({
    settings,
    systems: systems.length,
    tokenizer,
    keep,
    languages: await languagesOf(call, settings),
  });
  const kept: Chunk[] = [];
  const streams = new Set<number>();
  let segments = 0;
  let told = Date.now();
  for (let chunk = first; chunk !== null; chunk = await inputs.next()) {
    call.signal.throwIfAborted();
    for (const one of collected) one.add(chunk);
    for (let i = 0; i < chunk.hypotheses[0]!.length; i++)
      streams.add(chunk.references.filter(stream => stream[i] !== null).length);
    if (settings.report !== null) kept.push(chunk);
    if (settings.documents !== null && settings.report === null)
      kept.push({ ...chunk, references: [], hypotheses: [], sources: null });
    segments += chunk.hypotheses[0]!.length;
    if (Date.now() - told > 2000) {
      call.note(`${segments} segments`);
      told = Date.now();
    }
  }
  for (const notice of inputs.notices()) call.note(notice);
  const references = streams.size > 1 ? 'var' : [...streams][0]!;

  if (settings.sentenceLevel) return sentenceLevel(call, settings, systems, collected);
  const results = await resultsOf(call, settings, systems, segments, references, collected);
  if (settings.documents !== null)
    documentLevel(
      call,
      settings,
      systems,
      kept.flatMap(({ documents }) => documents ?? []),
      collected,
    );
  print(call, settings, systems, results);
  if (settings.report !== null) {
    const { reportPage } = await import('../report/page.js');
    const summed = collected.filter((one): one is SummedMetric => one.kind === 'summed');
    const page = reportPage({
      systems,
      chunks: kept,
      results,
      metrics: summed.map(({ metric, statistics }) => ({
        name: metric.name,
        higherIsBetter: metric.higherIsBetter,
        // Alone, a sentence has no long n-grams: BLEU leaves out the orders that it cannot have.
        segments: statistics().map(one =>
          segmentScores(alone(metric, settings, tokenizer), one).map(({ score }) => score),
        ),
      })),
    });
    await writeWhole(settings.report, page);
    call.note(`Report: ${settings.report}`);
  }
  return 0;
}

/** The metric as sentences are scored by it. */
function alone(metric: SummedMetric['metric'], settings: ScoreSettings, tokenizer: Tokenizer): SummedMetric['metric'] {
  if (metric.name !== 'BLEU') return metric;
  const { lowercase, smooth, smoothValue } = settings;
  return bleu({ tokenize: tokenizer, lowercase, smooth, smoothValue, effectiveOrder: true });
}

/** Named, by the target language, or seen from the first references; refused where it is plainly wrong. */
async function tokenizerFor(
  call: CommandCall,
  host: Host,
  settings: ScoreSettings,
  { references }: Chunk,
): Promise<Tokenizer> {
  if (!settings.metrics.includes('bleu')) return tokenizerOf('none');
  const sample = references
    .flat()
    .filter(text => text !== null)
    .slice(0, 500)
    .join('\n');
  const seen = scriptWithoutSpaces(sample);
  const name = settings.tokenizer ?? tokenizerForLanguage(settings.language ?? seen?.language ?? 'en');
  if (!settings.force) checkTokenizer(name, sample);
  if (settings.tokenizer === null && name !== '13a')
    call.note(
      `Tokeniser of BLEU: ${name}, for ${settings.language === null ? `references in ${seen!.name}` : `target language ${settings.language}`}`,
    );
  if ((tokenizerNames as readonly string[]).includes(name)) return tokenizerOf(name);
  const offers = host.all(TOKENIZERS);
  const offer = offers.find(one => one.name === name);
  if (offer === undefined)
    return fail(
      'E_UNKNOWN',
      `tokenize: expected ${[...tokenizerNames, ...offers.map(one => one.name)].join(', ')}, received '${name}'. Correct --tokenize.`,
      { name },
    );
  return offer.open(settings.tokenizerFile);
}

async function languagesOf(call: CommandCall, { languageTexts, metrics }: ScoreSettings) {
  const named = Object.entries(languageTexts);
  if (!metrics.includes('off-target') || named.length === 0) return null;
  const texts: Record<string, readonly string[]> = {};
  for (const [language, path] of named) {
    const { lines, notices } = await readLines(path);
    texts[language] = lines;
    for (const notice of notices) call.note(notice);
  }
  return trainLanguages(texts);
}

async function resultsOf(
  call: CommandCall,
  settings: ScoreSettings,
  systems: readonly string[],
  segments: number,
  references: number | 'var',
  collected: readonly Collected[],
): Promise<readonly Result[]> {
  const { paired, samples, seed, confidence } = settings;
  const tester =
    paired === null
      ? null
      : pairedTester(systems, segments, {
          test: paired,
          samples,
          seed,
          intervals: paired === 'randomisation' && confidence ? 1000 : 0,
        });
  const results: Result[] = [];
  for (const one of collected) {
    if (one.kind === 'plain') {
      for (const [s, scores] of one.scores().entries())
        for (const score of scores)
          results.push({ system: systems[s]!, metric: score.name, score, signature: null, p: null, interval: null });
      continue;
    }
    const { metric, sums } = one;
    if (tester !== null) {
      call.note(`Testing ${metric.name} …`);
      await new Promise(next => setTimeout(next, 0)); // lets a Ctrl-C arrive
      call.signal.throwIfAborted();
      const tested = tester(metric, one.statistics(), references);
      for (const { system, score, p, interval } of tested.results as readonly PairedResult[])
        results.push({ system, metric: metric.name, score, signature: tested.signature, p, interval });
    } else {
      const trials = confidence ? (samples ?? 1000) : undefined;
      const signature = metric.signature({ references, bootstrap: trials, seed: confidence ? seed : undefined });
      const statistics = confidence ? one.statistics() : [];
      for (const [s, name] of systems.entries())
        results.push({
          system: name,
          metric: metric.name,
          score: metric.score(sums[s]!),
          signature,
          p: null,
          interval: confidence ? bootstrap(metric, statistics[s]!, { samples: trials, seed }).interval : null,
        });
    }
  }
  return results;
}

const significant = 0.05;

function print(
  call: CommandCall,
  { json, width }: ScoreSettings,
  systems: readonly string[],
  results: readonly Result[],
): void {
  if (json) {
    for (const { system, metric, score, signature, p, interval } of results) {
      const { name: _, score: value, verbose, ...details } = score;
      call.print(
        JSON.stringify({
          type: 'score',
          system,
          metric,
          score: value,
          verbose,
          signature,
          ...(details as object),
          ...(interval === null ? {} : { mean: interval.mean, halfWidth: interval.halfWidth }),
          ...(p === null ? {} : { p }),
        }),
      );
    }
    return;
  }
  if (systems.length === 1) {
    for (const { score, signature, interval } of results)
      call.print(
        formatScore(score, {
          width,
          signature: signature ?? '',
          ...(interval === null ? {} : { confidence: interval }),
        }),
      );
    return;
  }
  const metrics = [...new Set(results.map(({ metric }) => metric))];
  const cell = (system: string, metric: string): string => {
    const { score, interval, p } = results.find(one => one.system === system && one.metric === metric)!;
    const base = results.find(one => one.system === systems[0] && one.metric === metric)!;
    const spread = interval === null ? '' : ` (${fixed(interval.mean, width)} ± ${fixed(interval.halfWidth, width)})`;
    return `${fixed(score.score, width)}${spread}${p === null ? besideP : ` p = ${fixed(p, 4)}${p <= significant && score.score !== base.score.score ? '*' : ' '}`}`;
  };
  const tested = results.some(({ p }) => p !== null);
  const besideP = tested ? ' '.repeat(' p = 0.0010*'.length) : ''; // keeps numbers of the baseline above the others
  call.print(
    table(
      ['System', ...metrics],
      systems.map((system, s) => [
        tested && s === 0 ? `Baseline: ${system}` : system,
        ...metrics.map(metric => cell(system, metric)),
      ]),
    ),
  );
  call.print('');
  if (tested) call.print(`* differs from the baseline, p ≤ ${significant}`);
  for (const metric of metrics) {
    const signature = results.find(one => one.metric === metric)!.signature;
    if (signature !== null) call.print(`${metric}|${signature}`);
  }
}

/** One line a segment: its number, then system by system, metric by metric. */
function sentenceLevel(
  call: CommandCall,
  { json, width }: ScoreSettings,
  systems: readonly string[],
  collected: readonly Collected[],
): number {
  const summed = collected.filter((one): one is SummedMetric => one.kind === 'summed');
  if (summed.length < collected.length)
    fail(
      'E_USAGE',
      'score: expected metrics that score segments, received one of whole corpora only. Leave out accuracy, macro-f1, mcc, auroc, gleu and off-target with --sentence-level.',
    );
  const scores = summed.map(({ metric, statistics }) => statistics().map(one => segmentScores(metric, one)));
  const segments = scores[0]![0]!.length;
  if (!json)
    call.print(
      ['segment', ...systems.flatMap(system => summed.map(({ metric }) => `${system} ${metric.name}`))].join('\t'),
    );
  for (let i = 0; i < segments; i++) {
    if (json) {
      for (const [s, system] of systems.entries())
        call.print(
          JSON.stringify({
            type: 'segment',
            segment: i + 1,
            system,
            scores: Object.fromEntries(summed.map(({ metric }, m) => [metric.name, scores[m]![s]![i]!.score])),
          }),
        );
    } else
      call.print(
        [i + 1, ...systems.flatMap((_, s) => summed.map((_, m) => fixed(scores[m]![s]![i]!.score, width)))].join('\t'),
      );
  }
  return 0;
}

function documentLevel(
  call: CommandCall,
  { json, width }: ScoreSettings,
  systems: readonly string[],
  documents: readonly string[],
  collected: readonly Collected[],
): void {
  const summed = collected.filter((one): one is SummedMetric => one.kind === 'summed');
  const scores = summed.map(({ metric, statistics }) =>
    statistics().map(one => documentScores(metric, one, documents)),
  );
  const names = [...new Set(documents)];
  if (json) {
    for (const name of names)
      for (const [s, system] of systems.entries())
        call.print(
          JSON.stringify({
            type: 'document',
            document: name,
            system,
            scores: Object.fromEntries(summed.map(({ metric }, m) => [metric.name, scores[m]![s]!.get(name)!.score])),
          }),
        );
    return;
  }
  call.print(
    table(
      [
        'Document',
        ...systems.flatMap(system =>
          summed.map(({ metric }) => (systems.length === 1 ? metric.name : `${system} ${metric.name}`)),
        ),
      ],
      names.map(name => [
        name,
        ...systems.flatMap((_, s) => summed.map((_, m) => fixed(scores[m]![s]!.get(name)!.score, width))),
      ]),
    ),
  );
  call.print('');
}
