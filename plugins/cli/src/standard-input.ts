/** Standard input, and texts that come from it or from options. */

import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fail, type CommandCall } from '@heddle/core';

/** Everything on standard input; its last line end is the shell's, not the writer's. */
export async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** Whether a person is there to type, and was not asked for texts another way. */
export const isTyped = (options: CommandCall['options']): boolean =>
  options['text'] === undefined && process.stdin.isTTY === true;

/**
 * Lines as a person types them, until an end of input or an abort; empty ones are left out.
 *
 * @param prompt what stands before each, on standard error
 */
export async function* typedLines(
  prompt: string,
  signal: AbortSignal,
  { input = process.stdin, output = process.stderr }: { readonly input?: Readable; readonly output?: Writable } = {},
): AsyncGenerator<string> {
  const lines = createInterface({ input, output, prompt });
  const stop = (): void => lines.close();
  signal.addEventListener('abort', stop, { once: true });
  lines.on('SIGINT', stop);
  try {
    lines.prompt();
    for await (const line of lines) {
      if (line.trim() !== '') yield line;
      if (signal.aborted) return;
      lines.prompt();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    lines.close();
  }
}

/**
 * Texts of `--text`, or the lines of standard input.
 *
 * @param what is done with them, for the message: `to translate`
 * @throws E_OPTION for none, and for an empty one: a model that is given nothing makes something up
 */
export async function linesOf(options: CommandCall['options'], what: string): Promise<readonly string[]> {
  const given = (options['text'] ?? []) as readonly string[];
  if (given.length > 0) return withoutEmpty(given);
  if (process.stdin.isTTY)
    return fail('E_OPTION', `text: expected what ${what}, received none. Give --text "…", or pipe lines in.`, {});
  return withoutEmpty((await standardInput()).split(/\r?\n/));
}

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
