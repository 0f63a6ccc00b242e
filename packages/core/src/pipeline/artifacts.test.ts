import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { artifactsIn, memoryArtifacts, parseUri } from './artifacts.js';
import { openFolderStore } from './artifacts.node.js';
import type { Store } from './executor.js';
import { memoryResults } from './results.js';

const folders: string[] = [];
const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'heddle-store-'));
  folders.push(made);
  return made;
};
afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true, force: true });
});

async function* chunks(...parts: readonly (readonly number[])[]): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(8); // reused, as sources do
  for (const part of parts) {
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}

const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'; // SHA-256 of 'abc', FIPS 180-4
const key = 'a'.repeat(64);
const letters = new TextEncoder().encode('abc');

const stores: readonly (readonly [string, () => Promise<Store>])[] = [
  ['in memory', async () => ({ artifacts: memoryArtifacts(), results: memoryResults() })],
  ['in a folder', async () => openFolderStore(await folder())],
];

describe.each(stores)('artifacts %s', (_, open) => {
  it('are named by what is in them', async () => {
    const { artifacts } = await open();
    const uri = await artifacts.put('letters.txt', letters);
    expect(uri).toBe(`artifact:${abc}/letters.txt`);
    expect(await artifacts.put('letters.txt', chunks([97], [], [98, 99]))).toBe(uri);
    const artifact = await artifacts.open(uri);
    expect([artifact.name, artifact.size, artifact.uri]).toEqual(['letters.txt', 3, uri]);
    expect(await artifact.bytes()).toEqual(letters);
    expect([await artifacts.has(uri), await artifacts.has(`artifact:${key}/letters.txt`)]).toEqual([true, false]);
  });

  it('are read in ranges and as streams', async () => {
    const { artifacts } = await open();
    const artifact = await artifacts.open(await artifacts.put('x', letters));
    expect(await artifact.read(1, 3)).toEqual(letters.slice(1, 3));
    expect(await artifact.read(3, 3)).toHaveLength(0);
    for (const [start, end] of [
      [1, 4],
      [-1, 2],
      [2, 1],
      [0.5, 1],
    ] as const)
      await expect(artifact.read(start, end)).rejects.toMatchObject({ code: 'E_IO' });
    await artifact.close();
    const streamed: number[] = [];
    for await (const chunk of artifact.stream()) streamed.push(...chunk);
    expect(streamed).toEqual([...letters]);
  });

  it('do not change when the writer or a reader goes on with its buffer', async () => {
    const { artifacts } = await open();
    const bytes = letters.slice();
    const artifact = await artifacts.open(await artifacts.put('x', bytes));
    bytes.fill(0);
    (await artifact.bytes()).fill(0);
    (await artifact.read(0, 3)).fill(0);
    expect(await artifact.bytes()).toEqual(letters);
  });

  it('give back any bytes, however they were cut', async () => {
    const { artifacts } = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 5 }), async parts => {
        const whole = Uint8Array.from(parts.flatMap(part => [...part]));
        const uri = await artifacts.put('x', chunks(...parts.map(part => [...part])));
        expect(uri).toBe(await artifacts.put('x', whole));
        expect(await (await artifacts.open(uri)).bytes()).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('what is not there is refused by name', async () => {
    const { artifacts } = await open();
    const uri = `artifact:${key}/gone.bin`;
    await expect(artifacts.open(uri)).rejects.toMatchObject({
      code: 'E_ARTIFACT',
      message: expect.stringContaining(`artifact '${uri}': expected it in`),
    });
  });

  it.each(['', '.', '..', '../x', 'a/b', 'a\\b', 'C:x', 'a ', 'CON', 'a\u0000b', 'a\nb', 'x'.repeat(201)])(
    'refuses the name %j',
    async name => {
      const { artifacts } = await open();
      await expect(artifacts.put(name, letters)).rejects.toMatchObject({ code: 'E_NAME' });
    },
  );

  it.each([
    '/etc/passwd',
    'file:///etc/passwd',
    'artifact:../../etc/passwd',
    `artifact:${key}/../../x`,
    `artifact:${key}/..`,
    `artifact:${key}`,
    `artifact:${key.toUpperCase()}/x`,
    `artifact:${key}/a\nb`,
    '',
  ])('refuses the URI %j', async uri => {
    const { artifacts } = await open();
    await expect(artifacts.open(uri)).rejects.toMatchObject({ code: 'E_ARTIFACT' });
    await expect(artifacts.has(uri)).rejects.toMatchObject({ code: 'E_ARTIFACT' });
  });

  it('results are found by key, and are not changed by who holds them', async () => {
    const { results } = await open();
    expect(await results.read(key)).toBeNull();
    const output = { list: [1] };
    await results.write({ key, stage: 's', version: 1, output });
    output.list.push(2);
    expect(await results.read(key)).toEqual({ key, stage: 's', version: 1, output: { list: [1] } });
  });

  it('are written through a sink, and not at all when it fails or is aborted', async () => {
    const { artifacts } = await open();
    const uri = await artifacts.write('letters.txt', async sink => {
      for (const letter of letters) await sink.write(Uint8Array.of(letter));
      await sink.finish();
    });
    expect(uri).toBe(`artifact:${abc}/letters.txt`);
    await expect(
      artifacts.write('x', async sink => (await sink.write(Uint8Array.of(1)), sink.abort())),
    ).rejects.toMatchObject({ code: 'E_ARTIFACT', message: expect.stringContaining("artifact 'x'") });
    await expect(artifacts.write('x', () => Promise.reject(new Error('no more')))).rejects.toThrow('no more');
  });

  it('a source that fails leaves nothing, and its own error', async () => {
    const { artifacts } = await open();
    async function* failing(): AsyncIterable<Uint8Array> {
      yield letters;
      throw new Error('connection lost');
    }
    await expect(artifacts.put('x', failing())).rejects.toThrow('connection lost');
    expect(await artifacts.has(`artifact:${abc}/x`)).toBe(false);
  });
});

describe('a folder store', () => {
  it('is found again by another process', async () => {
    const root = await folder();
    const uri = await (await openFolderStore(root)).artifacts.put('x', letters);
    const artifact = await (await openFolderStore(root)).artifacts.open(uri);
    expect(await readFile(artifact.path!)).toEqual(Buffer.from(letters));
  });

  it('leaves nothing unfinished, neither after success nor after failure', async () => {
    const root = await folder();
    const { artifacts, results } = await openFolderStore(root);
    await artifacts.put('x', letters);
    await artifacts.put('y', letters);
    await results.write({ key, stage: 's', version: 1, output: null });
    await expect(artifacts.put('z', (async function* () { yield letters; throw new Error('stop'); })())).rejects.toThrow('stop'); // prettier-ignore
    expect(await readdir(join(root, 'unfinished'))).toEqual([]);
    expect(await readdir(join(root, 'files', 'ba'))).toEqual([abc]);
  });

  it('notices bytes that changed', async () => {
    const { artifacts } = await openFolderStore(await folder());
    const artifact = await artifacts.open(await artifacts.put('x', letters));
    await writeFile(artifact.path!, 'abd');
    await expect(artifact.bytes()).rejects.toMatchObject({
      code: 'E_ARTIFACT',
      message: expect.stringContaining(artifact.path!),
    });
  });

  it.each(['', '{', 'null', '[]', `{"key":"${'b'.repeat(64)}","output":1}`, `{"key":"${key}"}`])(
    'takes the result file %j for none',
    async text => {
      const root = await folder();
      const { results } = await openFolderStore(root);
      await writeFile(join(root, 'results', `${key}.json`), text);
      expect(await results.read(key)).toBeNull();
      await results.write({ key, stage: 's', version: 1, output: 1 });
      expect(await results.read(key)).toMatchObject({ output: 1 });
    },
  );

  it('refuses keys that are no keys', async () => {
    const { results } = await openFolderStore(await folder());
    await expect(results.read('../../etc/passwd')).rejects.toMatchObject({ code: 'E_STORE' });
  });

  it('clears away what a killed process left a day ago, and nothing younger', async () => {
    const root = await folder();
    await openFolderStore(root);
    const old = new Date(Date.now() - 25 * 60 * 60 * 1000);
    for (const name of ['old', 'young']) await writeFile(join(root, 'unfinished', name), 'x');
    await utimes(join(root, 'unfinished', 'old'), old, old);
    await openFolderStore(root);
    expect(await readdir(join(root, 'unfinished'))).toEqual(['young']);
  });

  it('that cannot be made says why', async () => {
    const root = await folder();
    await writeFile(join(root, 'file'), 'x');
    await expect(openFolderStore(join(root, 'file', 'store'))).rejects.toMatchObject({
      code: 'E_STORE',
      message: expect.stringMatching(/store .*file.store: could not be opened: .*ENOTDIR/),
    });
  });
});

it('URIs are found in any JSON', () => {
  const uri = `artifact:${key}/a b.bin`;
  expect(artifactsIn({ a: [uri, 1, null], b: { c: uri, d: 'artifact:none' } })).toEqual([uri, uri]);
  expect(parseUri(uri)).toEqual({ hash: key, name: 'a b.bin' });
});
