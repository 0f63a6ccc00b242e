/** `heddle multilingual` and its translator, through the command: whole, again, killed, and asked for what it has not. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heddle } from './support/command.js';

let folder: string;
const news = (): string => join(folder, 'news.tsv');
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'multilingual-'));
  // As NTREX-128 names its columns; of French there is nothing.
  await writeFile(news(), 'id\teng\tdeu\n1\tThe cook is here.\tDer Koch ist hier.\n2\tA door.\tEine Tür.\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const small = '--groups a=de b=fr --pairs de=grammar:en-de:200 fr=grammar:en-fr:200 --base-steps 2 --steps 1 --width 8 --depth 1 --tokens 96 --vocabulary 420 --test 3 --merges ties --rank 2 --english-repeats 1 --most 2 --search 2'.split(' '); // prettier-ignore
const run = (out: string, more: readonly string[] = [], kill?: RegExp) =>
  heddle(['multilingual', ...small, '--test-sets', `news=${news()}`, '--out', join(folder, out), ...more], kill);
const rowsOf = (stdout: string): unknown =>
  stdout.split('\n').filter(line => line.startsWith('{"type":"report"')).map(line => (JSON.parse(line) as { readonly rows: unknown }).rows)[0]; // prettier-ignore

describe('heddle multilingual', { timeout: 300_000 }, () => {
  let rows: unknown;

  it('goes the whole way, and does nothing twice', async () => {
    const plan = await run('one', ['--plan']);
    expect(plan.code).toBe(0);
    expect(plan.stdout).toMatch(/adapter en-a/);
    const first = await run('one', ['--json']);
    expect([first.code, first.stderr]).toEqual([0, '']);
    rows = rowsOf(first.stdout);
    expect(Object.keys(rows as object).sort()).toEqual([
      'base',
      'direction-aware',
      'group',
      'multilingual',
      'separate',
      'ties',
      'ties-searched',
    ]);
    const { 'de-en': german, 'fr-en': french } = (rows as { readonly separate: { readonly directions: Readonly<Record<string, { readonly scores: object }>> } }).separate.directions; // prettier-ignore
    expect(Object.keys(german!.scores)).toEqual(['BLEU', 'BLEU news', 'chrF', 'chrF news', 'off target']);
    expect(Object.keys(french!.scores)).toEqual(['BLEU', 'chrF', 'off target']);
    const page = await readFile(join(folder, 'one', 'report.html'), 'utf8');
    for (const title of ['Out of English', 'Conflict and synergy, into English', 'Gradients, out of English', 'Layer by layer', 'news: chrF', 'Mixture of the adapters for all', 'Examples']) expect(page).toContain(title); // prettier-ignore
    expect((await readdir(join(folder, 'one', 'adapters'))).sort()).toEqual(['de-en', 'en-a', 'en-b', 'fr-en']);
    const again = await run('one', ['--json']);
    expect(again.stdout.split('\n').filter(line => line.includes('"step.finished"'))).toEqual([]);
    expect(rowsOf(again.stdout)).toEqual(rows);
  });

  it('in one process comes to the same scores as in several', async () => {
    const { code, stdout } = await run('three', ['--json', '--processes', '1']);
    expect(code).toBe(0);
    expect(JSON.stringify(rowsOf(stdout))).toBe(JSON.stringify(rows));
  });

  it.each([
    ['whole models', 'full', ['--tuning', 'full', '--merges', 'linear']],
    ['decoders', 'decoder', ['--architecture', 'decoder', '--attention', 'standard']],
  ])('makes modules of %s too, and translates by them', async (_, name, more) => {
    const { code } = await heddle(['multilingual', ...small, ...more, '--out', join(folder, name)]);
    expect(code).toBe(0);
    const to = await heddle(['translate', '--model', join(folder, name), '--text', 'The weaver holds the thread.', '--json', '--to', 'de']); // prettier-ignore
    expect([to.code, to.stdout]).toEqual([0, expect.stringContaining('"type":"translation"')]);
  });

  it('killed, goes on to the same scores', async () => {
    const killed = await run('two', ['--json'], /"stage":"adapter all-en"/);
    expect(killed.code).toBeNull();
    const whole = await run('two', ['--json']);
    expect(whole.code).toBe(0);
    const done = (text: string): number => text.split('"type":"stage"').length - 1;
    expect(done(whole.stdout)).toBeLessThan(16);
    expect(JSON.stringify(rowsOf(whole.stdout))).toBe(JSON.stringify(rows));
  });

  it('translates by the adapter of a direction, and says what it cannot', async () => {
    const translate = (...args: readonly string[]) =>
      heddle([
        'translate',
        '--model',
        join(folder, 'one'),
        '--text',
        'The weaver holds the thread.',
        '--json',
        ...args,
      ]);
    const to = await translate('--to', 'de');
    expect([to.code, to.stdout]).toEqual([0, expect.stringContaining('"type":"translation"')]);
    expect((await translate('--from', 'fr')).code).toBe(0);
    expect((await translate('--to', 'it')).stderr).toMatch(/E_ROUTE.*en-it/);
    expect((await translate()).stderr).toMatch(/E_OPTION.*--to LANGUAGE/);
    expect((await translate('--from', 'fr', '--to', 'de')).stderr).toMatch(/E_DIRECTION/);
  });

  it.each([
    [['--groups', 'a=de', 'b=de'], /E_GROUPS.*'de' in a and b/],
    [['--groups', 'a=de', '--pairs', 'fr=grammar:en-fr'], /E_OPTION.*languages of the groups/],
    [['--groups', 'a=de', '--pairs', 'de=grammar:en-de:20'], /E_LANGUAGE.*de: expected at least 400 pairs/],
    [['--groups', 'a'], /E_OPTION.*NAME=VALUE/],
    [['--groups', 'a=de', 'b=fr,es', '--counts', '3'], /E_OPTION.*counts: .*from 2 to 2.*received '3'/],
    [
      ['--groups', 'a=fr', '--pairs', 'fr=grammar:en-fr:900', '--test-sets', 'news=NEWS'],
      /E_LANGUAGE.*columns of English and of some of fr.*received id, eng, deu/,
    ],
    [['--merges', 'magic'], /E_OPTION.*received 'magic'/],
    [['--tuning', 'full', '--merges', 'ties-factors'], /E_OPTION.*received 'ties-factors'/],
    [['--tuning', 'half'], /E_OPTION.*lora or full/],
    [['--architecture', 'encoder'], /E_OPTION.*encoder-decoder or decoder/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await heddle([
      'multilingual',
      ...args.map(arg => arg.replace('NEWS', news())),
      '--out',
      join(folder, 'none'),
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});
