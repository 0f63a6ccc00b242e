/** `heddle task` and `heddle translate` as a person types them: killed, begun again, compared, used. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxBackends, present } from './support/backends.js';
import { program, type Ended } from './support/programs.js';

const bin = '../plugins/cli/dist/bin.js';
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-task-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const heddle = (...args: readonly string[]): Promise<Ended> => program(bin, args, { cwd: folder });
const small = ['--pairs', 'grammar:en-de:400', '--width', '16', '--depth', '1', '--tokens', '256', '--steps', '10'];
const task = (out: string, ...more: readonly string[]): readonly string[] => [
  'task',
  'translation',
  ...small,
  '--out',
  out,
  ...more,
];
const objects = ({ stdout }: Pick<Ended, 'stdout'>): readonly Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Record<string, unknown>);

/** Kills a process when it has said this. */
const killedAfter = (said: string, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', bin), ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      stdout += piece;
      if (stdout.includes(said)) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', () => resolve());
  });

const [engine] = present(onnxBackends);
describe.skipIf(engine === undefined)('heddle task', { timeout: 120_000 }, () => {
  it('compares three models of equal size, in a report that needs nothing else', async () => {
    const ended = await heddle(...task('whole'));
    expect(ended.code).toBe(0);
    for (const name of ['baseline', 'emha', 'partial'])
      expect(ended.stdout).toMatch(new RegExp(String.raw`\n${name} +[\d,]+`));
    const sizes = ['baseline', 'emha', 'partial'].map(
      name =>
        (JSON.parse(readFileSync(join(folder, 'whole', name, 'result.json'), 'utf8')) as { parameters: number })
          .parameters,
    );
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(1.02);
    const page = await readFile(join(folder, 'whole', 'report.html'), 'utf8');
    for (const title of ['How alike heads are', 'emha: from the text to its source', '<figcaption>head similarity'])
      expect(page).toContain(title);
    expect(page).toContain('<figcaption>BLEU</figcaption>');
    expect(page).toContain('sentences that nobody learnt from');
    expect(page).not.toMatch(/(src|href)="http/);
  });

  it('goes on after a kill, to the same weights and texts; what is done is not done again', async () => {
    await killedAfter('"model":"emha","type":"step.finished","step":5,', task('killed', '--json'));
    const done = (await stat(join(folder, 'killed', 'baseline', 'result.json'))).mtimeMs;
    const again = objects(await heddle(...task('killed', '--json')));
    expect((await stat(join(folder, 'killed', 'baseline', 'result.json'))).mtimeMs).toBe(done);
    expect(again.find(({ type, model }) => type === 'run.started' && model === 'emha')).toMatchObject({
      resumedFrom: 4,
    });
    for (const name of ['baseline', 'emha', 'partial']) {
      const [one, other] = ['whole', 'killed'].map(run => join(folder, run, name));
      expect(readFileSync(join(other!, 'model', 'model.safetensors'))).toEqual(
        readFileSync(join(one!, 'model', 'model.safetensors')),
      );
      const written = (at: string): unknown =>
        (JSON.parse(readFileSync(join(at, 'result.json'), 'utf8')) as { written: unknown }).written;
      expect(written(other!)).toEqual(written(one!));
    }
  });

  it('refuses to mix two runs, and begins anew where asked', async () => {
    const mixed = await heddle(...task('whole', '--rate', '0.1'));
    expect(mixed.code).toBe(1);
    expect(mixed.stderr).toContain('E_RESUME whole: expected the rate');
    const fresh = await heddle(...task('whole', '--models', 'baseline', '--fresh'));
    expect(fresh.code).toBe(0);
    expect(fresh.stderr).toContain('whole.before');
    expect(await stat(join(folder, 'whole.before', 'emha', 'result.json'))).toBeDefined();
  });

  it('leaves nothing in the way where it could not begin', async () => {
    const odd = await heddle('task', 'correction', '--pairs', 'absent.tsv', '--out', 'odd');
    expect([odd.code, odd.stderr.slice(0, 4)]).toEqual([1, 'E_IO']);
    const ended = await heddle(
      'task',
      'correction',
      '--pairs',
      'corrections:en:400',
      ...small.slice(2),
      '--models',
      'baseline',
      '--out',
      'odd',
    );
    expect(ended.code).toBe(0);
  });
});

describe('heddle start', { timeout: 120_000 }, () => {
  it('translates, in a job that the slow reference can do too, and does not do twice what is there', async () => {
    const job = ['start', '--task', 'translation', '--backend', 'reference', '--out', 'started'];
    const first = await heddle(...job);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/\nbaseline +[\d,]+/);
    const again = await heddle(...job);
    expect(again.stdout).toContain('All of it is there already; --fresh begins anew.');
    expect(again.stdout.split('\nmodel')[1]).toBe(first.stdout.split('\nmodel')[1]);
  });

  it('refuses what belongs to the other task', async () => {
    expect((await heddle('start', '--task', 'translation', '--prompt', 'x')).stderr).toContain('--task language');
    expect((await heddle('start', '--task', 'painting')).stderr).toContain(
      'expected one of thinking, translation, multilingual, language',
    );
  });
});

describe.skipIf(engine === undefined)('heddle translate', () => {
  it('writes a line for each, in order, from a model of a task alone', async () => {
    const model = join(folder, 'killed', 'emha', 'model');
    const texts = ['The man holds a thread.', 'A tired dog.', 'Here the spinner will see two short threads.'];
    const lines = (await heddle('translate', '--model', model, '--batch', '2', '--text', ...texts)).stdout.split('\n');
    expect(lines).toHaveLength(texts.length + 1);
    const [second] = objects(await heddle('translate', '--json', '--model', model, '--text', texts[1]!));
    expect(second).toEqual({ type: 'translation', source: texts[1], text: lines[1] });
    expect((await heddle('translate', '--model', model, '--text', ' ')).stderr).toContain('E_OPTION');
    expect((await heddle('generate', '--model', model, '--prompt', 'x')).stderr).toContain('Use heddle translate');
  });
});
