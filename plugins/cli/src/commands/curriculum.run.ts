/** `heddle curriculum`: stages from weights to weights, each found again when it was done before. */

import { join } from 'node:path';
import { countParameters, inProcess, printPlan, type CommandCall, type Host, type Job } from '@heddle/core';
import { atomicWriteFile, openFolderStore } from '@heddle/core/node';
import { curriculumFlow, curriculumStart, readWeights, type Curriculum, type CurriculumState } from '@heddle/rl-grpo';
import { openBench } from '../curriculum/bench.js';
import { curriculumPage } from '../curriculum/page.js';
import { forReference, readCurriculumSettings } from '../curriculum/settings.js';
import { accuracyOf, closing, type Finished } from '../curriculum/table.js';
import { exitCodes } from '../failure.js';
import { saveModel } from '../model-folder.js';
import { logOf, openRun, runFlow } from '../run-flow.js';
import { places } from '../run-folder.js';
import { trackersOf } from '../trackers.js';
import { grouped, percent, selfName, timeTaken } from '../words.js';

export async function runCurriculum(call: CommandCall, host: Host): Promise<number> {
  const { options, signal } = call;
  const asked = await readCurriculumSettings(call); // before anything is touched
  const trackers = trackersOf(host, call, ['console']);
  const json = options['json'] === true;
  const { folder, say, backend, isReference } = await openRun(call, host, 'curriculum');
  const settings = isReference ? forReference(asked, call) : asked;
  const bench = await openBench(host, backend, settings, folder);
  say(`Model: ${grouped(countParameters(bench.model))} parameters, ${grouped(bench.tokenizer.vocabularySize)} kinds of token`); // prettier-ignore
  const store = await openFolderStore(join(folder, 'store'));
  const jobOf = (curriculum: Curriculum): Job => ({
    flow: curriculumFlow(curriculum, bench.workbench, bench.from),
    input: curriculumStart,
    host,
    fresh: false,
    store,
    signal,
  });
  if (options['plan'] === true) {
    for (const curriculum of settings.curricula) {
      const plan = await inProcess.plan(jobOf(curriculum));
      call.print(json ? JSON.stringify({ type: 'plan', ...plan }) : printPlan(plan));
    }
    return 0;
  }
  const finished: Finished[] = [];
  for (const curriculum of settings.curricula) {
    const began = performance.now();
    const job = jobOf(curriculum);
    const end = await runFlow({
      call,
      host,
      job,
      folder,
      trackers,
      say,
      done({ key, output, seconds }) {
        const record = (output as CurriculumState).done.at(-1);
        return { lines: stageLines(record, seconds), json: record ? { curriculum: job.flow.name, ...record } : null, work: bench.forget(key) }; // prettier-ignore
      },
    });
    if (end === null) return exitCodes.interrupted;
    finished.push({ curriculum, state: end.output as CurriculumState, seconds: (performance.now() - began) / 1000 });
  }
  const report = join(folder, 'report.html');
  await atomicWriteFile(report, await curriculumPage(finished, name => logOf(folder, name)));
  const [first] = finished;
  const parameters = await readWeights(store.artifacts, first!.state.weights, bench.model);
  const training = { curriculum: first!.curriculum.name, stages: first!.state.done.map(({ name }) => name) };
  await saveModel(places(folder).model, { model: bench.model, parameters, tokenizer: bench.tokenizer }, training);
  if (json) call.print(JSON.stringify({ type: 'report', file: report, model: places(folder).model }));
  else for (const line of closing(finished, folder, report, selfName(process.env).heddle)) say(line);
  return 0;
}

function stageLines(record: CurriculumState['done'][number] | undefined, seconds: number): readonly string[] {
  if (!record) return [];
  if (record.became) {
    const { asked, kept, ...rest } = record.became;
    const left = Object.entries(rest).filter(([, n]) => n > 0).map(([why, n]) => `${grouped(n)} ${words[why] ?? why}`); // prettier-ignore
    return [`  ${grouped(kept)} of ${grouped(asked)} traces kept${left.length > 0 ? `; ${left.join(', ')}` : ''}`];
  }
  return record.measured.map(
    one =>
      `  ${one.problems}: ${accuracyOf(one)} right, ${percent(one.parallelRatio)} with paths; ${timeTaken(seconds)}`,
  );
}
const words: Readonly<Record<string, string>> = { withoutBlock: 'without a block', tooLong: 'too long', failed: 'not answered' }; // prettier-ignore
