/** Runs out of the logs of events that `heddle train` writes. */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fail, type HeddleEvent } from '@heddle/core';
import { Recorder, type RunRecord } from './record.js';

/**
 * @param path a log, or the folder of a run that has `events.jsonl`
 * @throws E_FILE for what cannot be read, E_JSON for a line that is no event; the last line may be cut short by a kill
 */
export async function readRun(path: string, name = nameOf(path)): Promise<RunRecord> {
  const file = await logIn(path);
  const recorder = new Recorder(name);
  let [line, broken] = [0, null as string | null];
  try {
    for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
      if (broken !== null) notAnEvent(file, line, broken);
      line++;
      const event = eventIn(text);
      if (event === null) broken = text;
      else recorder.see(event);
    }
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('E_')) throw error;
    fail('E_FILE', `${file}: expected a log of events, received ${(error as Error).message}. Name a run's folder.`, { file }, error); // prettier-ignore
  }
  if (line === 0 || (line === 1 && broken !== null)) notAnEvent(file, 1, broken ?? '');
  return recorder.record();
}

const notAnEvent = (file: string, line: number, text: string): never =>
  fail(
    'E_JSON',
    `${file}:${line}: expected an event of a training run, received ${JSON.stringify(text.slice(0, 60))}. Name a log that heddle train wrote.`,
    { file, line },
  );

/** Numbers that JSON lacks are written as text. */
const number = (value: unknown): number => (typeof value === 'number' ? value : Number(value));
const numbers = (value: unknown): Record<string, number> =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, x]) => [key, number(x)]))
    : {};
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Only what the page shows, each of its type, whatever the line holds; null for what is no event. */
function eventIn(line: string): HeddleEvent | null {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null || typeof (found as { type?: unknown }).type !== 'string')
    return null;
  const e = found as Record<string, unknown>;
  const none = { snapshot: () => Promise.reject(new Error('of a log')), waitUntil: () => {}, stop: () => {} };
  switch (e['type']) {
    case 'run.started':
      return { type: 'run.started', run: text(e['run']), parameters: number(e['parameters']), backend: text(e['backend']), steps: number(e['steps']), resumedFrom: e['resumedFrom'] === null ? null : number(e['resumedFrom']), compileMs: number(e['compileMs']) }; // prettier-ignore
    case 'step.finished':
      return { type: 'step.finished', step: number(e['step']), steps: number(e['steps']), loss: number(e['loss']), metrics: numbers(e['metrics']), tokens: number(e['tokens']), seconds: number(e['seconds']), ...none }; // prettier-ignore
    case 'step.failed':
      return { type: 'step.failed', step: number(e['step']), loss: number(e['loss']), path: text(e['path']), ...none };
    case 'evaluation.finished':
      return { type: 'evaluation.finished', step: number(e['step']), scores: numbers(e['scores']) };
    case 'run.finished':
      return { type: 'run.finished', step: number(e['step']), reason: text(e['reason']) as 'steps', ...none };
    default:
      return { type: 'notice', code: '', message: '' };
  }
}

async function logIn(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found === null)
    return fail('E_FILE', `${path}: expected a run's folder or its events.jsonl, received nothing there. Check the path.`, { path }); // prettier-ignore
  return found.isDirectory() ? join(path, 'events.jsonl') : path;
}

const nameOf = (path: string): string => {
  const whole = resolve(path);
  return basename(whole) === 'events.jsonl' ? basename(dirname(whole)) : basename(whole);
};
