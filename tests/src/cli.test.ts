/** The `heddle` command as a person types it: trains, is stopped, goes on, writes, exports; each in a process of its own. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program, type Ended } from './support/programs.js';

const bin = '../plugins/cli/dist/bin.js';
const steps = 24;
let folder = '';
let text = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-cli-'));
  text = join(folder, 'notes.txt');
  const lines = Array.from({ length: 400 }, (_, i) => `Line ${i}: a warp holds the weft, number ${(i * 37) % 101}.\n`);
  writeFileSync(text, lines.join(''));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const heddle = (...args: readonly string[]): Promise<Ended> => program(bin, args, { cwd: folder });
const objects = ({ stdout }: Pick<Ended, 'stdout'>): readonly Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Record<string, unknown>);

const pairs = (options: Readonly<Record<string, string | number>>): readonly string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);

const training = (out: string): readonly string[] => [
  'train',
  '--json',
  ...pairs({ text, out, model: 'tiny', tokenizer: 'byte', dropout: 0.1 }),
  ...pairs({ steps, batch: 4, length: 32, 'checkpoint-every': 7, 'evaluate-every': 0 }),
];

/** Runs until a step was reported, then sends a signal, and waits for the end. */
function stoppedAt(step: number, signal: NodeJS.Signals, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, '..', bin);
    const child = spawn(process.execPath, [script, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr, sent] = ['', '', false];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      stdout += piece;
      if (sent || !stdout.includes(`"step":${step},`)) return;
      sent = true;
      child.kill(signal);
    });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece));
    child.on('error', reject);
    child.on('close', (code, by) => resolve({ code, signal: by, stdout, stderr }));
  });
}

/** Every file of the trained model, by name. */
async function modelIn(out: string): Promise<Record<string, Buffer>> {
  const at = join(folder, out, 'model');
  const names = (await readdir(at)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async name => [name, await readFile(join(at, name))] as const)),
  );
}

describe('heddle train', () => {
  it('trains to the end, and says so in JSON', async () => {
    const ended = await heddle(...training('whole'));
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    const events = objects(ended);
    expect(events[0]).toMatchObject({ type: 'run.started', steps, resumedFrom: null, backend: 'onnx:cpu' });
    expect(events.filter(({ type }) => type === 'step.finished').map(({ step }) => step)).toEqual(
      Array.from({ length: steps }, (_, i) => i + 1),
    );
    expect(events.filter(({ type }) => type === 'checkpoint.saved').map(({ step }) => step)).toEqual([7, 14, 21, 24]);
    const last = events.at(-1) as { readonly type: string; readonly loss: number };
    expect(last.type).toBe('trained');
    const first = events.find(({ type }) => type === 'step.finished') as unknown as { readonly loss: number };
    expect(last.loss).toBeLessThan(first.loss);
    expect(Object.keys(await modelIn('whole'))).toContain('model.safetensors');
  });

  it('stops at Ctrl-C with a checkpoint, and goes on to the same bytes', async () => {
    const stopped = await stoppedAt(9, 'SIGINT', training('stopped'));
    expect(stopped.code).toBe(130);
    const saved = objects(stopped).findLast(({ type }) => type === 'checkpoint.saved') as { readonly step: number };
    expect(saved.step).toBeGreaterThanOrEqual(9);
    expect(saved.step).toBeLessThan(steps);
    await expect(stat(join(folder, 'stopped', 'model'))).rejects.toThrow('ENOENT');

    const rest = await heddle('train', '--json', '--resume', '--out', 'stopped');
    expect(rest.code).toBe(0);
    expect(objects(rest)[0]).toMatchObject({ type: 'run.started', resumedFrom: saved.step });
    expect(await modelIn('stopped')).toEqual(await modelIn('whole'));
  });

  it('goes on from its last checkpoint when it was killed, to the same bytes', async () => {
    const killed = await stoppedAt(11, 'SIGKILL', training('killed'));
    expect(killed.signal).toBe('SIGKILL');
    const rest = await heddle('train', '--json', '--resume', '--out', 'killed');
    expect(rest.code).toBe(0);
    expect(objects(rest)[0]).toMatchObject({ type: 'run.started', resumedFrom: 7 });
    expect(await modelIn('killed')).toEqual(await modelIn('whole'));
  });

  it('has nothing to do where all steps are done, and refuses a folder that is used', async () => {
    const done = await heddle('train', '--json', '--resume', '--out', 'whole');
    expect([done.code, done.stdout]).toEqual([0, '']);
    expect(done.stderr).toContain('nothing is left to do');
    const before = await modelIn('whole');
    const again = await heddle(...training('whole'));
    expect(again.code).toBe(1);
    expect(objects(again)).toMatchObject([{ type: 'error', code: 'E_EXISTS' }]);
    expect(await modelIn('whole')).toEqual(before);
  });

  it('refuses to go on with a setting that changes what a step computes', async () => {
    const other = await heddle('train', '--json', '--resume', '--out', 'whole', '--width', '64', '--steps', '30');
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('width');
  });
});

describe('what is done with a trained model', () => {
  it('heddle generate writes the same for the same seed, and other words for another', async () => {
    const write = (seed: string) =>
      heddle('generate', '--json', '--model', 'whole', '--prompt', 'Line', '--max-tokens', '24', '--seed', seed);
    const [one, same, other] = [await write('1'), await write('1'), await write('2')];
    expect(one.code).toBe(0);
    expect(one.stdout).toBe(same.stdout);
    expect(one.stdout).not.toBe(other.stdout);
  });

  it('heddle export writes a file that says what it is', async () => {
    const ended = await heddle('export', '--json', '--model', 'whole', '--out', 'whole.onnx');
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    expect(readFileSync(join(folder, 'whole.onnx')).includes('heddle')).toBe(true);
  });

  it('says what is wrong with a model that is not there, in words and in JSON', async () => {
    const ended = await heddle('generate', '--json', '--model', 'nowhere', '--prompt', 'x');
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('nowhere');
    expect(objects(ended)).toMatchObject([{ type: 'error', code: 'E_MODEL' }]);
  });
});
