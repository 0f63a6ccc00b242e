/** `heddle task`: several models learn to write texts from texts, one after the other, and are compared. */

import { join } from 'node:path';
import { fail, type CommandCall, type Host } from '@heddle/core';
import { atomicWriteFile } from '@heddle/core/node';
import { readTokenizer, saveTokenizer, trainBpe } from '@heddle/text';
import { readRun, reportPage } from '@heddle/tracker-report';
import { engineLines, openEngine } from '../engine.js';
import { eventJson } from '../event-log.js';
import { exitCodes } from '../failure.js';
import { readJsonObject, writeJson } from '../json-file.js';
import { exists, holdRun, moveAside } from '../run-folder.js';
import { corpusOf, type TaskCorpus } from '../tasks/corpus.js';
import { lookMaps } from '../tasks/look.js';
import { readTaskSettings, tasks, type TaskSettings } from '../tasks/settings.js';
import { trainModel, type TaskResult } from '../tasks/train.js';
import { grouped, selfName, timeTaken } from '../words.js';
import { trackersOf } from '../trackers.js';

const format = 'heddle-task-1';

type Options = CommandCall['options'];

/** @param usual options for who gives none; the reference engine is a thousand times slower and needs a smaller job */
export async function runTask(
  call: CommandCall,
  host: Host,
  usual: { readonly engine: Options; readonly reference: Options } = { engine: {}, reference: {} },
): Promise<number> {
  const { options, signal } = call;
  readTaskSettings(call); // before anything is touched
  const trackers = trackersOf(host, call, ['console', 'report']);
  const engine = await openEngine(host, typeof options['backend'] === 'string' ? options['backend'] : 'auto');
  const isReference = engine.backend.name === 'reference';
  const settings = readTaskSettings({
    args: call.args,
    options: { ...(isReference ? usual.reference : usual.engine), ...options },
  });
  const folder = typeof options['out'] === 'string' ? options['out'] : join('.heddle', settings.task);
  const json = options['json'] === true;
  const say = (text: string): void => {
    if (!json) call.print(text);
  };
  if (options['fresh'] === true && (await exists(folder)))
    call.note(`What was there is kept in ${await moveAside(folder)}.`);
  await host.open(() => holdRun(folder)); // let go when the host closes
  const goesOn = await isSame(folder, settings);
  for (const line of engineLines(engine)) say(line);
  if (isReference) say('  The reference engine is slow by design: take few --steps, a small --width and few --tokens.');

  const corpus = await corpusOf(settings, join(folder, 'pairs.json'), goesOn, say);
  // Last: what cannot be begun leaves a folder that another try may use.
  if (!goesOn) await writeJson(join(folder, 'task.json'), { format, settings });
  const { train, validation, test } = corpus.parts;
  say(
    `Of them ${grouped(train.length)} to learn from, ${grouped(validation.length)} to look at, ${grouped(test.length)} to be tested on.`,
  );
  const tokenizerPath = join(folder, 'tokenizer.json');
  if (!(await exists(tokenizerPath)))
    await saveTokenizer(
      tokenizerPath,
      trainBpe(
        train.flatMap(({ source, target }) => [source, target]),
        { vocabularySize: Math.min(2000, 300 + Math.floor(train.length / 4)) },
      ),
    );
  const tokenizer = await readTokenizer(tokenizerPath);

  const results: TaskResult[] = [];
  const known = await Promise.all(settings.models.map(name => exists(join(folder, name, 'result.json'))));
  if (known.every(Boolean)) say('All of it is there already; --fresh begins anew.');
  for (const name of settings.models) {
    say('');
    const result = await trainModel({
      host,
      backend: engine.backend,
      settings,
      name,
      corpus,
      tokenizer,
      folder: join(folder, name),
      signal,
      trackers,
      note: call.note,
      ...(json ? { see: event => call.print(`{"model":"${name}",${eventJson(event).slice(1)}`) } : {}),
    });
    if (result === null) {
      say(`\nStopped; what was learnt is in ${folder}. The same command goes on.`);
      return exitCodes.interrupted;
    }
    results.push(result);
    if (json) call.print(JSON.stringify({ type: 'result', ...result, written: undefined, look: undefined }));
  }
  const report = join(folder, 'report.html');
  await writeReport(report, folder, settings, corpus, results);
  if (json) call.print(JSON.stringify({ type: 'report', file: report }));
  else for (const line of closing(settings, corpus, results, folder, report)) say(line);
  return 0;
}

/** Whether this very run is there. @throws E_RESUME when another is */
async function isSame(folder: string, settings: TaskSettings): Promise<boolean> {
  const path = join(folder, 'task.json');
  if (!(await exists(path))) return false;
  const stored = await readJsonObject(path, 'the description of a task');
  const before = (stored['settings'] ?? {}) as Partial<Record<keyof TaskSettings, unknown>>;
  const differing = (Object.keys(settings) as (keyof TaskSettings)[]).filter(
    name => JSON.stringify(before[name]) !== JSON.stringify(settings[name]),
  );
  if (stored['format'] !== format || differing.length > 0)
    fail(
      'E_RESUME',
      `${folder}: expected the ${differing.join(', ') || 'format'} that the run there was begun with, received another. Begin anew with --fresh, or name another --out.`,
      { folder, differing },
    );
  return true;
}

async function writeReport(
  path: string,
  folder: string,
  settings: TaskSettings,
  { name, parts }: TaskCorpus,
  results: readonly TaskResult[],
): Promise<void> {
  const runs = [];
  for (const { model } of results) runs.push(await readRun(join(folder, model), model));
  const scores = {
    title: `${parts.test.length} sentences that nobody learnt from`,
    head: ['model', 'parameters', 'tokens', 'time', 'tokens/s', 'BLEU', 'chrF'],
    rows: results.map(one => [
      one.model,
      grouped(one.parameters),
      grouped(one.tokens),
      timeTaken(one.seconds),
      grouped(Math.round(one.tokens / one.seconds)),
      one.bleu.toFixed(1),
      one.chrf.toFixed(1),
    ]),
  };
  const examples = {
    title: `What they write`,
    head: ['source', tasks[settings.task].what, ...results.map(({ model }) => model)],
    rows: parts.test
      .slice(0, 12)
      .map(({ source, target }, i) => [source, target, ...results.map(({ written }) => written[i]!)]),
  };
  await atomicWriteFile(path, reportPage(runs, { title: `${settings.task}: ${name}`, tables: [scores, examples], heatMaps: lookMaps(results.map(({ model, look }) => ({ name: model, look }))) })); // prettier-ignore
}

function closing(
  { task }: TaskSettings,
  { parts }: TaskCorpus,
  results: readonly TaskResult[],
  folder: string,
  report: string,
): readonly string[] {
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(11))).join('');
  const example = (i: number): readonly string[] => [
    '',
    `  ${parts.test[i]!.source}`,
    `  ${'as it should be'.padEnd(16)} ${parts.test[i]!.target}`,
    ...results.map(({ model, written }) => `  ${model.padEnd(16)} ${written[i]!}`),
  ];
  const self = selfName(process.env);
  const best = results.toSorted((a, b) => b.bleu - a.bleu)[0]!;
  return [
    '',
    row(['model', 'parameters', 'tokens/s', 'loss', 'BLEU', 'chrF']),
    ...results.map(({ model, parameters, tokens, seconds, loss, bleu, chrf }) =>
      row([
        model,
        grouped(parameters),
        grouped(Math.round(tokens / seconds)),
        loss.toFixed(3),
        bleu.toFixed(1),
        chrf.toFixed(1),
      ]),
    ),
    ...[0, 1].filter(i => i < parts.test.length).flatMap(example),
    '',
    `Curves and more examples: ${report}`,
    `Try next: ${self.heddle} translate --model ${join(folder, best.model, 'model')} --text ${JSON.stringify(parts.test[0]!.source)}`,
    ...(task === 'translation' ? [] : [`  (translate writes a ${tasks[task].what} for each line here)`]),
  ];
}
