/** `heddle translate`: one line out for each line in, in order. */

import { fail, type CommandCall, type Host } from '@heddle/core';
import { lastValueFrom, toArray } from 'rxjs';
import { openEngine } from '../engine.js';
import { exitCodes } from '../failure.js';
import { expectKind } from '../model.js';
import { loadModel } from '../model-folder.js';
import { numberOption, textOption } from '../numbers.js';
import { standardInput } from '../standard-input.js';
import { openWriter } from '../tasks/writer.js';

export async function runTranslate(call: CommandCall, host: Host): Promise<number> {
  const { options, signal } = call;
  const folder = textOption(options, 'model', 'the model/ of a run');
  const count = (name: string, otherwise: number): number =>
    numberOption(options, name, { least: 1, most: 4096, whole: true, default: otherwise });
  const [beams, batch] = [count('beams', 4), count('batch', 16)];
  const lines = await linesOf(options);
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

async function linesOf(options: CommandCall['options']): Promise<readonly string[]> {
  const given = (options['text'] ?? []) as readonly string[];
  if (given.length > 0) return withoutEmpty(given);
  if (process.stdin.isTTY)
    return fail('E_OPTION', 'text: expected what to translate, received none. Give --text "…", or pipe lines in.', {});
  return withoutEmpty((await standardInput()).split(/\r?\n/));
}

/** @throws E_OPTION: a model that is given nothing makes something up */
function withoutEmpty(lines: readonly string[]): readonly string[] {
  const empty = lines.findIndex(line => line.trim() === '');
  if (empty >= 0)
    fail(
      'E_OPTION',
      `text: expected a text in each line, received none in number ${empty + 1}. Leave empty lines out.`,
      {
        line: empty + 1,
      },
    );
  return lines;
}
