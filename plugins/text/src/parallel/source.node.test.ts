import { createHost, DATA } from '@heddle/core';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byteTokenizer } from '../byte.js';
import plugin from '../index.js';
import { corpusFrom, readCorpus, type Corpus } from './corpora.node.js';
import { openPairs } from './source.node.js';

let folder: string;
const path = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-pairs-'));
  await writeFile(
    path('a.tsv'),
    'en\tde\nwarp\tKette\nweft\tSchuss\nweft\tSchuss\n\tx\nlong\tl' + 'o'.repeat(40) + 'ng\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

describe('names of corpora', () => {
  it.each<[string, Corpus]>([
    ['a.tsv', { file: 'a.tsv' }],
    ['C:/my/a.tsv:en:de', { file: 'C:/my/a.tsv', source: 'en', target: 'de' }],
    ['a.tsv:2:1', { file: 'a.tsv', source: 2, target: 1 }],
    ['a.jsonl:t.en:2', { file: 'a.jsonl', source: 't.en', target: '2' }],
    ['a.en+a.de', { sourceFile: 'a.en', targetFile: 'a.de' }],
    ['catalogs:en-pt_BR', { catalogs: { source: 'en', target: 'pt_BR' } }],
    ['a.m2', { file: 'a.m2' }],
    ['summaries:en', { summaries: { language: 'en', count: 20_000 } }],
    ['corrections:de:9', { corrections: { language: 'de', count: 9 } }],
    ['grammar:de-fr:50', { grammar: { source: 'de', target: 'fr', count: 50 } }],
  ])('%s', (name, corpus) => {
    expect(corpusFrom(name)).toEqual(corpus);
  });

  it.each(['a.txt', 'catalogs:en', 'catalogs:en-de:5', 'a+b+c', ''])("'%s' is refused", name => {
    expect(() => corpusFrom(name)).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
  });

  it('descriptions that describe nothing are refused', async () => {
    await expect(readCorpus({} as Corpus)).rejects.toMatchObject({ code: 'E_OPTION' });
  });
});

describe('the source of pairs', () => {
  it('reads, filters, and reports what it left out', async () => {
    const batches = await openPairs({
      corpora: `${path('a.tsv')}:en:de`,
      longestTokens: 20,
      epochs: 1,
      buckets: 1,
      shuffle: false,
    });
    const { batch } = (await batches.next())!;
    const { decode } = byteTokenizer();
    expect(decode(batch.source.data as Int32Array)).toBe('warpweft');
    expect(decode(batch.targets.data as Int32Array)).toBe('KetteSchuss');
    expect(batches.corpora).toEqual([
      {
        seen: 5,
        pairs: [
          { source: 'warp', target: 'Kette', where: expect.stringContaining('line 2') },
          { source: 'weft', target: 'Schuss', where: expect.stringContaining('line 3') },
        ],
        unknown: 0,
        dropped: [
          { reason: 'duplicate', count: 1, first: expect.stringContaining('a.tsv line 4') },
          { reason: 'empty source', count: 1, first: expect.stringContaining('a.tsv line 5') },
          { reason: 'over 20 tokens', count: 1, first: expect.stringContaining('a.tsv line 6') },
        ],
      },
    ]);
  });

  it('is contributed as `pairs`, and its parts share no source', async () => {
    const host = createHost({ plugins: [plugin] });
    const source = host.find(DATA, 'pairs');
    const texts = async (part: string): Promise<Set<string>> => {
      const batches = await source.open({
        corpora: ['grammar:en-de:400', 'grammar:en-fr:300'],
        validation: 0.1,
        test: 0.1,
        part,
        epochs: 1,
        temperature: 1,
      });
      const found = new Set<string>();
      for (let next = await batches.next(); next !== null; next = await batches.next()) {
        const { data, shape } = next.batch['source']!;
        for (let row = 0; row < shape[0]!; row++)
          found.add(byteTokenizer().decode((data as Int32Array).subarray(row * shape[1]!, (row + 1) * shape[1]!)));
      }
      found.delete(''); // rows without a pair
      return found;
    };
    const [train, validation, test] = await Promise.all(['train', 'validation', 'test'].map(texts));
    expect(train!.size + validation!.size + test!.size).toBe(400);
    expect([...validation!, ...test!].filter(text => train!.has(text))).toEqual([]);
    expect([...validation!].filter(text => test!.has(text))).toEqual([]);
    await host.close();
  });

  it('tags sources with the language wanted', async () => {
    const tokenizer = byteTokenizer({ specials: ['<bos>', '<eos>', '<pad>', '<2de>'] });
    const corpora = { pairs: [{ source: 'warp', target: 'Kette' }], language: 'de' };
    const { batch } = (await (await openPairs({ corpora, tokenizer })).next())!;
    expect(tokenizer.decode(batch.source.data as Int32Array, { specials: true })).toBe('<2de>warp<eos>');
    await expect(openPairs({ corpora: { ...corpora, language: 'fr' }, tokenizer })).rejects.toMatchObject({
      code: 'E_LANGUAGE',
    });
  });

  it.each([
    [{}, 'corpora'],
    [{ corpora: [] }, 'corpora'],
    [{ corpora: 'grammar:en-de:9', part: 'test' }, 'share'],
    [{ corpora: 'grammar:en-de:9', part: 'all' }, 'part'],
    [{ corpora: 'grammar:en-de:9', token: 5 }, 'token'],
    [{ corpora: 'grammar:en-de:9', tokens: '5' }, 'tokens'],
    [{ corpora: 'grammar:en-de:9', toString: 5 }, 'toString'],
  ])('%j is refused', async (options, words) => {
    const host = createHost({ plugins: [plugin] });
    await expect(host.find(DATA, 'pairs').open(options)).rejects.toMatchObject({
      code: 'E_OPTION',
      message: expect.stringContaining(words),
    });
    await host.close();
  });
});
