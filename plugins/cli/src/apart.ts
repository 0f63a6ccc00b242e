/**
 * Stages that do not wait for each other, in processes of their own. Each is this same command once more, told by its environment to
 * run one stage and end; what it gives stands in the store that all share.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fail } from '@heddle/core';
import { exitCodes } from './failure.js';

const variable = 'HEDDLE_STAGE';

/** The stage that this process was asked for; null: it is nobody's child. */
export const askedStage = (): string | null => process.env[variable] ?? null;

/** Aborted with `signal`, and when whoever started this process is gone: then nobody waits for the stage any more. */
export function whileParentLives(signal: AbortSignal): AbortSignal {
  const gone = new AbortController();
  process.stdin.resume();
  process.stdin.once('end', () => gone.abort());
  process.stdin.unref?.();
  return AbortSignal.any([signal, gone.signal]);
}

export interface ApartOptions {
  readonly stages: readonly string[];
  /** Processes at a time. */
  readonly width: number;
  readonly signal: AbortSignal;
  readonly started: (stage: string) => void;
  /** A line of JSON that a stage's process printed. */
  readonly line: (stage: string, text: string) => void;
}

/** @throws E_STAGE when a process fails; the others are stopped and waited for */
export async function runApart({ stages, width, signal, started, line }: ApartOptions): Promise<void> {
  const running = new Set<ChildProcess>();
  const failures: (readonly [stage: string, code: number | null, words: string])[] = [];
  // They save where they are, and end.
  const stop = (): void => {
    for (const child of running) child.stdin?.end();
  };
  signal.addEventListener('abort', stop, { once: true });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < stages.length && failures.length === 0 && !signal.aborted) {
      const stage = stages[next++]!;
      started(stage);
      const [script, ...args] = process.argv.slice(1);
      const child = spawn(process.execPath, [...process.execArgv, script!, ...args], {
        env: { ...process.env, [variable]: stage },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      running.add(child);
      let words = '';
      child.stderr!.on('data', chunk => (words = `${words}${String(chunk)}`.slice(-2000)));
      createInterface({ input: child.stdout! }).on('line', text => line(stage, text));
      const code = await new Promise<number | null>(resolve => child.once('close', resolve));
      running.delete(child);
      if (code !== 0 && !signal.aborted) {
        failures.push([stage, code, words.trim()]);
        stop();
      }
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  signal.removeEventListener('abort', stop);
  // What the first one's end did to the others is no failure of theirs.
  const first = failures.find(([, code]) => code !== exitCodes.interrupted) ?? failures[0];
  if (first && !signal.aborted)
    fail('E_STAGE', `stage '${first[0]}': its process ended with ${first[1] ?? 'a signal'}: ${first[2] || 'it said nothing'}. Finished stages are kept; mend the cause and run the command again.`, { stage: first[0], code: first[1] }); // prettier-ignore
}
