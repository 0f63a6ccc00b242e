/** `heddle classify`: models on splits of subjects, each found again when it was done before. */

import { join } from 'node:path';
import type { CommandCall, Host } from '@heddle/core';
import { sha256 } from '@heddle/core/files';
import { atomicWriteFile } from '@heddle/core/node';
import { generateSubjects, readSubjects, type Subject } from '@heddle/connectome';
import { reportPage, type ReportTable } from '@heddle/tracker-report';
import { classifyFlow, stageName, type SplitResult } from '../classify/flow.js';
import { forReference, readClassifySettings, type ClassifySettings } from '../classify/settings.js';
import { openStaged, runsOf, runStaged } from '../run-flow.js';
import { grouped, timeTaken } from '../words.js';

export async function runClassify(call: CommandCall, host: Host): Promise<number> {
  const { options } = call;
  const asked = readClassifySettings(call); // before anything is touched
  const json = options['json'] === true;
  const run = await openStaged(call, host, 'classify');
  const { folder, say, backend, isReference } = run;
  const settings = isReference ? forReference(asked, call) : asked;
  const subjects = await subjectsOf(settings, say);
  const data = sha256(new TextEncoder().encode(JSON.stringify(subjects.map(({ id, label, site, matrix }) => [id, label, site, matrix.reduce((sum, x, i) => sum + x * (i + 1), 0)])))); // prettier-ignore
  const began = performance.now();
  const end = await runStaged(call, host, run, classifyFlow(host, backend, settings, subjects, { data, folder }), settings.processes); // prettier-ignore
  if ('code' in end) return end.code;
  const results = end.output;
  const table = tableOf(settings, results);
  const report = join(folder, 'report.html');
  await atomicWriteFile(report, reportPage(await runsOf(folder, stagesOf(settings)), { title: 'classification of brain networks', tables: [table, splitTable(results)] })); // prettier-ignore
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
  if (files === null) {
    say(
      `Subjects: ${grouped(subjects)}, generated, of ${regions} regions; the groups differ by an effect of ${effect}`,
    );
    return generateSubjects({ subjects, regions, effect, seed });
  }
  const { subjects: read, dropped, constant } = await readSubjects(files);
  say(`Subjects: ${grouped(read.length)} of ${files.matrices}, ${Math.round(Math.sqrt(read[0]!.matrix.length))} regions each`); // prettier-ignore
  for (const { reason, count } of dropped) say(`  left out, ${reason}: ${grouped(count)}`);
  if (constant > 0) say(`  regions that never change, taken as going with nothing: ${grouped(constant)}`);
  return read;
}

const stagesOf = ({ models, splits }: ClassifySettings): readonly string[] =>
  models.flatMap(name => Array.from({ length: splits }, (_, split) => stageName(name, split)));

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
