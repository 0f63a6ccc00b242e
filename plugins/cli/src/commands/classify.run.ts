/** `heddle classify`: models on splits of subjects, each found again when it was done before. */

import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { inProcess, printPlan, type CommandCall, type Host, type Job } from '@heddle/core';
import { sha256 } from '@heddle/core/files';
import { atomicWriteFile, openFolderStore } from '@heddle/core/node';
import { generateSubjects, readSubjects, type Subject } from '@heddle/connectome';
import { readRun, reportPage, type ReportTable, type RunRecord } from '@heddle/tracker-report';
import { askedStage, whileParentLives } from '../apart.js';
import { classifyFlow, stageName, type SplitResult } from '../classify/flow.js';
import { forReference, readClassifySettings, type ClassifySettings } from '../classify/settings.js';
import { exitCodes } from '../failure.js';
import { logOf, openRun, runFlow } from '../run-flow.js';
import { exists } from '../run-folder.js';
import { trackersOf } from '../trackers.js';
import { grouped, timeTaken } from '../words.js';

export async function runClassify(call: CommandCall, host: Host): Promise<number> {
  const { options } = call;
  const only = askedStage();
  const signal = only === null ? call.signal : whileParentLives(call.signal);
  const asked = readClassifySettings(call); // before anything is touched
  const trackers = only === null ? trackersOf(host, call, ['console']) : [];
  const json = options['json'] === true;
  const { folder, say, backend, isReference } = await openRun(call, host, 'classify', only === null ? {} : { isChild: true, threads: 1 }); // prettier-ignore
  const settings = isReference ? forReference(asked, call) : asked;
  const subjects = await subjectsOf(settings, say);
  const data = sha256(new TextEncoder().encode(JSON.stringify(subjects.map(({ id, label, site, matrix }) => [id, label, site, matrix.reduce((sum, x, i) => sum + x * (i + 1), 0)])))); // prettier-ignore
  const store = await openFolderStore(join(folder, 'store'));
  const flow = classifyFlow(host, backend, settings, subjects, { data, folder });
  const job: Job = { flow, input: null, host, fresh: false, store, signal };
  if (options['plan'] === true) {
    const plan = await inProcess.plan(job);
    call.print(json ? JSON.stringify({ type: 'plan', ...plan }) : printPlan(plan));
    return 0;
  }
  const began = performance.now();
  const processes = backend.name === 'onnx:cpu' ? (settings.processes ?? Math.min(4, availableParallelism())) : 1;
  const end = await runFlow({
    call,
    host,
    job,
    folder,
    trackers,
    say,
    processes,
    only,
    done: ({ name, key, seconds }) => ({
      lines: [`  ${timeTaken(seconds)}`],
      json: { stage: name },
      work: rm(join(folder, 'unfinished', key.slice(0, 16)), { recursive: true, force: true }),
    }),
  });
  if (end === null) return exitCodes.interrupted;
  if (only !== null) return 0;
  const results = end.output as readonly SplitResult[];
  const table = tableOf(settings, results);
  const report = join(folder, 'report.html');
  await atomicWriteFile(report, reportPage(await runsOf(settings, folder), { title: 'classification of brain networks', tables: [table, splitTable(results)] })); // prettier-ignore
  if (json) call.print(JSON.stringify({ type: 'report', file: report, results }));
  else {
    say(`\n${table.title} (${timeTaken((performance.now() - began) / 1000)})`);
    for (const row of [table.head, ...table.rows]) say(row.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(16))).join('')); // prettier-ignore
    say(`\nCurves, and each split: ${report}`);
  }
  return 0;
}

async function subjectsOf(
  { files, subjects, regions, effect, seed }: ClassifySettings,
  say: (text: string) => void,
): Promise<readonly Subject[]> {
  // prettier-ignore
  if (files === null) {
    say(`Subjects: ${grouped(subjects)}, generated, of ${regions} regions; the groups differ by an effect of ${effect}`);
    return generateSubjects({ subjects, regions, effect, seed });
  }
  const { subjects: read, dropped, constant } = await readSubjects(files);
  say(`Subjects: ${grouped(read.length)} of ${files.matrices}, ${Math.round(Math.sqrt(read[0]!.matrix.length))} regions each`); // prettier-ignore
  for (const { reason, count } of dropped) say(`  left out, ${reason}: ${grouped(count)}`);
  if (constant > 0) say(`  regions that never change, taken as going with nothing: ${grouped(constant)}`);
  return read;
}

async function runsOf({ models, splits }: ClassifySettings, folder: string): Promise<readonly RunRecord[]> {
  const runs: RunRecord[] = [];
  for (const name of models)
    for (let split = 0; split < splits; split++) {
      const path = logOf(folder, stageName(name, split));
      if (await exists(path)) runs.push(await readRun(path, stageName(name, split)));
    }
  return runs;
}

const measures = [['AUROC', 'auroc'], ['accuracy', 'accuracy'], ['macro F1', 'macroF1'], ['MCC', 'mcc']] as const; // prettier-ignore

/** Means over splits, with their standard deviation. */
function tableOf({ models, splits }: ClassifySettings, results: readonly SplitResult[]): ReportTable {
  const cell = (all: readonly number[]): string => {
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    const deviation = Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, all.length - 1));
    return `${mean.toFixed(3)}${all.length > 1 ? ` ± ${deviation.toFixed(3)}` : ''}`;
  };
  return {
    title: `Subjects that nobody learnt from: means over ${splits} splits, ± standard deviation`,
    head: ['model', 'parameters', ...measures.map(([title]) => title)],
    rows: models.map(name => {
      const own = results.filter(({ model }) => model === name);
      return [name, grouped(own[0]!.parameters), ...measures.map(([, key]) => cell(own.map(one => one[key])))];
    }),
  };
}

const splitTable = (results: readonly SplitResult[]): ReportTable => ({
  title: 'Split by split',
  head: ['model', 'split', 'subjects', ...measures.map(([title]) => title)],
  rows: results.map(one => [one.model, String(one.split), grouped(one.subjects), ...measures.map(([, key]) => one[key].toFixed(3))]), // prettier-ignore
});
