import { resolve } from 'node:path';
import type { CommandCall } from '@heddle/core';
import { extractAdapter } from '../run/extract.node.js';
import { listOption, numberOption, textOption } from './options.js';

export async function runExtract(call: CommandCall): Promise<number> {
  const { options } = call;
  const [base, model] = call.args as [string, string];
  let last = 0;
  const report = await extractAdapter({
    base,
    model,
    out: resolve(textOption(options, 'out', 'a folder to write')),
    from: process.cwd(),
    models: listOption(options, 'models'),
    rank: numberOption(options, 'rank', 1, 32),
    least: numberOption(options, 'least', 0, 0, false),
    include: listOption(options, 'include'),
    exclude: listOption(options, 'exclude'),
    replace: options['force'] === true,
    signal: call.signal,
    onProgress: ({ name, done, total }) => {
      if (performance.now() - last < 2000) return;
      last = performance.now();
      call.note(`${done} of ${total}  ${name}`);
    },
  });
  if (options['json'] === true) call.print(JSON.stringify({ type: 'extracted', ...report }));
  else {
    const { modules, saved, unchanged } = report;
    const worst = [...modules].sort((a, b) => b.lost - a.lost)[0];
    call.print(
      `${report.out}: ${modules.length} modules of rank ${Math.max(0, ...modules.map(({ rank }) => rank))} at most, ${saved.length} tensors saved whole, ${unchanged} unchanged`,
    );
    if (worst) call.print(`  left out at most ${(100 * worst.lost).toFixed(2)} % of a difference, in ${worst.path}`);
  }
  return 0;
}
