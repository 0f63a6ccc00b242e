/** Documents are true: their programs compile, run and print what they say; their shell lines name things that exist. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, isProgram, isShell, runs, strangers, type Block } from './documents/blocks.js';
import { failuresOf, place, typeErrors } from './documents/programs.js';
import { shellFailures } from './documents/shell.js';
import { publicFolders, root } from './workspace.js';

const below = (folder: string): readonly string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter(name => name.endsWith('.md'))
        .map(name => join(folder, name))
    : [];

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...below('docs'),
  ...publicFolders.map(folder => join(folder, 'README.md')),
].filter(file => existsSync(join(root, file)));
const blocks = documents.flatMap(file => blocksOf(file, readFileSync(join(root, file), 'utf8')));

/** Inside this package, so that imports resolve as in an application that depends on everything. */
let folder = '';
beforeAll(() => {
  const reports = join(root, 'tests/reports');
  mkdirSync(reports, { recursive: true });
  folder = mkdtempSync(join(reports, 'documents-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the documents', () => {
  it('hold blocks of known kinds only', () => {
    expect(documents.length).toBeGreaterThan(5);
    expect(strangers(blocks)).toEqual([]);
  });

  it('type-check', () => {
    expect(blocks.filter(isProgram).length).toBeGreaterThan(0);
    expect(typeErrors(place(blocks, join(folder, 'types')))).toEqual([]);
  });

  const running = [...new Set(blocks.filter(runs).map(({ file }) => file))];
  it.each(running)(
    '%s runs and prints what it says',
    async file => {
      const here = join(folder, file.replaceAll(/[^\w]+/g, '-'));
      expect(
        await failuresOf(
          place(
            blocks.filter(block => block.file === file && runs(block)),
            here,
          ),
          here,
        ),
      ).toEqual([]);
    },
    70_000,
  );

  const typed = [...new Set(blocks.filter(isShell).map(({ file }) => file))];
  it.each(typed)(
    '%s names scripts, commands, options and files that exist',
    async file => {
      const failures: string[] = [];
      for (const block of blocks.filter(block => block.file === file && isShell(block)))
        failures.push(...(await shellFailures(block)));
      expect(failures).toEqual([]);
    },
    60_000,
  );
});

describe('a document that is wrong is caught', () => {
  const program = (code: string, language = 'ts', ...flags: readonly string[]): readonly Block[] =>
    blocksOf('docs/wrong.md', `# Wrong\n\n\`\`\`${[language, ...flags].join(' ')}\n${code}\n\`\`\`\n`);
  let count = 0;
  const fresh = (): string => join(folder, `wrong-${++count}`);
  const run = async (code: string): Promise<readonly string[]> => {
    const here = fresh();
    return failuresOf(place(program(code), here), here);
  };

  it.each([
    ['another value', 'console.log(1 + 1); // -> 3', "docs/wrong.md:4: the document says '3', the program '2'"],
    ['a failure', "\nthrow new Error('torn');", 'docs/wrong.md:4: Error: torn'],
    ['a rejection that nobody handles', "void Promise.reject(new Error('torn'));", 'docs/wrong.md:4: Error: torn'],
    [
      'a line that never runs',
      'if (Math.random() > 1) console.log(1); // -> 1',
      'docs/wrong.md:4: the line with // -> never ran',
    ],
    [
      'an import of nothing',
      "import { nothing } from '@heddle/core';\nconsole.log(nothing);",
      'does not provide an export',
    ],
  ])('%s', async (_what, code, words) => {
    expect((await run(code)).join('\n')).toContain(words);
  });

  it('a program that does not end', async () => {
    expect((await run('setInterval(() => {}, 1000);'))[0]).toContain('do not end');
  }, 20_000);

  it('and one that is right passes', async () => {
    expect(
      await run(
        "const x: number = 2;\nx * 21; // -> 42\nconsole.log('a', [1, { b: 2 }]); // -> a [ 1, { b: 2 } ]\nawait Promise.resolve('late'); // -> late",
      ),
    ).toEqual([]);
  });

  it('a type error, in blocks that do not run too', () => {
    const errors = (code: string, ...flags: readonly string[]): string =>
      typeErrors(place(program(code, 'ts', ...flags), fresh())).join('\n');
    expect(errors('const fine = 1;\nfine.nothing();')).toMatch(/^docs\/wrong\.md:5: /);
    expect(errors('const x: number = "1";', 'no-run')).toMatch(/^docs\/wrong\.md:4: /);
  });

  it('a fence that nobody knows, a block without end', () => {
    expect(strangers(program('x', 'typescript'))).toHaveLength(1);
    expect(strangers(program('x', 'ts', 'norun'))).toHaveLength(1);
    expect(() => blocksOf('a.md', 'x\n```ts\ncode')).toThrow('a.md:2');
  });

  it.each([
    ['npm run nonsense', "no script 'nonsense'"],
    ['node scripts/nonsense.mjs', 'no file scripts/nonsense.mjs'],
    ['npx pnpm@1.0.0 install', 'expected pnpm@'],
    ['npx nonsense', "no package here has a program 'nonsense'"],
    ['heddle nonsense', "no command 'nonsense'"],
    ['npm run -s heddle -- nonsense', "no command 'nonsense'"],
    ['heddle --nonsense', 'no option --nonsense'],
  ])('%s', async (line, words) => {
    expect((await shellFailures(program(`npm test\n${line}`, 'sh')[0]!)).join()).toContain(words);
  });
});
