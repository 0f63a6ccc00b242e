/** `heddle text prepare`. */

import { fail, type CommandCall } from '@heddle/core';
import { files } from '../corpus.node.js';
import { corpusFrom, readCorpus } from '../parallel/corpora.node.js';
import { filterPairs } from '../parallel/filter.js';
import { holdOut } from '../parallel/hold-out.js';
import { describeDropped, type Pair } from '../parallel/pair.js';
import { filterOptions, numberOption } from './options.js';

export async function runPrepare(call: CommandCall): Promise<number> {
  const { options } = call;
  const { out } = options;
  if (typeof out !== 'string' || out === '')
    return fail('E_OPTION', '--out: expected a folder, received nothing. Name one.', { option: 'out' });
  const shares = {
    validation: numberOption(options, 'validation', 0, false) ?? 0.02,
    test: numberOption(options, 'test', 0, false) ?? 0.02,
    seed: numberOption(options, 'seed', 0, true) ?? 0,
  };
  const fs = files();
  await fs.mkdir(out, { recursive: true });
  const paths = new Map((['train', 'validation', 'test'] as const).map(part => [part, `${out}/${part}.jsonl`]));
  const present = await fs.readdir(out);
  if (options['force'] !== true && [...paths.keys()].some(part => present.includes(`${part}.jsonl`)))
    fail('E_EXISTS', `${out}: expected a folder without ${[...paths.keys()].join(', ')}, received some of them. Name another with --out, or replace them with --force.`, { path: out }); // prettier-ignore

  const pairs: Pair[] = [];
  for (const name of call.args) {
    if (call.signal.aborted) return 130;
    const reading = filterPairs(await readCorpus(corpusFrom(name)), filterOptions(options));
    for (const pair of reading.pairs) pairs.push(pair);
    call.note(`${name}: ${reading.pairs.length} pairs, ${describeDropped(reading)}`);
  }
  const parts = holdOut(pairs, shares);
  for (const [part, path] of paths) {
    const lines = parts[part].map(({ source, target }) => `${JSON.stringify({ source, target })}\n`);
    if (lines.length > 0) await fs.writeFile(path, lines.join(''));
    if (options['json'] === true) call.print(JSON.stringify({ type: 'part', part, path, pairs: lines.length }));
    else if (lines.length > 0) call.print(`${path}: ${lines.length} pairs`);
  }
  return 0;
}
