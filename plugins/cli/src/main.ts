/** One run of `heddle`: understand, load what is needed, run, report. */

import type { Command, CommandCall, Host } from '@heddle/core';
import { bundledCommands } from './bundled.js';
import { commands } from './commands/index.js';
import { failureJson, failureOf, failureText, exitCodes, usageFailure, type Failure } from './failure.js';
import { readGlobals } from './globals.js';
import { onInterrupt, type Signals } from './interrupt.js';
import { interpret, type Asked } from './program.js';
import { version } from './version.js';

/** Where a run writes and hears; for tests. */
export interface Surroundings {
  out(text: string): void;
  err(text: string): void;
  readonly process: Signals;
  quit(): void;
  readonly debug: boolean;
}

/** @returns the exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted */
export async function main(argv: readonly string[], around: Surroundings = terminal()): Promise<number> {
  const { plugins: named, unnamed, rest, json } = readGlobals(argv);
  const report = (failure: Failure): number => {
    if (json) around.out(`${failureJson(failure)}\n`);
    around.err(`${failureText(failure, around.debug)}\n`);
    return failure.exit;
  };
  if (unnamed)
    return report(
      usageFailure('--plugin: expected the name or path of a plugin, received none. Write --plugin ./my-plugin.js.'),
    );

  // Understood without loading core or a plugin, which takes longer than anything before a command runs.
  if (named.length === 0) {
    const asked = interpret(rest, { commands: [...commands, ...(await bundledCommands())], version });
    if (asked.kind !== 'run') return answer(asked, around, report);
  }

  const interruption = onInterrupt({
    process: around.process,
    say: text => around.err(`\n${text}\n`),
    quit: around.quit,
  });
  let host: Host | null = null;
  try {
    const { createHost, COMMANDS } = await import('@heddle/core');
    const { loadPlugins } = await import('./plugins.js');
    const { default: own } = await import('./plugin.js');
    const { plugins, broken } = await loadPlugins(named);
    host = createHost({ plugins: [...plugins, own] });
    const all: readonly Command[] = host.all(COMMANDS);
    const asked = interpret(rest, { commands: all, version });
    if (asked.kind !== 'run') return answer(asked, around, report);
    const quiet = asked.options['quiet'] === true;
    for (const { name, reason } of broken) around.err(`${name} could not be loaded: ${reason}\n`);
    const call: CommandCall = {
      args: asked.args,
      options: asked.options,
      signal: interruption.signal,
      print: text => around.out(`${text}\n`),
      write: text => around.out(text),
      note: text => {
        if (!quiet) around.err(`${text}\n`);
      },
    };
    return await asked.command.run(call, host);
  } catch (error) {
    return report(failureOf(error, interruption.signal.aborted));
  } finally {
    await host?.close().catch((error: unknown) => report(failureOf(error, interruption.signal.aborted)));
    interruption.release();
  }
}

function answer(
  asked: Exclude<Asked, { readonly kind: 'run' }>,
  around: Surroundings,
  report: (failure: Failure) => number,
): number {
  if (asked.kind === 'usage')
    return report(usageFailure(`${asked.message}${/[.)?]$/.test(asked.message) ? '' : '.'} See heddle --help.`));
  around.out(asked.text.endsWith('\n') ? asked.text : `${asked.text}\n`);
  return 0;
}

function terminal(): Surroundings {
  // A reader that has seen enough (`heddle … | head`) closes the pipe: no reason for a stack trace.
  const gone = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  };
  process.stdout.on('error', gone);
  return {
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    process,
    quit: () => process.exit(exitCodes.interrupted),
    debug: (process.env['DEBUG'] ?? '') !== '',
  };
}
