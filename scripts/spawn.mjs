/** Child processes that end as their parent is asked to, each signal delivered once. */

import { spawn } from 'node:child_process';
import { root } from './workspace.mjs';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const windows = process.platform === 'win32';

/**
 * Runs a program to its end.
 *
 * Ctrl-C reaches us twice under `npm run`, from the terminal and again from npm. So the child gets a process group of
 * its own, which the terminal does not signal, and we pass on what comes, leaving out the echo.
 *
 * @param options.onOutput gets what the child prints, on either stream, as text; otherwise it goes straight to ours
 * @returns its exit code, or the signal that ended it
 */
export function run(command, args, { env = process.env, cwd = root, stdio = 'inherit', onOutput } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: onOutput ? ['inherit', 'pipe', 'pipe'] : stdio,
      detached: !windows,
    });
    if (onOutput) for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onOutput);

    const echoes = 300; // ms between the terminal's signal and npm's copy, at most
    let last = { signal: '', at: -Infinity };
    const pass = signal => {
      const at = performance.now();
      const echo = signal === last.signal && at - last.at < echoes;
      last = { signal, at };
      // Windows sends Ctrl-C to every process of the console by itself.
      if (!echo && !windows) process.kill(-child.pid, signal);
    };
    const suspend = () => {
      process.kill(-child.pid, 'SIGSTOP');
      process.kill(process.pid, 'SIGSTOP');
    };
    const resume = () => process.kill(-child.pid, 'SIGCONT');
    for (const signal of forwarded) process.on(signal, pass);
    if (!windows) process.on('SIGTSTP', suspend).on('SIGCONT', resume);

    const done = () => {
      for (const signal of forwarded) process.off(signal, pass);
      process.off('SIGTSTP', suspend).off('SIGCONT', resume);
    };
    child.once('error', error => {
      done();
      reject(error);
    });
    child.once('close', (code, signal) => {
      done();
      resolve({ code, signal });
    });
  });
}

/** Ends this process the way the child ended. */
export function endLike({ code, signal }) {
  if (signal !== null) process.kill(process.pid, signal);
  else process.exitCode = code;
}
