import type { CommandCall, Host } from '@heddle/core';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogBytes } from '../../fixtures/catalog-bytes.js';
import { commands } from '../commands.js';
import { readTokenizer } from '../tokenizer.node.js';

let folder: string;
const path = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-text-commands-'));
  await writeFile(path('a.tsv'), 'warp\tKette\nweft\tSchuss\n\tx\nweft\tSchuss\n');
  await writeFile(path('b.txt'), 'the warp and the weft and the heddle\n');
  await mkdir(path('locale/de/LC_MESSAGES'), { recursive: true });
  await writeFile(path('locale/de/LC_MESSAGES/a.mo'), catalogBytes({ messages: { Open: 'Auf' } }));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(name: string, args: readonly string[], options: CommandCall['options'] = {}) {
  const printed: string[] = [];
  const call: CommandCall = {
    args,
    options,
    signal: new AbortController().signal,
    print: text => printed.push(text),
    note: () => undefined,
  };
  const code = await commands.find(command => command.name === `text ${name}`)!.run(call, undefined as unknown as Host);
  return { code, printed, rows: () => printed.map(line => JSON.parse(line) as Readonly<Record<string, unknown>>) };
}

describe('text train-tokenizer', () => {
  it.each(['bpe', 'unigram'])('trains %s on documents and on pairs', async kind => {
    const out = path(`${kind}.json`);
    const { code, printed } = await run(
      'train-tokenizer',
      [path('b.txt'), `${path('a.tsv')}:1:2`, 'grammar:en-de:200'],
      {
        kind,
        size: '400',
        languages: ['de'],
        out,
      },
    );
    const tokenizer = await readTokenizer(out);
    expect(code).toBe(0);
    expect(printed[0]).toContain(`${kind} of ${tokenizer.vocabularySize} tokens`);
    expect(tokenizer.vocabularySize).toBeLessThanOrEqual(400);
    expect(Object.keys(tokenizer.specials)).toEqual(['<bos>', '<eos>', '<pad>', '<2de>']);
    await expect(run('train-tokenizer', [path('b.txt')], { out })).rejects.toMatchObject({ code: 'E_EXISTS' });
    const { rows } = await run('train-tokenizer', [path('b.txt')], {
      out,
      force: true,
      json: true,
      specials: ['<eos>'],
    });
    expect(rows()).toEqual([expect.objectContaining({ type: 'tokenizer', path: out, kind: 'bpe', texts: 1 })]);
  });

  it('says so when a text gives fewer tokens', async () => {
    const { printed } = await run('train-tokenizer', [path('b.txt')], { out: path('few.json'), size: '5000' });
    expect(printed.at(-1)).toContain('5000 were asked for');
  });
});

describe('text inspect', () => {
  it('counts what is kept and dropped, and the shapes of batches', async () => {
    const { rows } = await run('inspect', [path('a.tsv'), 'grammar:en-de:50'], {
      json: true,
      buckets: '2',
      examples: '1',
    });
    const [corpus, grammar, batches] = rows();
    expect(corpus).toMatchObject({
      pairs: 2,
      seen: 4,
      dropped: [
        { reason: 'duplicate', count: 1 },
        { reason: 'empty source', count: 1 },
      ],
      tokens: { source: { all: 10, median: 5, longest: 5 }, target: { all: 13, median: 7, longest: 7 } },
      examples: [{ source: 'warp', target: 'Kette' }],
    });
    expect(grammar).toMatchObject({ pairs: 50, unknown: 0 });
    expect((batches!['shapes'] as unknown[]).length).toBe(2);
    expect(batches!['padding']).toBeGreaterThan(0);
    expect(batches!['padding']).toBeLessThan(1);
  });

  it('tells people the same', async () => {
    const { printed } = await run('inspect', [path('a.tsv')]);
    const text = printed.join('\n');
    expect(text).toContain('2 pairs, 2 of 4 dropped');
    expect(text).toMatch(/1 empty source \(first: .*a\.tsv line 3\)/);
    expect(text).toMatch(/source +10 +5 +5 +5/);
    expect(text).toMatch(/an epoch: 2 batches, 0\.0 % padding/);
  });

  it.each([
    [{ tokens: '0' }, '--tokens'],
    [{ longestTokens: 'many' }, '--longest-tokens'],
    [{ ratio: '0.5' }, '--ratio'],
  ])('refuses %j', async (options, words) => {
    await expect(run('inspect', ['grammar:en-de:5'], options)).rejects.toMatchObject({
      code: 'E_OPTION',
      message: expect.stringContaining(words),
    });
  });
});

describe('text prepare', () => {
  it('writes parts that share no source', async () => {
    const out = path('parts');
    const { rows } = await run('prepare', ['grammar:en-de:300'], { out, test: '0.1', json: true });
    const parts = await Promise.all(
      ['train', 'validation', 'test'].map(async part =>
        (await readFile(`${out}/${part}.jsonl`, 'utf8'))
          .trimEnd()
          .split('\n')
          .map(line => JSON.parse(line) as { source: string }),
      ),
    );
    expect(rows().map(row => row['pairs'])).toEqual(parts.map(part => part.length));
    expect(new Set(parts.flat().map(({ source }) => source)).size).toBe(300);
    await expect(run('prepare', ['grammar:en-de:300'], { out })).rejects.toMatchObject({ code: 'E_EXISTS' });
    expect((await run('prepare', ['grammar:en-de:300'], { out, force: true })).printed).toHaveLength(3);
    await expect(run('prepare', ['grammar:en-de:300'])).rejects.toMatchObject({ code: 'E_OPTION' });
  });
});

describe('text catalogs', () => {
  it('lists languages', async () => {
    expect((await run('catalogs', [], { root: [path('locale')], json: true })).rows()).toEqual([
      { type: 'language', language: 'de', catalogs: 1 },
    ]);
    expect((await run('catalogs', [], { root: [path('locale')] })).printed).toEqual([
      'language  catalogs',
      'de               1',
    ]);
    expect((await run('catalogs', [], { root: [path('none')] })).printed).toEqual([
      expect.stringContaining('no catalogs'),
    ]);
  });
});
