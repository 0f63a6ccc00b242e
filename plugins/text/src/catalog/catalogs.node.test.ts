import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogBytes } from '../../fixtures/catalog-bytes.js';
import { catalogLanguages, defaultRoots, readCatalogs } from './catalogs.node.js';

let root: string;
const write = async (language: string, domain: string, content: Uint8Array | string): Promise<void> => {
  const folder = join(root, language, 'LC_MESSAGES');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${domain}.mo`), content);
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'heddle-catalogs-'));
  await write(
    'de',
    'a',
    catalogBytes({ messages: { 'Open it': 'Öffne es', 'Close it': 'Schließe es', 'x %s': 'y %s' } }),
  );
  await write('de', 'b', catalogBytes({ messages: { 'Open it': 'Öffne es', 'Close it': 'Mach zu', 'a\0b': 'c\0d' } }));
  await write('de', 'c', catalogBytes({ messages: { 'Close it': 'Schließe es' } }));
  await write('de', 'broken', 'no catalog at all, but long enough');
  await write('de', 'iso_639', catalogBytes({ messages: { German: 'Deutsch' } }));
  await write('fr', 'a', catalogBytes({ messages: { 'Open it': 'Ouvre-le' } }));
  await write('pt_BR', 'a', catalogBytes({ messages: { 'Open it': 'Abra-o' } }));
});
afterAll(() => rm(root, { recursive: true }));

const texts = (pairs: readonly { readonly source: string; readonly target: string }[]) =>
  pairs.map(({ source, target }) => `${source} = ${target}`).sort();

describe('catalogs', () => {
  it('give each message once, count what is left out, and name what is broken', async () => {
    const { pairs, seen, dropped, broken, catalogs } = await readCatalogs({ target: 'de', roots: [root] });
    expect(texts(pairs)).toEqual(['Close it = Schließe es', 'Open it = Öffne es']);
    expect(Object.fromEntries(dropped.map(({ reason, count }) => [reason, count]))).toEqual({
      placeholder: 1,
      plural: 1,
      duplicate: 2,
      'another translation of the same source': 1,
    });
    expect(seen).toBe(pairs.length + dropped.reduce((sum, { count }) => sum + count, 0));
    expect(dropped.find(({ reason }) => reason === 'plural')?.first).toBe("b.mo 'a'");
    expect(broken).toEqual([{ name: expect.stringContaining('broken.mo'), reason: expect.stringContaining('.mo') }]);
    expect(catalogs).toBe(3);
  });

  it('join two languages by message, which stays the key', async () => {
    const { pairs } = await readCatalogs({ source: 'fr', target: 'de', roots: [root] });
    expect(pairs).toEqual([expect.objectContaining({ source: 'Ouvre-le', target: 'Öffne es', key: 'Open it' })]);
  });

  it('find a language by its country where it has no folder of its own', async () => {
    expect(texts((await readCatalogs({ target: 'pt', roots: [root] })).pairs)).toEqual(['Open it = Abra-o']);
    expect(texts((await readCatalogs({ target: 'pt-BR', roots: [root] })).pairs)).toEqual(['Open it = Abra-o']);
  });

  it('refuse a language that they do not have, and name those that they have', async () => {
    await expect(readCatalogs({ target: 'tlh', roots: [root] })).rejects.toMatchObject({
      code: 'E_LANGUAGE',
      message: expect.stringContaining('de, fr, pt_BR'),
    });
    await expect(readCatalogs({ target: 'de', roots: [join(root, 'none')] })).rejects.toMatchObject({
      code: 'E_LANGUAGE',
      message: expect.stringContaining('none is installed'),
    });
    await expect(readCatalogs({ target: 'de', roots: [root], except: ['a', 'b', 'c', 'iso'] })).rejects.toMatchObject({
      code: 'E_EMPTY',
    });
  });

  it('are listed by language', async () => {
    expect(await catalogLanguages([root])).toEqual([
      { language: 'de', catalogs: 5 },
      { language: 'fr', catalogs: 1 },
      { language: 'pt_BR', catalogs: 1 },
    ]);
  });
});

const installed = (await catalogLanguages(await defaultRoots())).some(
  one => one.language === 'de' && one.catalogs > 20,
);
it.skipIf(!installed)("this machine's catalogs are sentences (skipped where there are none for German)", async () => {
  const { pairs, seen, dropped } = await readCatalogs({ target: 'de' });
  expect(seen).toBe(pairs.length + dropped.reduce((sum, { count }) => sum + count, 0));
  expect(new Set(pairs.map(pair => pair.source)).size).toBe(pairs.length);
  expect(pairs.filter(({ source, target }) => /%[sd]|\n|\{\w+\}/.test(source + target))).toEqual([]);
});
