/** Programs of this package, run in processes of their own. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = new URL('../../', import.meta.url);

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  /** Milliseconds after which it is killed, so that a hang is a failure with what was said until then. */
  readonly limit?: number;
  readonly flags?: readonly string[];
}

/** @param script relative to `tests/`, or absolute */
export const program = (script: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<Ended> =>
  command(process.execPath, [...(options.flags ?? []), fileURLToPath(new URL(script, here)), ...args], options);

export function command(
  file: string,
  args: readonly string[],
  { cwd, limit = 60_000 }: ProgramOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
    const timer = setTimeout(() => child.kill('SIGKILL'), limit);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
