import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSink } from './bytes.node.js';
import { cleanPartials, isPartial, partialName, settle } from './partial.node.js';

const here = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const dead = spawnSync(process.execPath, ['-e', '']).pid;
const name = (of: string, pid: number, { host = here, kind = 'partial' } = {}): string =>
  `.${of}.${host}-${pid}-0123456789ab.${kind}`;

let folder: string;
let alive: ChildProcess | undefined;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'heddle-'));
});
afterEach(async () => {
  alive?.kill();
  await fs.rm(folder, { recursive: true });
});

describe('names', () => {
  it('stand beside what they will become and are recognised', () => {
    const partial = partialName('/models/a.b.safetensors');
    expect(partial).toMatch(/^\/models\/\.a\.b\.safetensors\.[0-9a-f]{8}-\d+-[0-9a-f]{12}\.partial$/);
    expect(isPartial(partial.slice('/models/'.length))).toBe(true);
    settle(partial);
  });

  it('are not confused with others', () => {
    expect(['model.partial', '.x.partial', 'x', '.hidden', name('x', 1).slice(1)].some(isPartial)).toBe(false);
  });
});

describe('cleaning', () => {
  it('removes files and folders of dead processes', async () => {
    await fs.writeFile(join(folder, name('x', dead)), '');
    await fs.mkdir(join(folder, name('step-1', dead), 'sub'), { recursive: true });
    await fs.writeFile(join(folder, 'keep'), '');
    expect(await cleanPartials(folder)).toEqual([name('step-1', dead), name('x', dead)]);
    expect(await fs.readdir(folder)).toEqual(['keep']);
  });

  it('removes what an earlier process with our number left, but not our own', async () => {
    const sink = await fileSink(join(folder, 'mine'));
    const old = name('x', process.pid);
    await fs.writeFile(join(folder, old), '');
    expect(await cleanPartials(folder)).toEqual([old]);
    await sink.finish();
    expect(await fs.readdir(folder)).toEqual(['mine']);
  });

  it('leaves living processes alone', async () => {
    alive = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    await fs.writeFile(join(folder, name('x', alive.pid!)), '');
    expect(await cleanPartials(folder)).toEqual([]);
  });

  it('leaves other machines a day', async () => {
    const foreign = name('x', dead, { host: '00000000' });
    await fs.writeFile(join(folder, foreign), '');
    expect(await cleanPartials(folder)).toEqual([]);
    const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
    await fs.utimes(join(folder, foreign), yesterday, yesterday);
    expect(await cleanPartials(folder)).toEqual([foreign]);
  });

  it('puts back what a killed replacement had moved aside', async () => {
    await fs.mkdir(join(folder, name('step-1', dead, { kind: 'replaced' })));
    await fs.mkdir(join(folder, name('step-1', dead))); // the new one, never put in place
    await cleanPartials(folder);
    expect(await fs.readdir(folder)).toEqual(['step-1']);
  });

  it('removes what a finished replacement had moved aside', async () => {
    await fs.mkdir(join(folder, name('step-1', dead, { kind: 'replaced' })));
    await fs.mkdir(join(folder, 'step-1', 'new'), { recursive: true });
    await cleanPartials(folder);
    expect(await fs.readdir(folder)).toEqual(['step-1']);
    expect(await fs.readdir(join(folder, 'step-1'))).toEqual(['new']);
  });

  it('says when there is no folder', async () => {
    await expect(cleanPartials(join(folder, 'absent'))).rejects.toMatchObject({ code: 'E_IO' });
  });
});
