/** `heddle multilingual`: a base, adapters, merges and their scores, each found again when it was done before. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { countParameters, parameterTypes, type Artifacts, type CommandCall, type Host } from '@heddle/core';
import { readParameters, writeParameters } from '@heddle/core/files';
import { atomicWriteFile, fileSink } from '@heddle/core/node';
import { loraTypes, translationChain, type ChainResult } from '@heddle/mmt-merge';
import { saveLora } from '@heddle/mmt-merge/node';
import { readTokenizer, saveTokenizer } from '@heddle/text';
import { reportPage } from '@heddle/tracker-report';
import { writeJson } from '../json-file.js';
import { saveModel } from '../model-folder.js';
import { openMultilingualBench, type MultilingualBench } from '../multilingual/bench.js';
import {
  forReference,
  knownMerges,
  readMultilingualSettings,
  searchedMerge,
  type MultilingualSettings,
} from '../multilingual/settings.js';
import { multilingualContents } from '../multilingual/page.js';
import { rowNames, strategyTable } from '../multilingual/table.js';
import { gatherTexts, tokenizerOf, type MultilingualTexts } from '../multilingual/texts.js';
import { openStaged, runsOf, runStaged } from '../run-flow.js';
import { exists, places } from '../run-folder.js';
import { grouped, percent, selfName, timeTaken } from '../words.js';

export async function runMultilingual(call: CommandCall, host: Host): Promise<number> {
  const { options } = call;
  const asked = readMultilingualSettings(call); // before anything is touched
  const json = options['json'] === true;
  const run = await openStaged(call, host, 'multilingual');
  const { folder, say, backend, isReference, store } = run;
  say('Texts:');
  const settings = isReference ? forReference(asked, call) : asked;
  const texts = await gatherTexts(settings, say);
  say(`  ${percent(texts.repeated)} of pairs into English have a target that stands in another language too`);
  const words = join(folder, `tokenizer-${texts.id.slice(0, 8)}-${settings.architecture}-${settings.vocabulary}.json`);
  if (!(await exists(words))) await saveTokenizer(words, tokenizerOf(texts, settings));
  const tokenizer = await readTokenizer(words);
  const bench = openMultilingualBench(host, backend, settings, texts, tokenizer, folder);
  await host.open(() => bench);
  say(
    `Model: ${grouped(countParameters(bench.model))} parameters, ${grouped(tokenizer.vocabularySize)} kinds of token`,
  );
  const { groups, counts, seed, merges, search, tuning, rank, steps, rate, baseSteps, baseRate } = settings;
  const flow = translationChain(
    {
      name: 'multilingual',
      seed,
      groups,
      counts,
      lora: tuning === 'lora' ? { rank } : null,
      base: { steps: baseSteps, rate: baseRate },
      adapters: { steps, rate },
      merges: {
        ...Object.fromEntries(merges.map(name => [name, knownMerges[name]])),
        ...(search > 0 ? { 'ties-searched': searchedMerge(search) } : {}),
      },
    },
    bench,
  );
  const began = performance.now();
  const end = await runStaged(call, host, run, flow, settings.processes);
  if ('code' in end) return end.code;
  const result = end.output;
  const report = join(folder, 'report.html');
  await atomicWriteFile(report, await pageOf(result, texts, bench, folder));
  await keep(result, settings, bench, tokenizer, store.artifacts, folder);
  const table = strategyTable(result);
  if (json) call.print(JSON.stringify({ type: 'report', file: report, model: folder, rows: result.rows }));
  else {
    say(`\n${table.title} (${timeTaken((performance.now() - began) / 1000)})`);
    for (const line of lined([table.head, ...table.rows])) say(line);
    say(`\nDirection by direction, and how adapters lie to each other: ${report}`);
    const [language] = Object.values(groups).flat();
    say(
      `Try next: ${selfName(process.env).heddle} translate --model ${folder} --to ${language}, and type, such as: ${texts.test[language!]![0]!.source}`,
    );
  }
  return 0;
}

/** Columns side by side. */
function lined(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  return rows.map(row => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!))).join('  ')); // prettier-ignore
}

async function pageOf(
  result: ChainResult,
  texts: MultilingualTexts,
  bench: MultilingualBench,
  folder: string,
): Promise<string> {
  const modules = [...new Set(Object.values(result.rows).flatMap(({ adapters }) => Object.keys(adapters)))];
  const runs = await runsOf(folder, ['base', ...modules.map(name => `adapter ${name}`)]);
  return reportPage(runs, multilingualContents(result, texts, bench));
}

/** The strategy that `heddle translate` follows. */
const followed = 'direction-aware';

/** The base as `model/`, adapters as PEFT has them or models as safetensors, and which one translates what. */
async function keep(
  result: ChainResult,
  settings: MultilingualSettings,
  bench: MultilingualBench,
  tokenizer: Awaited<ReturnType<typeof readTokenizer>>,
  artifacts: Artifacts,
  folder: string,
): Promise<void> {
  const row = result.rows[followed]!;
  const parameters = await readParameters(await artifacts.open(row.base), parameterTypes(bench.model));
  await saveModel(places(folder).model, { model: bench.model, parameters, tokenizer }, { strategy: followed, rows: rowNames(result) }); // prettier-ignore
  const place = join(folder, 'adapters');
  await rm(place, { recursive: true, force: true });
  await mkdir(place, { recursive: true });
  for (const [name, { weights, lora }] of Object.entries(row.adapters)) {
    const types = lora ? loraTypes(bench.model, lora) : parameterTypes(bench.model);
    const module = await readParameters(await artifacts.open(weights), types);
    if (lora) await saveLora(join(place, name), module, lora, row.base);
    else await writeParameters(await fileSink(join(place, `${name}.safetensors`)), module);
  }
  await writeJson(join(folder, 'routing.json'), { format: 'heddle-routing-1', tuning: settings.tuning, groups: settings.groups, base: row.base, routing: row.routing }); // prettier-ignore
}
