import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainBpe } from './bpe-train.js';
import { openText, textSource } from './source.js';
import { saveTokenizer } from './tokenizer.node.js';

const text = 'The heddle lifts the thread. '.repeat(40);
const sizes = { batch: 2, length: 8 };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-source-'));
  await writeFile(join(folder, 'corpus.txt'), text);
});
afterAll(() => rm(folder, { recursive: true }));

describe('the text source', () => {
  it('gives the same batches from files and from the text itself', async () => {
    const fromFile = await textSource.open({ files: join(folder, 'corpus.txt'), ...sizes });
    const fromText = await textSource.open({ text, ...sizes });
    expect(await fromFile.next()).toEqual(await fromText.next());
  });

  it('takes a tokeniser, its JSON or its file', async () => {
    const tokenizer = trainBpe([text], { vocabularySize: 280 });
    const path = join(folder, 'tokenizer.json');
    await saveTokenizer(path, tokenizer);
    const first = async (given: unknown) => (await textSource.open({ text, tokenizer: given, ...sizes })).next();
    const expected = await first(tokenizer);
    expect(await first(path)).toEqual(expected);
    expect(await first(tokenizer.toJSON())).toEqual(expected);
    expect(await first('byte')).not.toEqual(expected);
  });

  it('keeps a part for validation, in order and once through when asked', async () => {
    const train = await openText({ text, ...sizes, share: 0.25 });
    const validation = await openText({ text, ...sizes, share: 0.25, part: 'validation', shuffle: false, epochs: 1 });
    expect(train.tokens + validation.tokens).toBe(text.length); // two <eos>, and of each part the first token is not predicted
    let tokens = 0;
    for (let next = await validation.next(); next; next = await validation.next()) tokens += next.tokens;
    expect(tokens).toBe(validation.tokens);
  });

  it.each([
    [{}, 'E_OPTION', 'batch'],
    [{ batch: 2 }, 'E_OPTION', 'length'],
    [{ ...sizes }, 'E_OPTION', 'neither'],
    [{ ...sizes, text, files: 'a' }, 'E_OPTION', 'both'],
    [{ ...sizes, text, lenght: 3 }, 'E_OPTION', 'lenght'],
    [{ ...sizes, text, toString: 3 }, 'E_OPTION', 'toString'],
    [{ ...sizes, text: 3 }, 'E_OPTION', 'text'],
    [{ ...sizes, text, batch: '2' }, 'E_OPTION', 'batch'],
    [{ ...sizes, text, part: 'test' }, 'E_OPTION', 'part'],
    [{ ...sizes, text, tokenizer: 3 }, 'E_OPTION', 'tokenizer'],
    [{ ...sizes, text, tokenizer: {} }, 'E_TOKENIZER', 'format'],
    [{ ...sizes, text, tokenizer: 'missing.json' }, 'E_IO', 'missing.json'],
    [{ ...sizes, files: 'missing.txt' }, 'E_IO', 'missing.txt'],
    [{ ...sizes, text: '' }, 'E_EMPTY', 'text 1'],
    [{ ...sizes, text: ['a', ' '] }, 'E_EMPTY', 'text 2'],
    [{ ...sizes, text: [] }, 'E_EMPTY', 'list'],
    [{ ...sizes, text, part: 'validation' }, 'E_EMPTY', 'validation'],
  ] as const)('refuses %j with %s', async (options, code, named) => {
    await expect(textSource.open(options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(named) as string,
    });
  });
});
