import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fail, type CommandCall, type Host } from '@heddle/core';
import type { TensorFile } from '@heddle/core/files';
import { atomicWriteFile, openTensors } from '@heddle/core/node';
import { jsonAt } from '../checkpoint/open.node.js';
import type { Recipe } from '../recipe/recipe.js';
import { heatMap } from '../report/heat-map.js';
import { statisticsOf, type TensorStatistics } from '../report/statistics.node.js';
import { planAdapters } from '../run/adapters.node.js';
import { prepare } from '../run/prepare.node.js';
import { figure, listOption, table } from './options.js';
import { methodsOf } from './methods-of.js';

export async function runExplain(call: CommandCall, host: Host): Promise<number> {
  const { options } = call;
  const path = resolve(call.args[0]!);
  const html = typeof options['html'] === 'string' ? options['html'] : null;
  if (html !== null && options['force'] !== true && (await stat(html).catch(() => null)) !== null)
    fail(
      'E_EXISTS',
      `${html}: expected a new file, received one that exists. Name another --html, or replace it with --force.`,
      { html },
    );
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() === true;
  const record = isFolder
    ? ((await jsonAt(join(path, 'merge.json'))) as { readonly recipe: Recipe; readonly from?: string } | null)
    : null;
  if (isFolder && record === null)
    fail(
      'E_FILE',
      `${path}: expected a folder with a merge.json, which 'heddle merge run' writes, received none. Name the folder of a result.`,
      { path },
    );
  const prepared = await prepare(record === null ? path : record.recipe, {
    ...(record?.from === undefined ? {} : { from: record.from }),
    models: listOption(options, 'models'),
    methods: methodsOf(host),
  });
  let result: TensorFile | null = null;
  try {
    const step = prepared.steps.at(-1)!;
    const plan = step.plan ?? planAdapters(step, prepared.checkpoints, prepared.methods);
    result = record !== null && step.kind === 'model' ? await openTensors(path) : null;
    const rows: TensorStatistics[] = [];
    for (const row of statisticsOf(plan, result)) {
      if (call.signal.aborted) return 130;
      rows.push(row);
      if (options['json'] === true) call.print(JSON.stringify({ type: 'tensor', ...row }));
      await new Promise(done => setImmediate(done));
    }
    if (html !== null) await atomicWriteFile(html, heatMap(`${plan.method}: ${plan.sources.join(', ')}`, rows));
    if (options['json'] === true) return 0;
    const mean = (all: readonly number[]): number | null =>
      all.length === 0 ? null : all.reduce((sum, x) => sum + x / all.length, 0);
    const cells = rows.map(row => [
      row.name,
      figure(row.norm),
      figure(row.change),
      figure(mean(row.taskNorms.map(({ norm }) => norm))),
      figure(mean(row.cosines.map(({ cosine }) => cosine))),
      row.conflicts === null ? '-' : `${(100 * row.conflicts).toFixed(1)} %`,
      row.retained === null ? '-' : `${(100 * row.retained).toFixed(1)} %`,
    ]);
    for (const line of table([
      ['tensor', 'norm', 'change', 'task vectors', 'cosine', 'conflicts', 'retained'],
      ...cells,
    ]))
      call.print(line);
    const bad = rows.filter(({ notFinite }) => notFinite > 0);
    for (const { name, notFinite } of bad) call.print(`${name}: ${notFinite} numbers of the inputs are not finite`);
    if (html !== null) call.print(`Heat map: ${html}`);
    return 0;
  } finally {
    await result?.close();
    await prepared.close();
  }
}
