/** From what was typed to what was asked for. The only file that knows commander; it runs nothing and prints nothing. */

import { Command as Parser, CommanderError, Option } from 'commander';
import type { Command, CommandOption } from '@heddle/core';

export type Asked =
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly args: readonly string[];
      readonly options: Readonly<Record<string, unknown>>;
    }
  /** Help or a version. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'usage'; readonly message: string };

/** On every command. */
export const commonOptions: readonly CommandOption[] = [
  { flags: '--json', describe: 'results and errors as JSON, one object a line' },
  { flags: '-q, --quiet', describe: 'no progress, only results and errors' },
  {
    flags: '--plugin <name>',
    describe: 'load a plugin by package name or path; may be given several times',
    many: true,
  },
];

export interface Program {
  readonly commands: readonly Command[];
  readonly version: string;
  /** Columns of help. */
  readonly width?: number;
}

/** @param argv without node and script */
export function interpret(argv: readonly string[], { commands, version, width = 100 }: Program): Asked {
  let asked: Asked | null = null;
  let written = '';
  const output = {
    writeOut: (text: string): void => void (written += text),
    writeErr: (text: string): void => void (written += text),
    getOutHelpWidth: () => width,
    getErrHelpWidth: () => width,
    outputError: (text: string, write: (text: string) => void): void => write(text),
  };
  const parser = (name: string, describe: string): Parser =>
    new Parser(name)
      .description(describe)
      .exitOverride()
      .configureOutput(output)
      .helpOption('-h, --help', 'show this help')
      .helpCommand(false);

  const root = parser(
    'heddle',
    'Research on sequence models: train, generate, export, and see what this machine can do.',
  )
    .version(version, '-V, --version', 'show the version')
    .usage('[command] [options]')
    .addHelpText('after', '\nEvery command has its own help: heddle train --help');
  for (const option of commonOptions) root.addOption(optionOf(option));

  for (const command of commands) {
    const words = command.name.split(' ');
    const parent = words.slice(0, -1).reduce((at, word) => groupOf(at, word, parser), root);
    const child = parser(words.at(-1)!, command.describe);
    for (const { name, describe, required = false, many = false } of command.args ?? []) {
      const label = `${name}${many ? '...' : ''}`;
      child.argument(required ? `<${label}>` : `[${label}]`, describe);
    }
    for (const option of [...command.options, ...commonOptions]) child.addOption(optionOf(option));
    const { examples = [] } = command;
    if (examples.length > 0)
      child.addHelpText('after', `\nExamples:\n${examples.map(line => `  heddle ${line}`).join('\n')}`);
    child.action(() => {
      asked = { kind: 'run', command, args: child.args, options: child.optsWithGlobals() };
    });
    parent.addCommand(child);
  }

  try {
    if (argv.length === 0)
      return { kind: 'text', text: root.helpInformation() + '\nEvery command has its own help: heddle train --help\n' };
    root.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0 || error.code === 'commander.help') return { kind: 'text', text: written };
    return {
      kind: 'usage',
      message: written
        .replace(/^error: /, '')
        .trim()
        .replace(/\n/g, ' '),
    };
  }
  return asked ?? { kind: 'text', text: written || root.helpInformation() };
}

function groupOf(parent: Parser, word: string, parser: (name: string, describe: string) => Parser): Parser {
  const known = parent.commands.find(command => command.name() === word);
  if (known !== undefined) return known;
  const group = parser(word, `${word} …`);
  parent.addCommand(group);
  return group;
}

function optionOf({ flags, describe, default: value, choices, many = false }: CommandOption): Option {
  const option = new Option(flags, describe);
  if (choices !== undefined) option.choices([...choices]);
  if (value !== undefined) option.default(value);
  if (many && !option.variadic)
    option.argParser((one: string, before: unknown) => [...(Array.isArray(before) ? (before as string[]) : []), one]);
  return option;
}
