/** The command as people run it, in a process of its own. */

import { spawn } from 'node:child_process';

const bin = '../plugins/cli/dist/bin.js';

/** @param kill once standard output matches it, the command is killed, and gives no code */
export async function heddle(
  args: readonly string[],
  kill?: RegExp,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const command = spawn(process.execPath, [bin, ...args]);
  let [stdout, stderr] = ['', ''];
  command.stdout.on('data', chunk => {
    stdout += String(chunk);
    if (kill?.test(stdout)) command.kill('SIGKILL');
  });
  command.stderr.on('data', chunk => (stderr += String(chunk)));
  const code = await new Promise<number | null>(resolve => command.on('close', resolve));
  return { code, stdout, stderr };
}
