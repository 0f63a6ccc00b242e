/**
 * `npm test`: build, lint, types and tests of every package, then one line that adds everything up.
 *
 * What fails without being a test (a build, a file that is not formatted, a suite that cannot be loaded) counts as one
 * failed, so that the last line never looks better than the run was.
 */

import './node-version.mjs';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { bootstrap, main, nx } from './bootstrap.mjs';
import { locked } from './lock.mjs';
import { packageFolders, readJson, root } from './workspace.mjs';

const reportOf = folder => join(root, folder, 'reports', 'vitest.json');
const nameOf = folder => readJson(join(root, folder, 'package.json')).name;

/** @returns the tasks nx reports as failed: `@heddle/core:test` */
async function check() {
  let output = '';
  const args = ['run-many', '-t', 'build', 'lint', 'types', 'test', '--output-style=static', ...process.argv.slice(2)];
  const { code, signal } = await nx(args, {
    onOutput: text => {
      process.stdout.write(text);
      output += text;
    },
  });
  if (signal !== null) process.kill(process.pid, signal);
  if (code === 0) return [];
  const plain = stripVTControlCharacters(output);
  const list = plain.slice(plain.lastIndexOf('Failed tasks:'));
  const tasks = [...list.matchAll(/^- (\S+:[\w-]+)$/gm)].map(match => match[1]);
  return tasks.length === 0 ? ['nx'] : tasks;
}

/** @returns counts over all reports, and the failed tasks that no failed test explains */
function sum(failedTasks) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const explained = new Set();
  for (const folder of packageFolders().filter(folder => existsSync(reportOf(folder)))) {
    const report = readJson(reportOf(folder));
    const unloaded = report.testResults.filter(
      suite => suite.status === 'failed' && suite.assertionResults.length === 0,
    );
    const failed = report.numFailedTests + unloaded.length;
    total.passed += report.numPassedTests;
    total.failed += failed;
    total.skipped += report.numPendingTests + report.numTodoTests;
    if (failed > 0) explained.add(`${nameOf(folder)}:test`);
  }
  const other = failedTasks.filter(task => !explained.has(task));
  total.failed += other.length;
  return { ...total, other };
}

await main(() =>
  locked(
    'test',
    text => process.stderr.write(`${text}\n`),
    async () => {
      // A report left from before would be counted for a project whose tests cannot start now.
      for (const folder of packageFolders()) rmSync(reportOf(folder), { force: true });
      let failedTasks = [];
      try {
        await bootstrap();
        failedTasks = await check();
      } catch (error) {
        process.stderr.write(`${error.message}\n`);
        failedTasks = ['bootstrap'];
      }
      const { passed, failed, skipped, other } = sum(failedTasks);
      if (other.length > 0) process.stdout.write(`Failed besides tests: ${other.join(', ')}\n`);
      process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
      process.exitCode = failed > 0 ? 1 : 0;
    },
  ),
);
