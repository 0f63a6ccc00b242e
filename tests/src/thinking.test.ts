/** `heddle curriculum` and `heddle think` as a person types them: planned, killed at any moment, gone on with, used. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniforms } from '@heddle/core';
import type { CurriculumOptions } from '@heddle/rl-grpo';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxBackends, present } from './support/backends.js';
import { program, type Ended } from './support/programs.js';

const bin = '../plugins/cli/dist/bin.js';
let folder = '';

const small: CurriculumOptions = {
  name: 'small',
  promptLength: 32,
  responseLength: 72,
  measure: { problems: ['level:1'], count: 8, samples: 1 },
  stages: [
    { kind: 'learn', name: 'lines', problems: 'level:1', style: 'sequential', steps: 25, rate: 0.005, batch: 4 },
    { kind: 'gather', name: 'gather', problems: 'level:1', teacher: 'ways', count: 20 },
    { kind: 'learn', name: 'cold', problems: 'level:1', style: 'parallel', traces: 'gather', steps: 25, rate: 0.005, batch: 4 },
    { kind: 'policy', name: 'rl', problems: 'level:1', style: 'parallel', steps: 12, rate: 0.01, prompts: 2, batch: 8, loss: { groupSize: 4 }, rewards: [{ reward: 'block-count' }], trains: ['*orm.weight'] },
  ],
}; // prettier-ignore

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-thinking-'));
  writeFileSync(join(folder, 'small.json'), JSON.stringify(small));
  writeFileSync(
    join(folder, 'mine.jsonl'),
    '{"question": "What is 1 + 2?", "answer": "3"}\n{"question": "2 + 2?", "answer": "4"}\n',
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const heddle = (...args: readonly string[]): Promise<Ended> => program(bin, args, { cwd: folder });
const curriculum = (out: string, ...more: readonly string[]): readonly string[] =>
  ['curriculum', '--config', 'small.json', '--width', '16', '--depth', '1', '--out', out, ...more]; // prettier-ignore
const objects = ({ stdout }: Pick<Ended, 'stdout'>): readonly Record<string, unknown>[] =>
  stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
const weightsOf = (out: string): Buffer => readFileSync(join(folder, out, 'model', 'model.safetensors'));

/** Kills a process as soon as it has written so many lines. @returns whether it was still at work */
const killedAfter = (lines: number, args: readonly string[]): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', bin), ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let seen = 0;
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      seen += piece.split('\n').length - 1;
      if (seen >= lines) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_, signal) => resolve(signal === 'SIGKILL'));
  });

describe('heddle start', { timeout: 300_000 }, () => {
  it('goes through the whole curriculum, in a job that the slow reference can do too', async () => {
    const ended = await heddle('start', '--backend', 'reference', '--out', 'started');
    expect([ended.code, ended.stderr]).toEqual([0, expect.any(String)]);
    for (const stage of ['arithmetic', 'cold-start', 'rl-easy', 'rl-harder', 'more-arithmetic', 'rl-harder-sequential'])
      expect(ended.stdout).toMatch(new RegExp(String.raw`\n${stage} +\d+ +[\d,]+ +\d+ % \(`));
    expect(ended.stdout).toContain('Try next: heddle think --model');
  });

  it('refuses what belongs to other tasks', async () => {
    const refused = await heddle('start', '--steps', '5', '--out', 'refused');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--task translation or language')]);
  });
});

const [engine] = present(onnxBackends);
describe.skipIf(engine === undefined)('heddle curriculum', { timeout: 300_000 }, () => {
  let whole: Ended;
  let lines = 0;
  beforeAll(async () => {
    whole = await heddle(...curriculum('whole', '--json'));
    lines = objects(whole).length;
  }, 300_000);

  it('says what each stage did, and leaves a model and a report, and nothing unfinished', async () => {
    expect([whole.code, whole.stderr]).toEqual([0, expect.any(String)]);
    const stages = objects(whole).filter(({ type }) => type === 'stage');
    expect(stages.map(({ name, steps }) => [name, steps])).toEqual([['lines', 25], ['gather', 0], ['cold', 25], ['rl', 12]]); // prettier-ignore
    expect(readdirSync(join(folder, 'whole', 'unfinished'))).toEqual([]);
    const page = await readFile(join(folder, 'whole', 'report.html'), 'utf8');
    for (const words of ['<figcaption>reward</figcaption>', '<figcaption>parallelRatio</figcaption>', 'small, stage by stage', '<details class="answer"', 'right answer']) expect(page).toContain(words); // prettier-ignore
    expect(page).not.toMatch(/(src|href)="http/);
  });

  it('plans without doing, and finds what is done', async () => {
    const before = await heddle(...curriculum('planned', '--plan'));
    expect(before.stdout).toMatch(/begin +1 +\w{12} +runs/);
    expect(before.stdout).toMatch(/rl +1 +- +depends on the stage before/);
    const after = await heddle(...curriculum('whole', '--plan'));
    expect(after.stdout.match(/cached/g)).toHaveLength(5);
    const again = await heddle(...curriculum('whole'));
    expect(again.stdout).toContain('rl is there already');
    expect(again.stdout).toMatch(/\nrl +12 +[\d,]+ +\d+ % \(/);
  });

  it('killed at random moments, goes on to the same weights', async () => {
    const draw = uniforms(11, 0);
    let kills = 0;
    for (let chain = 0; chain < 3; chain++) {
      const out = `killed-${chain}`;
      for (let kill = 0; kill < 2; kill++) {
        const place = 1 + Math.floor(draw() * (lines / 2));
        if (await killedAfter(place, curriculum(out, '--json'))) kills++;
      }
      expect((await heddle(...curriculum(out, '--json'))).code).toBe(0);
      expect(weightsOf(out)).toEqual(weightsOf('whole'));
    }
    expect(kills).toBe(6);
  });

  it('teaches from a model that was trained, on problems of a file', async () => {
    const stages = [{ ...small.stages[3]!, name: 'rl-mine', problems: 'mine', steps: 1, style: 'sequential' }];
    writeFileSync(join(folder, 'mine.json'), JSON.stringify({ ...small, name: 'mine', stages, measure: { problems: ['mine'], count: 8, samples: 1 } })); // prettier-ignore
    const args = ['curriculum', '--config', 'mine.json', '--model', 'whole', '--out', 'mine', '--json'];
    const nowhere = await heddle(...args);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('--problems mine=FILE')]);
    const ended = await heddle(...args, '--problems', 'mine=mine.jsonl');
    expect([ended.code, ended.stderr]).toEqual([0, expect.any(String)]);
    expect(objects(ended).find(({ type }) => type === 'stage')).toMatchObject({
      name: 'rl-mine',
      measured: [{ count: 2 }],
    });
  });

  it('thinks aloud afterwards', async () => {
    const ask = (...more: readonly string[]) => heddle('think', '--model', 'whole', '--text', 'What is 1 + 2 + 3 + 4?', ...more); // prettier-ignore
    const shown = await ask('--samples', '2');
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('What is 1 + 2 + 3 + 4?')]);
    const [one, other] = [objects(await ask('--json')), objects(await ask('--json'))];
    expect(one).toEqual(other);
    expect(one[0]).toMatchObject({ type: 'answer', answers: [expect.any(String)] });
    expect((await ask('--paths', '0')).stderr).toContain('E_OPTION paths');
  });

  it.each([
    [['--preset', 'huge'], 'E_OPTION'],
    [['--preset', 'tiny,tiny'], 'E_OPTION'],
    [['--preset', 'tiny', '--config', 'small.json'], 'E_OPTION'],
    [['--config', 'absent.json'], 'E_FILE'],
    [['--problems', 'mine'], 'E_OPTION'],
    [['--model', 'absent'], 'E_MODEL'],
  ])('%j is refused before anything is learnt', async (args, code) => {
    const ended = await heddle('curriculum', ...args, '--out', 'refused');
    expect([ended.code, ended.stderr.slice(0, code.length)]).toEqual([code === 'E_OPTION' ? 2 : 1, code]);
  });
});
