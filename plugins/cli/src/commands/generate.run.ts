/** `heddle generate`: text to standard output, as it is made. */

import { fail, type CommandCall, type Host } from '@heddle/core';
import { lastValueFrom, tap, type Observable } from 'rxjs';
import { openEngine } from '../engine.js';
import { exitCodes } from '../failure.js';
import { expectKind } from '../model.js';
import { loadModel } from '../model-folder.js';
import { numberOption, textOption } from '../numbers.js';
import { standardInput } from '../standard-input.js';
import { openSampler, type Sampling } from '../sampler.js';

export async function runGenerate(call: CommandCall, host: Host): Promise<number> {
  const { options, signal } = call;
  const folder = textOption(options, 'model', 'the folder of a model or a run');
  const json = options['json'] === true;
  const seed = numberOption(options, 'seed', { least: 0, most: 2 ** 31 - 1, whole: true, default: 0 });
  const samples = numberOption(options, 'samples', { least: 1, most: 10_000, whole: true, default: 1 });
  const sampling = {
    maxTokens: numberOption(options, 'maxTokens', { least: 1, whole: true, default: 200 }),
    temperature: numberOption(options, 'temperature', { least: 0, default: 0.8 }),
    topK: numberOption(options, 'topK', { least: 0, whole: true, default: 0 }),
    topP: numberOption(options, 'topP', { least: 0, most: 1, default: 1 }),
  };
  const prompt = await promptOf(options);

  const trained = await loadModel(host, folder);
  const engine = await openEngine(host, typeof options['backend'] === 'string' ? options['backend'] : 'auto');
  call.note(`${trained.from} on ${engine.backend.name}`);
  const sampler = openSampler({
    host,
    backend: engine.backend,
    model: expectKind(trained.model, 'decoder'),
    tokenizer: trained.tokenizer,
    parameters: trained.parameters,
  });
  try {
    for (let at = 0; at < samples && !signal.aborted; at++) {
      const one: Sampling = { ...sampling, seed: seed + at, signal };
      if (json) {
        const text = await sampler.sample(prompt, one);
        call.print(JSON.stringify({ type: 'sample', prompt, text, seed: one.seed, stopped: signal.aborted }));
      } else await stream(call, samples > 1 ? `── ${at + 1} ──\n` : '', prompt, sampler.pieces(prompt, one));
    }
  } finally {
    await sampler.close();
  }
  return signal.aborted ? exitCodes.interrupted : 0;
}

async function stream(call: CommandCall, head: string, prompt: string, pieces: Observable<string>): Promise<void> {
  let line = ''; // where there is no writing of parts, lines are printed whole
  const write = call.write ?? ((text: string): void => void (line += text));
  write(`${head}${prompt}`);
  await lastValueFrom(pieces.pipe(tap(write)), { defaultValue: '' });
  if (call.write === undefined) call.print(line);
  else call.write('\n');
}

/** `--prompt`, or everything on standard input. */
async function promptOf(options: CommandCall['options']): Promise<string> {
  if (typeof options['prompt'] === 'string') return options['prompt'];
  if (process.stdin.isTTY)
    return fail(
      'E_OPTION',
      'prompt: expected a text to begin with, received none. Give --prompt "The ", or pipe a text in.',
    );
  return standardInput();
}
