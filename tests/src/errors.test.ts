/** docs/errors.md explains every code that the sources can throw, and no other. */

import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Codes in the text of a source, in any kind of quotes, block comments left out. */
const codesIn = (text: string): string[] =>
  [...text.replaceAll(/\/\*[\s\S]*?\*\//g, '').matchAll(/['"`](E_[A-Z][A-Z_]*)['"`]/g)].map(([, code]) => code!);

/** Every code in the sources of packages and plugins, tests left out, with the files that hold it. */
async function thrown(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const group of ['packages', 'plugins']) {
    for (const name of await readdir(join(root, group))) {
      const src = join(root, group, name, 'src');
      const files = await readdir(src, { recursive: true }).catch(() => []);
      for (const file of files.filter(f => /\.m?ts$/.test(f) && !f.endsWith('.test.ts'))) {
        const path = join(src, file);
        for (const code of codesIn(await readFile(path, 'utf8'))) {
          found.set(code, [...(found.get(code) ?? []), path.slice(root.length + 1)]);
        }
      }
    }
  }
  return found;
}

interface Entry {
  readonly code: string;
  readonly text: string;
}

async function documented(): Promise<Entry[]> {
  const page = await readFile(join(root, 'docs', 'errors.md'), 'utf8');
  return page
    .split(/^### /m)
    .slice(1)
    .map(part => ({
      code: part.split('\n', 1)[0]!.trim(),
      text: part.slice(part.indexOf('\n')).split(/^## /m)[0]!.trim(),
    }));
}

describe('docs/errors.md', () => {
  it('explains every code in the sources', async () => {
    const known = new Set((await documented()).map(({ code }) => code));
    const codes = await thrown();
    expect(codes.size).toBeGreaterThan(40);
    const missing = [...codes]
      .filter(([code]) => !known.has(code))
      .map(([code, files]) => `${code}: thrown in ${files[0]}`);
    expect(missing, 'add a paragraph for each to docs/errors.md').toEqual([]);
  });

  it('explains no code that nothing throws', async () => {
    const codes = await thrown();
    const stale = (await documented()).map(({ code }) => code).filter(code => !codes.has(code));
    expect(stale, 'take these out of docs/errors.md').toEqual([]);
  });

  it('has one entry for each code, of one to four lines', async () => {
    const entries = await documented();
    expect(new Set(entries.map(({ code }) => code)).size).toBe(entries.length);
    for (const { code, text } of entries) {
      expect(code).toMatch(/^E_[A-Z][A-Z_]*$/);
      expect(text.split('\n').length, code).toBeLessThanOrEqual(5);
      expect(text.length, code).toBeGreaterThan(60);
    }
  });

  it('finds codes in any kind of quotes, and only codes', () => {
    expect(
      codesIn(`fail('E_ONE'); x("E_TWO_B"); \`E_THREE\`; E_FOUR; 'E_'; 'E_${'$'}{x}'; 'e_five' /** 'E_SIX' */`),
    ).toEqual(['E_ONE', 'E_TWO_B', 'E_THREE']);
  });
});
