import { resolve } from 'node:path';
import { atomicWriteFile } from '@heddle/core/node';
import type { CommandCall } from '@heddle/core';
import { readRun } from '../log.node.js';
import { reportPage } from '../page.js';

export async function runReport({ args, options, print }: CommandCall): Promise<number> {
  const runs = [];
  for (const path of args) runs.push(await readRun(path));
  const out = resolve(typeof options['out'] === 'string' ? options['out'] : 'report.html');
  const title = typeof options['title'] === 'string' ? options['title'] : undefined;
  await atomicWriteFile(out, reportPage(runs, title === undefined ? {} : { title }));
  const steps = runs.map(({ name, points }) => ({ name, steps: points.length }));
  if (options['json'] === true) print(JSON.stringify({ type: 'report', file: out, runs: steps }));
  else print(`${out}: ${steps.map(({ name, steps: n }) => `${name} (${n} steps)`).join(', ')}`);
  return 0;
}
