/** `heddle translate`: one line out for each line in, in order. */

import type { CommandCall, Host } from '@heddle/core';
import { lastValueFrom, toArray } from 'rxjs';
import { openEngine } from '../engine.js';
import { exitCodes } from '../failure.js';
import { expectKind } from '../model.js';
import { loadModel } from '../model-folder.js';
import { numberOption, textOption } from '../numbers.js';
import { linesOf } from '../standard-input.js';
import { openWriter } from '../tasks/writer.js';

export async function runTranslate(call: CommandCall, host: Host): Promise<number> {
  const { options, signal } = call;
  const folder = textOption(options, 'model', 'the model/ of a run');
  const count = (name: string, otherwise: number): number =>
    numberOption(options, name, { least: 1, most: 4096, whole: true, default: otherwise });
  const [beams, batch] = [count('beams', 4), count('batch', 16)];
  const lines = await linesOf(options, 'to translate');
  const { model, parameters, tokenizer, from } = await loadModel(host, folder);
  const engine = await openEngine(host, typeof options['backend'] === 'string' ? options['backend'] : 'auto');
  call.note(`${from} on ${engine.backend.name}`);
  const writer = openWriter({
    model: expectKind(model, 'encoder-decoder'),
    parameters,
    tokenizer,
    backend: engine.backend,
    kernels: host.kernels,
    batch: Math.min(batch, lines.length),
    beams,
  });
  try {
    const done = await lastValueFrom(writer.write(lines, signal).pipe(toArray()));
    if (signal.aborted) return exitCodes.interrupted;
    for (const { row, text } of done.toSorted((a, b) => a.row - b.row))
      call.print(options['json'] === true ? JSON.stringify({ type: 'translation', source: lines[row], text }) : text);
  } finally {
    await writer.close();
  }
  return 0;
}
