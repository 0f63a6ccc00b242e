/** The golden runner as its users see it: exit codes, the last line, and that a wrong number is found. */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const shared = join(root, '..', 'shared', 'golden');

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly lastLine: string;
}

const golden = (...args: string[]): Promise<Ran> =>
  new Promise(done => {
    execFile(process.execPath, [join(root, 'tests', 'golden.mjs'), ...args], (error, out, complaints) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      done({ code, out: out + complaints, lastLine: out.trimEnd().split('\n').at(-1)! });
    });
  });

/** 1 / (1 + exp(-x)) and its slope, worked out here. */
const s = (x: number): number => 1 / (1 + Math.exp(-x));
const array = (data: readonly number[]) => ({ shape: [data.length], dtype: 'float32', data });
const x = [-2, -0.5, 0, 1.5];
const silu = {
  id: 'silu-1',
  params: {},
  inputs: { x: array(x), dy: array([1, 2, 3, 4]) },
  outputs: { y: array(x.map(v => v * s(v))) },
  grads: { x: array(x.map((v, i) => (i + 1) * (s(v) + v * s(v) * (1 - s(v))))) },
};

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heddle-golden-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A folder of its own with these files in `torch/`. */
async function set(name: string, files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = join(dir, name);
  await mkdir(join(folder, 'torch'), { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(folder, 'torch', file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

describe.skipIf(!existsSync(join(root, 'packages/core/dist/golden/index.js')))('npm run golden', () => {
  it('passes right numbers, under whatever the file name ends in', async () => {
    const folder = await set('right', {
      'silu-17.json': [silu],
      'silu.public.json': [silu],
      'silu.jsonl': JSON.stringify(silu),
      'README.md': 'text',
    });
    const ran = await golden('--dir', folder);
    expect(ran).toMatchObject({ code: 0, lastLine: '3 passed, 0 failed' });
    expect(ran.out).toMatch(/torch +3 +3 +0 +\d\.\de-\d/);
  });

  it.each([
    [
      'a wrong output',
      { ...silu, outputs: { y: array([...x.slice(0, 3).map(v => v * s(v)), 1.2265]) } },
      /FAILED torch .*silu-1: y .* > 0.00001/,
    ],
    ['a wrong gradient', { ...silu, grads: { x: array([0, 0, 0, 0]) } }, /silu-1: dx/],
    ['another shape', { ...silu, outputs: { y: { ...silu.outputs.y, shape: [2, 2] } } }, /y Infinity/],
    ['nothing to compare', { ...silu, outputs: {}, grads: {} }, /nothing was compared/],
    ['an input that is not there', { ...silu, inputs: {} }, /silu-1/],
  ])('fails on %s', async (what, row, words) => {
    const folder = await set(what.replaceAll(' ', '-'), { 'silu-1.json': [row] });
    const ran = await golden('--dir', folder);
    expect(ran).toMatchObject({ code: 1, lastLine: '0 passed, 1 failed' });
    expect(ran.out).toMatch(words);
  });

  it('fails on a file that it does not know, one that is no JSON, and one without rows', async () => {
    const folder = await set('strange', { 'unheard-of.json': [silu], 'silu-2.json': '[{', 'relu.json': '[]' });
    const ran = await golden('--dir', folder);
    expect(ran).toMatchObject({ code: 1, lastLine: '0 passed, 3 failed' });
    expect(ran.out).toContain('unheard-of.json: unknown file');
    expect(ran.out).toContain('silu-2.json: cannot be run');
    expect(ran.out).toContain('relu.json: the file holds no case');
  });

  it('counts a kind that nothing implements as one failure and names it', async () => {
    const folder = await set('unknown-kind', { 'silu-1.json': [silu] });
    await mkdir(join(folder, 'astrology'));
    await writeFile(join(folder, 'astrology', 'a.json'), '[]');
    const all = await golden('--dir', folder);
    expect(all).toMatchObject({ code: 1, lastLine: '1 passed, 1 failed' });
    expect(all.out).toContain('FAILED astrology astrology: nothing implements this kind');
    expect(await golden('--dir', folder, '--kind', 'torch')).toMatchObject({ code: 0, lastLine: '1 passed, 0 failed' });
    expect(await golden('--dir', folder, '--kind', 'nonesuch')).toMatchObject({
      code: 1,
      lastLine: '0 passed, 1 failed',
    });
  });

  it('prints JSON when asked', async () => {
    const folder = await set('json', { 'silu-1.json': [silu] });
    expect(JSON.parse((await golden('--dir', folder, '--json')).out)).toMatchObject({
      passed: 1,
      failed: 0,
      kinds: [{ kind: 'torch', cases: 1 }],
    });
  });

  it('refuses unknown options and missing folders', async () => {
    expect((await golden('--frobnicate')).code).toBe(2);
    expect(await golden('--dir', join(dir, 'nowhere'))).toMatchObject({ code: 1, lastLine: '0 passed, 1 failed' });
  });

  it.skipIf(!existsSync(join(shared, 'torch')))(
    'passes every file of ../shared/golden/torch (skipped where that folder is not there)',
    async () => {
      const ran = await golden('--kind', 'torch');
      expect(ran.lastLine).toMatch(/^\d{2,} passed, 0 failed$/);
      expect(ran.code).toBe(0);
    },
  );

  it.skipIf(!existsSync(join(shared, 'torch')))(
    'finds every single output and gradient of that folder when it is changed (skipped where it is not there)',
    async () => {
      const folder = join(dir, 'bent');
      await mkdir(folder);
      await cp(join(shared, 'torch'), join(folder, 'torch'), { recursive: true });
      const names = [
        'layernorm',
        'attention-gqa-causal',
        'optimizers',
        'lr-schedules',
        'kd-kl',
        'dtype-rounding',
        'clip-grad-norm',
        'fairseq-label-smoothed-nll',
      ];
      for (const name of names) {
        const path = join(folder, 'torch', `${name}.public.json`);
        const rows = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>[];
        for (const row of rows) bend(row);
        await writeFile(path, JSON.stringify(rows));
      }
      const report = JSON.parse((await golden('--dir', folder, '--json')).out) as {
        readonly failures: readonly { readonly id: string }[];
        readonly failed: number;
      };
      const bent = (
        await Promise.all(
          names.map(
            async name =>
              (JSON.parse(await readFile(join(shared, 'torch', `${name}.public.json`), 'utf8')) as unknown[]).length,
          ),
        )
      ).reduce((a, b) => a + b);
      expect(report.failed).toBe(bent);
    },
  );
});

/** Changes one expected number of a row by a little more than is allowed. */
function bend(row: Record<string, unknown>): void {
  const stored = (value: unknown): value is { data: number[] } =>
    typeof value === 'object' && value !== null && 'data' in value;
  const spoil = (data: number[]): void => {
    const largest = Math.max(...data.map(Math.abs));
    data[0] = data[0]! + 2e-4 * (largest || 1);
  };
  const outputs = Object.values((row['outputs'] ?? {}) as Record<string, unknown>).filter(stored);
  if (outputs.length > 0) return spoil(outputs.at(-1)!.data);
  if ('paramsAfterStep' in row) return spoil((row['paramsAfterStep'] as { data: number[] }[][]).at(-1)!.at(-1)!.data);
  spoil((row['lr'] ?? row['bfloat16']) as number[]);
}
