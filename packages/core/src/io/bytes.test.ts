import { describe, expect, it } from 'vitest';
import { blobSource, memorySink, memorySource } from './bytes.js';

const bytes = Uint8Array.of(1, 2, 3, 4, 5);

describe.each([
  ['memory', () => memorySource(bytes)],
  ['blob', () => blobSource(new Blob([bytes]))],
] as const)('a source in a %s', (_, open) => {
  it('gives ranges', async () => {
    const source = open();
    expect(source.size).toBe(5);
    expect([...(await source.read(1, 3))]).toEqual([2, 3]);
    expect([...(await source.read(5, 5))]).toEqual([]);
    await source.close();
  });

  it.each([
    [0, 6],
    [-1, 2],
    [3, 2],
    [0.5, 2],
    [NaN, 2],
    [0, Infinity],
  ])('refuses %d to %d', async (start, end) => {
    await expect(open().read(start, end)).rejects.toMatchObject({
      code: 'E_IO',
      details: { reason: 'range', size: 5 },
    });
  });
});

it('a blob that gives less than it promised is refused', async () => {
  const liar = { size: 10, slice: () => ({ arrayBuffer: async () => new ArrayBuffer(3) }) };
  await expect(blobSource(liar).read(0, 8)).rejects.toMatchObject({
    code: 'E_IO',
    details: { reason: 'short', expected: 8, received: 3 },
  });
});

describe('a sink in memory', () => {
  it('shows what was written once finished, and keeps no hold on the chunks', async () => {
    const sink = memorySink();
    const chunk = Uint8Array.of(1, 2);
    await sink.write(chunk);
    chunk.fill(9);
    await sink.write(Uint8Array.of(3));
    expect(() => sink.bytes()).toThrow(expect.objectContaining({ code: 'E_IO' }));
    await sink.finish();
    expect([...sink.bytes()]).toEqual([1, 2, 3]);
  });

  it('shows nothing after an abort', async () => {
    const sink = memorySink();
    await sink.write(bytes);
    await sink.abort();
    await sink.abort();
    expect(() => sink.bytes()).toThrow(expect.objectContaining({ code: 'E_IO' }));
  });
});
