/** `heddle score` on a file of any length: how much memory it takes. Runs once: the peak is the process's. */

import { mkdtempSync, rmSync, createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commands } from '@heddle/eval-text/commands';
import { serve } from '../serve.mjs';
import { readSystems } from '../systems.mjs';

await serve(async ({ path, segments, metric }) => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-score-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { references, systems } = readSystems(path);
  const write = async (name, lines) => {
    const out = createWriteStream(join(folder, name));
    for (let i = 0; i < segments; i += 1000)
      if (!out.write(`${lines.slice(0, segments - i).join('\n')}\n`))
        await new Promise(next => out.once('drain', next));
    out.end();
    await finished(out);
  };
  await write('ref.txt', references);
  await write('hyp.txt', Object.values(systems)[0]);
  return {
    step: async () => {
      const lines = [];
      const call = { args: [], signal: new AbortController().signal, print: text => lines.push(text), note: () => {} };
      const options = {
        ref: [join(folder, 'ref.txt')],
        hyp: [join(folder, 'hyp.txt')],
        metric,
        targetLanguage: 'de',
        json: true,
      };
      await commands[0].run({ ...call, options }, { all: () => [] });
      return JSON.parse(lines[0]).score;
    },
  };
});
