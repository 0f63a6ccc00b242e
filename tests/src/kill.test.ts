/** The kill script at a tenth of its length or less; `node tests/kill/run.mjs --times 200` is the whole. */

import { expect, it } from 'vitest';
import { program } from './support/programs.js';

it('goes on from a whole checkpoint after each of ten kills', async () => {
  const { code, stdout, stderr } = await program('kill/run.mjs', ['--times', '10', '--json']);
  expect(stderr).toBe('');
  const report = JSON.parse(stdout) as Readonly<Record<string, number>>;
  expect(report).toMatchObject({ kills: 10, failures: 0 });
  expect(report['resumed']).toBeGreaterThan(0);
  expect(code).toBe(0);
}, 90_000);

it('refuses an option that does not exist', async () => {
  const { code, stderr } = await program('kill/run.mjs', ['--time', '10']);
  expect(code).not.toBe(0);
  expect(stderr).toContain('--time');
});
