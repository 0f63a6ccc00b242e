/** `heddle translate`: one line out for each line in, in order. */

import { fail, type CommandCall, type Host } from '@heddle/core';
import { lastValueFrom, toArray } from 'rxjs';
import { openEngine } from '../engine.js';
import { exitCodes } from '../failure.js';
import { expectKind } from '../model.js';
import { loadModel } from '../model-folder.js';
import { isRouted, loadRouted } from '../multilingual/routed.js';
import { numberOption, textOption } from '../numbers.js';
import { isTyped, linesOf, typedLines } from '../standard-input.js';
import { openDirectionWriter } from '../multilingual/framing.js';
import { openWriter } from '../tasks/writer.js';

export async function runTranslate(call: CommandCall, host: Host): Promise<number> {
  const { options, signal } = call;
  const folder = textOption(options, 'model', 'the model/ of a run');
  const count = (name: string, otherwise: number): number =>
    numberOption(options, name, { least: 1, most: 4096, whole: true, default: otherwise });
  const [beams, batch] = [count('beams', 4), count('batch', 16)];
  const typed = isTyped(options);
  const lines = typed ? [] : await linesOf(options, 'to translate');
  const routed = await isRouted(folder);
  const language = (name: 'from' | 'to'): string | null => (typeof options[name] === 'string' ? options[name] : null);
  const source = language('from') ?? 'en';
  const target = language('to') ?? (source === 'en' ? null : 'en');
  if (routed && target === null)
    fail('E_OPTION', `to: expected the language to write, received none; ${folder} translates between English and several. Give --to LANGUAGE, or --from LANGUAGE for English.`, { folder }); // prettier-ignore
  if (!routed && (language('from') ?? language('to')) !== null)
    fail('E_OPTION', `${folder}: expected no --from and --to, for it writes one language only. Leave them out.`, {
      folder,
    });
  const { model, parameters, tokenizer, from } = routed
    ? await loadRouted(host, folder, source, target!)
    : await loadModel(host, folder);
  const engine = await openEngine(host, typeof options['backend'] === 'string' ? options['backend'] : 'auto');
  call.note(`${from} on ${engine.backend.name}`);
  const how = { parameters, tokenizer, backend: engine.backend, kernels: host.kernels, batch: typed ? 1 : Math.min(batch, lines.length) }; // prettier-ignore
  const { write, close } = routed ? directed() : plain();
  try {
    if (typed) {
      call.note('Type a line to translate it; an end of input (Ctrl-D) ends.');
      for await (const line of typedLines(`${routed ? source : ''}> `, signal))
        for (const { text } of await lastValueFrom(write([line]).pipe(toArray()))) tell(line, text);
      return 0;
    }
    const done = await lastValueFrom(write(lines).pipe(toArray()));
    if (signal.aborted) return exitCodes.interrupted;
    for (const { row, text } of done.toSorted((a, b) => a.row - b.row)) tell(lines[row]!, text);
  } finally {
    await close();
  }
  return 0;

  function tell(line: string, text: string): void {
    call.print(options['json'] === true ? JSON.stringify({ type: 'translation', source: line, text }) : text);
  }
  function directed() {
    const writer = openDirectionWriter({ ...how, model, beams: model.kind === 'decoder' ? 1 : beams });
    return {
      write: (of: readonly string[]) => writer.write(of, `${source}-${target}`, signal),
      close: () => writer.close(),
    };
  }
  function plain() {
    const writer = openWriter({ ...how, model: expectKind(model, 'encoder-decoder'), beams });
    return { write: (of: readonly string[]) => writer.write(of, signal), close: () => writer.close() };
  }
}
