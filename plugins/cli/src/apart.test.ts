/** Stages in processes: a small program stands in for the command, and does what the name of its stage says. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runApart } from './apart.js';

const program = `
const stage = process.env.HEDDLE_STAGE;
console.log(JSON.stringify({ type: 'stage', stage, args: process.argv.slice(2) }));
if (stage.startsWith('fails')) {
  console.error('E_DATA no such text');
  process.exitCode = 1;
} else if (stage.startsWith('waits')) {
  const timer = setInterval(() => {}, 1000);
  process.stdin.resume().once('end', () => {
    console.log(JSON.stringify({ type: 'stopped', stage }));
    clearInterval(timer);
    process.exitCode = 130;
  });
}
`;

let folder: string;
const argv = process.argv;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'apart-'));
  await writeFile(join(folder, 'program.mjs'), program);
  process.argv = [argv[0]!, join(folder, 'program.mjs'), 'multilingual', '--seed', '1'];
});
afterAll(async () => {
  process.argv = argv;
  await rm(folder, { recursive: true });
});

async function run(stages: readonly string[], { width = 2, stopAt = '' } = {}) {
  const stop = new AbortController();
  const lines: Record<string, unknown>[] = [];
  const started: string[] = [];
  await runApart({
    stages,
    width,
    signal: stop.signal,
    started: stage => started.push(stage),
    line(_, text) {
      const line = JSON.parse(text) as Record<string, unknown>;
      lines.push(line);
      if (line['stage'] === stopAt) stop.abort();
    },
  });
  return { lines, started };
}

describe('stages apart', () => {
  it('run each once, by the same arguments, and are heard', async () => {
    const { lines, started } = await run(['a', 'b', 'c d', 'e']);
    expect(started).toEqual(['a', 'b', 'c d', 'e']);
    expect(lines.map(({ stage }) => stage).toSorted()).toEqual(['a', 'b', 'c d', 'e']);
    expect(lines[0]!['args']).toEqual(['multilingual', '--seed', '1']);
  });

  it('that fail end the run with their words; others are stopped, waited for, and none is begun', async () => {
    const failed = run(['waits', 'fails', 'never']);
    await expect(failed).rejects.toMatchObject({ code: 'E_STAGE', message: expect.stringMatching(/'fails': .* with 1: E_DATA no such text/) as string }); // prettier-ignore
  });

  it('are stopped with the run, and end by themselves', async () => {
    const { lines, started } = await run(['waits 1', 'waits 2', 'never'], { stopAt: 'waits 2' });
    expect(started).toEqual(['waits 1', 'waits 2']);
    expect(lines.filter(({ type }) => type === 'stopped')).toHaveLength(2);
  });
});
