import type { CommandCall } from '@heddle/core';
import { diffModels, type TensorDifference } from '../report/diff.node.js';
import { figure, listOption, table } from './options.js';

export async function runDiff(call: CommandCall): Promise<number> {
  const [first, second] = call.args as [string, string];
  const json = call.options['json'] === true;
  const all: TensorDifference[] = [];
  for await (const row of diffModels(first, second, {
    from: process.cwd(),
    models: listOption(call.options, 'models'),
  })) {
    if (call.signal.aborted) return 130;
    if (json) call.print(JSON.stringify({ type: 'tensor', ...row }));
    else all.push(row);
  }
  if (json) return 0;
  const different = all
    .filter(({ kind }) => kind === 'different')
    .sort((a, b) => (b.distance ?? 0) - (a.distance ?? 0));
  const rest = all.filter(({ kind }) => kind !== 'different' && kind !== 'equal');
  const rows = different.map(({ name, distance, largest, cosine, detail }) => [
    name,
    figure(distance),
    figure(largest),
    figure(cosine),
    detail,
  ]);
  if (rows.length > 0)
    for (const line of table([['tensor', '|a-b|/|a|', 'largest', 'cosine', 'stored'], ...rows])) call.print(line);
  for (const { name, kind, detail } of rest) call.print(`${name}: ${{ shape: 'other shapes', 'only-first': `only in ${first}`, 'only-second': `only in ${second}`, integers: 'no weights', equal: '', different: '' }[kind]}, ${detail}`); // prettier-ignore
  call.print(`${all.filter(({ kind }) => kind === 'equal').length} of ${all.length} tensors are equal`);
  return 0;
}
