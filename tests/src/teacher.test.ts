/** A cold start whose traces a server gives: through the command, killed in the middle, and without the server. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { standIn, type StandInOptions } from '@heddle/openai-client/testing';
import { generateProblem, parallelTrace } from '@heddle/rl-grpo';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const bin = '../plugins/cli/dist/bin.js';

const problems = Array.from({ length: 40 }, (_, i) => generateProblem(5, i, 1));
const traces = new Map(problems.map(one => [one.problem, parallelTrace(one)]));
const chat: StandInOptions['chat'] = ([message]) =>
  `<think>hm</think>${traces.get(/Problem: ([^]*)$/.exec(message!.content)![1]!)}`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'teacher-'));
  await writeFile(join(folder, 'easy.jsonl'), problems.map(one => JSON.stringify(one)).join('\n'));
  const curriculum = {
    name: 'asked',
    promptLength: 32,
    responseLength: 72,
    measure: { problems: [], count: 1, samples: 1 },
    stages: [{ kind: 'gather', name: 'gather', problems: 'easy', teacher: 'server', count: 40 }],
  };
  await writeFile(join(folder, 'curriculum.json'), JSON.stringify(curriculum));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @param until kills the command once it holds */
async function gather(url: string, out: string, until: () => boolean = () => false) {
  const own = ['--config', join(folder, 'curriculum.json'), '--problems', `easy=${join(folder, 'easy.jsonl')}`];
  const command = spawn(process.execPath, [bin, 'curriculum', ...own, '--teacher', url, '--teacher-model', 'm', '--at-once', '4', '--width', '16', '--depth', '1', '--backend', 'reference', '--out', join(folder, out)]); // prettier-ignore
  let text = '';
  for (const stream of [command.stdout, command.stderr]) stream.on('data', chunk => (text += String(chunk)));
  const watch = setInterval(() => until() && command.kill('SIGKILL'), 5);
  const code = await new Promise<number | null>(resolve => command.on('close', resolve));
  clearInterval(watch);
  return { code, text };
}

describe('heddle curriculum with a teacher', { timeout: 120_000 }, () => {
  it('keeps what a server solved when it is killed, and asks for the rest alone', async () => {
    const stand = await standIn({ dialect: 'vllm', chat, fault: request => (request % 10 === 3 ? { kind: 'status', status: 503, retryAfter: '0' } : { kind: 'delay', milliseconds: 40 }) }); // prettier-ignore
    const killed = await gather(stand.url, 'run', () => stand.requests.length >= 20);
    expect(killed.code).toBeNull();
    const before = stand.requests.length;
    const done = await gather(stand.url, 'run');
    await stand.close();
    expect(done.text).toContain('40 of 40 traces kept');
    expect(done.code).toBe(0);
    // 40 solutions, one in ten asked for twice; of those under way at the kill, four at most were lost.
    expect(before).toBeGreaterThanOrEqual(20);
    expect(stand.requests.length - before).toBeLessThanOrEqual(40 - (before - 3 - 4) + 6);
  });

  it('says what a dead server means, and what is kept', async () => {
    const stand = await standIn({ dialect: 'vllm', chat });
    await stand.close();
    const { code, text } = await gather(stand.url, 'dead');
    expect(code).toBe(1);
    expect(text).toMatch(/E_SERVER.*ECONNREFUSED/);
  });
});
