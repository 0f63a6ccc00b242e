/** The long fuzzing command, run short: what nobody runs in a test stops working without anybody's notice. */

import { expect, it } from 'vitest';
import { program } from './support/programs.js';

it('judges 500 damaged safetensors files on the built reader', async () => {
  const { code, stdout, stderr } = await program('../packages/core/scripts/fuzz-safetensors.mjs', ['500', '3']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const [, refused, accepted] = /^500 mutations, (\d+) refused, (\d+) accepted, 0 violations$/m.exec(stdout)!;
  // Most damage shows; some changes nothing that a header promises, and must be taken.
  expect(Number(refused)).toBeGreaterThan(250);
  expect(Number(accepted)).toBeGreaterThan(0);
});
