/** `heddle train`: settings and folder first, then text, then the engine. */

import { extname } from 'node:path';
import { fail, type CommandCall, type Host, type Json } from '@heddle/core';
import { checkpointFolder } from '@heddle/core/node';
import { readDocuments, readTokenizer, saveTokenizer } from '@heddle/text';
import { engineLines, openEngine } from '../engine.js';
import { eventJson } from '../event-log.js';
import { exitCodes } from '../failure.js';
import { readJsonObject } from '../json-file.js';
import { prepare } from '../prepare.js';
import { ownValues, readSettings, resumeSettings, type Raw, type RawSettings } from '../read-settings.js';
import { describeRun, holdRun, lookAtRun, places, refuseUsed, type RunState } from '../run-folder.js';
import { openSampler } from '../sampler.js';
import type { TrainSettings } from '../settings.js';
import { runTraining } from '../training.js';
import { counted, grouped, mebi } from '../words.js';
import { trackersOf } from '../trackers.js';

export async function runTrain(call: CommandCall, host: Host): Promise<number> {
  const trackers = trackersOf(host, call, ['console', 'report']); // before anything is touched
  const { options } = call;
  const folder = options['out'];
  if (typeof folder !== 'string' || folder === '')
    return fail('E_OPTION', 'out: expected a folder for the run, received none. Give --out runs/NAME.');
  const json = options['json'] === true;
  const raw = await rawSettings(options);
  const asked = readSettings(raw); // before anything is touched
  const state = await lookAtRun(folder);
  const goesOn = wantsResume(options['resume'], state, folder);
  const settings = goesOn ? resumeSettings(state.settings, asked, namesIn(raw), folder) : asked;
  if (!goesOn) {
    refuseUsed(folder, state);
    if (settings.text.length === 0)
      fail('E_OPTION', 'text: expected files or folders to learn from, received none. Give --text FILE.');
  }
  if (goesOn && state.step !== null && settings.steps <= state.step) {
    call.note(
      `${folder} has reached step ${state.step} of ${settings.steps}: nothing is left to do. Give more --steps, or write with it: heddle generate --model ${folder}`,
    );
    if (state.finished) return 0;
  }

  const at = places(folder);
  const { documents, skipped } = await readDocuments(settings.text);
  for (const { name, reason } of skipped) call.note(`${name} left out: ${reason}`);
  const prepared = await prepare({
    host,
    settings,
    documents,
    ...(goesOn ? { tokenizer: await readTokenizer(at.tokenizer) } : {}),
  });
  const engine = await openEngine(host, settings.backend);

  // Everything that a wrong word could spoil has been looked at: from here on the folder is written to.
  await host.open(() => holdRun(folder)); // let go when the host closes
  const resume = goesOn ? await checkpointFolder(at.checkpoints).latest() : null;
  await describeRun(folder, settings, Object.fromEntries(host.plugins.map(({ name, version }) => [name, version])));
  if (!goesOn) await saveTokenizer(at.tokenizer, prepared.tokenizer);

  if (!json) {
    call.note(
      `Text: ${counted(documents.length, 'document')}, ${mebi(prepared.bytes)}, ${grouped(prepared.training.ids.length)} tokens of ${prepared.tokenizer.vocabularySize} kinds`,
    );
    for (const line of engineLines(engine)) call.note(line);
  }
  const trained = await runTraining({
    host,
    backend: engine.backend,
    prepared,
    folder,
    name: folder,
    resume,
    signal: call.signal,
    trackers,
    note: call.note,
    ...(json ? { see: event => call.print(eventJson(event)) } : {}),
    async sample(step, parameters) {
      const sampler = openSampler({
        host,
        backend: engine.backend,
        model: prepared.model,
        tokenizer: prepared.tokenizer,
        parameters,
      });
      try {
        const text = await sampler.sample(settings.prompt, {
          maxTokens: 60,
          temperature: 0.8,
          seed: settings.seed,
          signal: call.signal,
        });
        if (json) call.print(JSON.stringify({ type: 'sample', step, prompt: settings.prompt, text }));
        else call.note(`  step ${step}: ${JSON.stringify(settings.prompt + text)}`);
      } finally {
        await sampler.close();
      }
    },
  });
  if (trained.reason === 'cancelled') {
    if (!json)
      call.print(
        trained.step === 0
          ? 'Stopped before the first step.'
          : `Stopped at step ${trained.step} of ${settings.steps}. Go on: heddle train --resume --out ${folder}`,
      );
    return exitCodes.interrupted;
  }
  if (json)
    call.print(
      JSON.stringify({
        type: 'trained',
        step: trained.step,
        loss: trained.loss,
        validation: trained.validation,
        tokens: trained.tokens,
        seconds: trained.seconds,
        model: at.model,
      }),
    );
  else {
    if (trained.validation !== null)
      call.print(`Validation loss ${trained.validation.before.toFixed(3)} → ${trained.validation.after.toFixed(3)}`);
    call.print(
      `Model: ${at.model}\nReport: ${at.report}\nTry it: heddle generate --model ${folder} --prompt "${settings.prompt.trim()}"`,
    );
  }
  return 0;
}

/** The config file, then the command line; files named in either are read here. */
async function rawSettings(options: Raw): Promise<RawSettings> {
  const layers: { where: string; values: Raw }[] = [];
  const { config } = options;
  if (typeof config === 'string')
    layers.push({
      where: config,
      values: await withModelFile(await readJsonObject(config, 'settings of a training run')),
    });
  layers.push({ where: 'command line', values: await withModelFile(ownValues(options)) });
  return { layers };
}

async function withModelFile(values: Raw): Promise<Raw> {
  const { model } = values;
  if (typeof model !== 'string' || extname(model) !== '.json') return values;
  const json: Readonly<Record<string, Json>> = await readJsonObject(model, "a model's configuration");
  return { ...values, model: json };
}

const namesIn = ({ layers }: RawSettings): readonly string[] => layers.flatMap(({ values }) => Object.keys(values));

function wantsResume(
  option: unknown,
  state: RunState,
  folder: string,
): state is RunState & { readonly kind: 'run'; readonly settings: TrainSettings } {
  if (option === undefined || option === false) return false;
  if (state.kind === 'run' && state.step !== null) return true;
  if (option === 'auto') return false; // `refuseUsed` says what is in the way
  const received =
    state.kind === 'run'
      ? 'a run that stopped before its first checkpoint'
      : state.kind === 'absent'
        ? 'nothing there'
        : 'a folder without one';
  return fail(
    'E_RESUME',
    `${folder}: expected a run with a checkpoint to go on with, received ${received}. Begin it without --resume, or with --resume auto.`,
    { folder },
  );
}
