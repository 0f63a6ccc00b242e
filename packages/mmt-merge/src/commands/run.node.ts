import { resolve } from 'node:path';
import type { CommandCall, Host } from '@heddle/core';
import type { MergeEngine } from '../run/engine.node.js';
import { mergeModels, type MergeProgress } from '../run/merge.node.js';
import { bytesText, listOption, sizeOption, textOption } from './options.js';
import { methodsOf } from './methods-of.js';
import { noticeLines, threadsOf } from './plan.node.js';

export async function runMerge(call: CommandCall, host: Host): Promise<number> {
  const { options } = call;
  const out = resolve(textOption(options, 'out', 'a folder to write'));
  const [memory, shardBytes] = [sizeOption(options, 'memory'), sizeOption(options, 'shardSize')];
  const reports = await mergeModels(call.args[0]!, {
    out,
    models: listOption(options, 'models'),
    methods: methodsOf(host),
    threads: threadsOf(options),
    engine: await engineOf(host, options['backend']),
    ...(memory === undefined ? {} : { memory }),
    ...(shardBytes === undefined ? {} : { shardBytes }),
    replace: options['force'] === true,
    restart: options['restart'] === true,
    allowNotFinite: options['allowNan'] === true,
    verify: options['verify'] !== false,
    signal: call.signal,
    onProgress: progressNotes(call),
  });
  for (const report of reports) {
    if (options['json'] === true) {
      call.print(JSON.stringify({ type: 'merged', ...report }));
      continue;
    }
    const { bytes, seconds } = report;
    call.print(
      `${report.out}: ${report.method}, ${report.tensors} tensors, ${bytesText(bytes.written + bytes.resumed)} in ${seconds.toFixed(1)} s${bytes.resumed > 0 ? ` (${bytesText(bytes.resumed)} were there before)` : ''}${report.verified ? ', verified' : ''}`,
    );
    for (const line of noticeLines(report.notices)) call.print(line);
  }
  return 0;
}

/** The engine of that name, with this package's kernels where it takes them. */
async function engineOf(host: Host, name: unknown): Promise<MergeEngine | undefined> {
  if (typeof name !== 'string') return undefined;
  const { backend } = await host.openBackend(name);
  if (backend.format !== 'gpujs@1') return { backend };
  const kernels = (await import('../gpujs.js')).default;
  return { backend, kernels: host.fork({ plugins: [kernels] }).kernels };
}

/** A line at each tenth, but not two within a second, and one at least each half minute. */
export function progressNotes(call: CommandCall): (progress: MergeProgress) => void {
  let [last, tenth, began, key] = [0, -1, 0, ''];
  return ({ stage, name, done, total, resumed }) => {
    const now = performance.now();
    if (key !== `${stage} ${name}`) [last, tenth, began, key] = [0, -1, now, `${stage} ${name}`];
    const share = total === 0 ? 1 : done / total;
    const due = (Math.floor(share * 10) > tenth && now - last > 1000) || now - last > 30_000;
    if (stage === 'finished' || !due) return;
    [last, tenth] = [now, Math.floor(share * 10)];
    const pace = (done - resumed) / ((now - began) / 1000 || 1);
    const left = pace > 0 ? (total - done) / pace : NaN;
    call.note(
      `${name}  ${stage}  ${Math.floor(share * 100)}%  ${bytesText(done)} of ${bytesText(total)}${share > 0.02 && pace > 0 ? `  ${bytesText(pace)}/s  ${Math.ceil(left)} s left` : ''}`,
    );
  };
}
