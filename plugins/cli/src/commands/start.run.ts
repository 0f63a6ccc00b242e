/** `heddle start`, the main job: train for some minutes, and show what came of it. */

import { createInterface } from 'node:readline/promises';
import {
  countParameters,
  fail,
  initialise,
  parseJson,
  type CommandCall,
  type Host,
  type HostTensor,
} from '@heddle/core';
import { atomicWriteFile, checkpointFolder } from '@heddle/core/node';
import { readDocuments, readText, readTokenizer, saveTokenizer, type Document } from '@heddle/text';
import { engineLines, openEngine, type Engine } from '../engine.js';
import { eventJson } from '../event-log.js';
import { exitCodes } from '../failure.js';
import { ownText } from '../own-text.js';
import { prepare, type Prepared } from '../prepare.js';
import { ownValues, readSettings, resumeSettings, type Raw } from '../read-settings.js';
import { describeRun, holdRun, lookAtRun, moveAside, places, refuseUsed, type RunState } from '../run-folder.js';
import { openSampler } from '../sampler.js';
import type { TrainSettings } from '../settings.js';
import { choose, isYes } from '../start-choice.js';
import { runCurriculum } from './curriculum.run.js';
import { runMultilingual } from './multilingual.run.js';
import { runTask } from './task.run.js';
import { runTraining, type Trained } from '../training.js';
import { counted, grouped, indented, mebi, selfName, timeTaken } from '../words.js';
import { trackersOf } from '../trackers.js';

/** About a minute on two cores of a small server with ONNX Runtime. */
const onEngine: Raw = {
  model: { width: 160, depth: 4, heads: 4 },
  tokenizer: 'bpe:1024',
  steps: 300,
  batch: 16,
  length: 128,
  rate: 0.004,
  share: 0.05,
  checkpointEvery: 40,
  evaluateEvery: 80,
};

/** The reference engine defines what is right and is a thousand times slower: a smaller job, so that it ends. */
const onReference: Raw = {
  model: 'tiny',
  tokenizer: 'bpe:512',
  steps: 60,
  batch: 4,
  length: 32,
  rate: 0.005,
  share: 0.02,
  checkpointEvery: 10,
  evaluateEvery: 0,
};

const tasks: readonly string[] = ['thinking', 'translation', 'multilingual', 'language'];

const ownPrompts = ['A plugin ', 'The engine ', 'export const '];

/** Sentences of Heddle's grammar: what a minute or two can teach. Messages of a machine's catalogs take hours. */
const translation = {
  engine: { pairs: ['grammar:en-de'], steps: '200', width: '96', tokens: '1536' },
  reference: { pairs: ['grammar:en-de:400'], steps: '4', width: '8', depth: '1', tokens: '64', models: 'baseline' },
};

export async function runStart(call: CommandCall, host: Host): Promise<number> {
  const { task } = call.options;
  if (task !== undefined && !tasks.includes(task as string))
    fail('E_OPTION', `task: expected one of ${tasks.join(', ')}, received ${JSON.stringify(task)}.`, { task });
  const aboutText = ['text', 'prompt'].filter(name => call.options[name] !== undefined);
  if (task === 'language' || (task === undefined && aboutText.length > 0)) return startLanguage(call, host);
  const refused = [
    ...aboutText,
    ...(task === 'translation' || task === 'multilingual' || call.options['steps'] === undefined ? [] : ['steps']),
  ];
  if (refused.length > 0)
    fail('E_OPTION', `${refused.join(', ')}: expected with --task ${refused[0] === 'steps' ? 'translation or language' : 'language'}, received with ${String(task ?? 'thinking')}. Leave it out, or name the task.`, { refused }); // prettier-ignore
  if (task === 'multilingual') return runMultilingual(call, host);
  if (task === 'translation') return runTask({ ...call, args: ['translation'] }, host, translation);
  return runCurriculum(call, host);
}

async function startLanguage(call: CommandCall, host: Host): Promise<number> {
  const trackers = trackersOf(host, call, ['console', 'report']); // before anything is touched
  const { options } = call;
  const folder = typeof options['out'] === 'string' ? options['out'] : '.heddle/start';
  const json = options['json'] === true;
  const say = (text: string): void => {
    if (!json) call.print(text);
  };
  const { text, steps, seed, backend, prompt } = ownValues(options);
  const given = Object.fromEntries(
    Object.entries({ text, steps, seed, backend, prompt }).filter(([, value]) => value !== undefined),
  );
  const check = readSettings({ layers: [{ where: 'command line', values: given }] }); // before anything is touched

  const state = await lookAtRun(folder);
  const goesOn = await decide(call, folder, state, check, Object.keys(given));
  const engine = await openEngine(host, goesOn && backend === undefined ? goesOn.backend : check.backend);
  const defaults = engine.backend.name === 'reference' ? onReference : onEngine;
  const fresh = readSettings({
    layers: [
      { where: 'start', values: defaults },
      { where: 'command line', values: given },
    ],
  });
  const settings = goesOn ? resumeSettings(goesOn, fresh, Object.keys(given), folder) : fresh;

  await host.open(() => holdRun(folder)); // let go when the host closes
  const job = await open(host, folder, settings, goesOn !== null);
  const { prepared } = job;
  const { tokenizer, model } = prepared;
  const own = settings.text.length === 0;
  say(
    `Text: ${counted(job.documents.length, 'document')}, ${mebi(prepared.bytes)}${own ? " of Heddle's own documents and sources" : ''}`,
  );
  for (const line of engineLines(engine)) say(line);
  if (defaults === onReference) say('  The reference engine is slow by design, so the job is smaller.');
  say(
    `Model: ${grouped(countParameters(model))} parameters, ${grouped(tokenizer.vocabularySize)} kinds of token, ${grouped(prepared.training.ids.length)} tokens to learn from`,
  );

  const prompts = own && prompt === undefined ? ownPrompts : [settings.prompt];
  const show = async (
    title: string,
    when: 'before' | 'after',
    parameters: Readonly<Record<string, HostTensor>>,
    which: readonly string[],
  ): Promise<void> => {
    say(`\n${title}`);
    const sampler = openSampler({ host, backend: engine.backend, model, tokenizer, parameters });
    for (const one of which) {
      const words = await sampler.sample(one, {
        maxTokens: 60,
        temperature: 0.7,
        topP: 0.95,
        seed: settings.seed,
        signal: call.signal,
      });
      if (json) call.print(JSON.stringify({ type: 'sample', when, prompt: one, text: words }));
      else say(indented(`${one}${words}`));
    }
    await sampler.close();
  };

  const resume = goesOn ? await checkpointFolder(places(folder).checkpoints).latest() : null;
  if (!goesOn) await show('Before training it writes:', 'before', job.initial, prompts.slice(0, 1));
  say('');
  const trained = await runTraining({
    host,
    backend: engine.backend,
    prepared,
    folder,
    name: 'start',
    resume,
    signal: call.signal,
    trackers,
    note: call.note,
    ...(json ? { see: event => call.print(eventJson(event)) } : {}),
  });
  const self = selfName(process.env);
  if (trained.reason === 'cancelled') {
    say(`\nStopped at step ${trained.step} of ${settings.steps}, saved in ${folder}. Go on: ${self.start}`);
    return exitCodes.interrupted;
  }
  await show(`After ${trained.step} steps it writes:`, 'after', trained.parameters, prompts);
  if (call.signal.aborted) return exitCodes.interrupted;
  if (json)
    call.print(
      JSON.stringify({
        type: 'trained',
        engine: engine.backend.name,
        step: trained.step,
        loss: trained.loss,
        validation: trained.validation,
        tokens: trained.tokens,
        seconds: trained.seconds,
        model: places(folder).model,
      }),
    );
  else for (const line of closing(trained, engine, folder, self, prompts[0]!, goesOn !== null)) say(line);
  return 0;
}

/** @returns the settings of the run to go on with, or null to begin */
async function decide(
  call: CommandCall,
  folder: string,
  state: RunState,
  check: TrainSettings,
  given: readonly string[],
): Promise<TrainSettings | null> {
  const { options } = call;
  const differing =
    state.kind === 'run'
      ? given.filter(
          name =>
            (name === 'text' || name === 'seed') &&
            JSON.stringify(state.settings[name]) !== JSON.stringify(check[name]),
        )
      : [];
  const person = process.stdin.isTTY === true && process.stderr.isTTY === true && options['json'] !== true;
  const choice = choose({
    state,
    fresh: options['fresh'] === true,
    resume: options['resume'] === true,
    person,
    differing,
  });
  if (choice.kind === 'refuse') {
    if (choice.why === 'foreign') refuseUsed(folder, state);
    fail(
      'E_RESUME',
      `${folder}: expected the ${differing.join(' and ')} that the stopped run was started with, received another. Leave it out, or leave --resume out to begin anew.`,
      { folder, differing },
    );
  }
  const stored = state.kind === 'run' ? state.settings : null;
  if (choice.kind === 'ask') {
    if (isYes(await ask(choice.question, call.signal))) return stored;
    call.note(`Beginning anew; the stopped run is kept in ${await moveAside(folder)}.`);
    return null;
  }
  if (choice.say !== null) call.note(choice.say);
  if (choice.kind === 'resume') return stored;
  if (choice.aside) call.note(`What was there is kept in ${await moveAside(folder)}.`);
  return null;
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on('SIGINT', () => process.emit('SIGINT')); // readline keeps Ctrl-C for itself otherwise
  try {
    return await lines.question(question, { signal });
  } finally {
    lines.close();
  }
}

interface Job {
  readonly documents: readonly Document[];
  readonly prepared: Prepared;
  readonly initial: Readonly<Record<string, HostTensor>>;
}

/** The text is kept with the run: documents change, and a run that goes on must see what it began with. */
async function open(host: Host, folder: string, settings: TrainSettings, goesOn: boolean): Promise<Job> {
  const at = places(folder);
  const documents = goesOn
    ? await keptText(at.corpus)
    : settings.text.length === 0
      ? await ownText()
      : (await readDocuments(settings.text)).documents;
  const prepared = await prepare({
    host,
    settings,
    documents,
    ...(goesOn ? { tokenizer: await readTokenizer(at.tokenizer) } : {}),
  });
  if (!goesOn) {
    await atomicWriteFile(at.corpus, JSON.stringify(documents));
    await saveTokenizer(at.tokenizer, prepared.tokenizer);
  }
  await describeRun(folder, settings, Object.fromEntries(host.plugins.map(({ name, version }) => [name, version])));
  return { documents, prepared, initial: initialise(prepared.model, settings.seed) };
}

const keptText = async (path: string): Promise<readonly Document[]> =>
  parseJson(await readText(path), { thing: path }) as unknown as readonly Document[]; // written by `open`

function closing(
  { validation, seconds, tokens }: Trained,
  { backend }: Engine,
  folder: string,
  self: ReturnType<typeof selfName>,
  prompt: string,
  resumed: boolean,
): readonly string[] {
  const learnt =
    validation === null
      ? []
      : [
          `Validation loss ${validation.before.toFixed(2)} ${resumed ? 'when it went on' : 'before'}, ${validation.after.toFixed(2)} now: a next token is ${Math.exp(validation.before - validation.after).toFixed(0)} times as likely as it was, on average.`,
        ];
  return [
    '',
    ...learnt,
    `Trained in ${timeTaken(seconds)} on ${backend.name}, ${grouped(Math.round(tokens / seconds))} tokens a second. The model is in ${places(folder).model}, its curves in ${places(folder).report}`,
    '',
    'Try next:',
    `  ${self.heddle} generate --model ${folder} --prompt ${JSON.stringify(prompt.trim())}`,
    `  ${self.heddle} train --text FILE --out runs/mine`,
    `  ${self.heddle} doctor`,
  ];
}
