import type { Command, CommandOption } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { commands } from './commands/index.js';
import { commonOptions, interpret } from './program.js';

const ask = (argv: readonly string[], all: readonly Command[] = commands) =>
  interpret(argv, { commands: all, version: '1.2.3' });
const text = (argv: readonly string[]): string => {
  const asked = ask(argv);
  if (asked.kind !== 'text') throw new Error(`expected text, received ${JSON.stringify(asked)}`);
  return asked.text;
};
const long = ({ flags }: CommandOption): string => /--[\w-]+/.exec(flags)![0];

describe('help', () => {
  it('is given for no arguments, and lists every command', () => {
    for (const { name } of commands) expect(text([])).toContain(`\n  ${name} [options]`);
    expect(text(['--help'])).toBe(text([]));
  });

  it.each(commands.map(command => [command.name, command] as const))(
    '%s: describes every option and shows examples',
    (name, { describe: about, options, examples }) => {
      const help = text([...name.split(' '), '--help']).replace(/\s+/g, ' ');
      expect(help).toContain(about);
      for (const option of [...options, ...commonOptions]) {
        expect(option.describe.length).toBeGreaterThan(5);
        expect(help).toContain(long(option));
        expect(help).toContain(option.describe);
      }
      expect(examples?.length).toBeGreaterThan(0);
      for (const line of examples!) expect(help).toContain(`heddle ${line}`);
    },
  );

  it.each(commands.flatMap(({ examples }) => examples ?? []))('the example is understood: %s', line => {
    const words = [...line.replace(/^.*\| heddle /, '').matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain!,
    );
    expect(ask(words.filter((word, at) => word !== '--plugin' && words[at - 1] !== '--plugin')).kind).toBe('run');
  });
});

describe('arguments', () => {
  const told: Command = {
    name: 'merge plan',
    describe: 'plans a merge',
    args: [
      { name: 'recipe', describe: 'the recipe', required: true },
      { name: 'models', describe: 'models', many: true },
    ],
    options: [
      { flags: '--weight <n>', describe: 'one weight each', many: true },
      { flags: '--dry-run', describe: 'only look' },
      { flags: '--method <name>', describe: 'how', choices: ['ties', 'slerp'], default: 'ties' },
    ],
    run: async () => 0,
  };

  it('come as the command declares them, below a parent of two words', () => {
    expect(
      ask(['merge', 'plan', 'r.yml', 'a', 'b', '--weight', '1', '--weight', '2', '--dry-run', '--json'], [told]),
    ).toMatchObject({
      kind: 'run',
      args: ['r.yml', 'a', 'b'],
      options: { weight: ['1', '2'], dryRun: true, method: 'ties', json: true },
    });
  });

  it.each([
    [['merge', 'plan'], "missing required argument 'recipe'"],
    [['merge', 'plan', 'r', '--method', 'max'], 'Allowed choices are ties, slerp'],
    [['merge', 'plan', 'r', '--weigth', '1'], 'Did you mean --weight?'],
    [['merge', 'plna', 'r'], 'plna'],
    [['mrege'], 'Did you mean merge?'],
  ])('%j is refused', (argv, words) => {
    const asked = ask(argv, [told]);
    expect(asked).toMatchObject({ kind: 'usage', message: expect.stringContaining(words) });
  });

  it('common options may stand before the command', () => {
    expect(ask(['--json', 'doctor'])).toMatchObject({ kind: 'run', options: { json: true } });
  });

  it('says the version', () => expect(text(['--version'])).toBe('1.2.3\n'));
});
