/** docs/primitives.md is what the table prints. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

describe.skipIf(!existsSync(join(root, 'packages/core/dist/index.js')))('docs/primitives.md', () => {
  it('is current', () => {
    expect(() =>
      execFileSync(process.execPath, [join(root, 'scripts', 'document-primitives.mjs'), '--check'], { stdio: 'pipe' }),
    ).not.toThrow();
  });

  it('has a row for each primitive', async () => {
    const { primitives } = await import('@heddle/core');
    const page = await readFile(join(root, 'docs', 'primitives.md'), 'utf8');
    const named = [...page.matchAll(/^\| \d+ \| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(named).toEqual(primitives().map(({ name }) => name));
  });
});
