/** Rows that a decoder learns, read back as words; prompts that do not fit. */

import { createHost, initialise, openReference } from '@heddle/core';
import { endsOf } from '@heddle/text';
import transformer from '@heddle/transformer';
import { afterAll, describe, expect, it } from 'vitest';
import { framingOf, openDirectionWriter, promptOf, writeAll } from './framing.js';
import { readMultilingualSettings } from './settings.js';
import { tokenizerOf, type MultilingualTexts } from './texts.js';

const pairs = [
  { source: 'The cook is here.', target: 'Der Koch ist hier.' },
  { source: 'A door.', target: 'Eine Tür.' },
  { source: 'The weaver holds the thread in the garden today.', target: 'Der Weber hält heute den Faden im Garten.' },
];
const texts: MultilingualTexts = { train: { de: pairs }, test: { de: pairs }, validation: {}, sets: {}, repeated: 0, id: 'a', testId: 'b' }; // prettier-ignore
const settings = readMultilingualSettings({ options: { groups: ['a=de'], architecture: 'decoder', attention: 'standard', width: '8', depth: '1', vocabulary: '400' } }); // prettier-ignore
const tokenizer = tokenizerOf(texts, settings);
const { begin, end } = endsOf(tokenizer);
const host = createHost({ plugins: [transformer] });
const framing = framingOf(host, settings, tokenizer);
afterAll(() => host.close());

/** Of each row: all that is read, and what of it is learnt. */
async function rowsOf(direction: string | null) {
  const turned =
    direction === 'de-en' ? pairs.map(({ source, target }) => ({ source: target, target: source })) : pairs;
  const batches = framing.batches([framing.frame(turned, 'de', direction)], { tokens: 256, epochs: 1, buckets: 2 });
  const rows: { readonly whole: string; readonly learnt: string; readonly ends: boolean }[] = [];
  for (let found = await batches.next(); found !== null; found = await batches.next()) {
    const { ids, targets, mask } = found.batch;
    const [B, L] = ids!.shape as readonly [number, number];
    let counted = 0;
    for (let b = 0; b < B; b++) {
      const at = <T>(data: ArrayLike<T>): T[] => Array.from(data).slice(b * L, (b + 1) * L);
      const [own, next, learnt] = [at<number>(ids!.data), at<number>(targets!.data), at<number>(mask!.data)];
      const last = next.indexOf(end);
      if (last < 0) continue; // a row without a pair
      expect(own[0]).toBe(begin);
      expect(own.slice(1, last + 1)).toEqual(next.slice(0, last)); // each token is asked for before it is read
      expect(learnt.slice(last + 1).every(x => x === 0)).toBe(true);
      counted += learnt.reduce((sum, x) => sum + x, 0);
      const words = (keep: (i: number) => boolean): string => tokenizer.decode(next.slice(0, last).filter((_, i) => keep(i))); // prettier-ignore
      rows.push({ whole: words(() => true), learnt: words(i => learnt[i] === 1), ends: learnt[last] === 1 });
    }
    expect(counted).toBe(found.tokens);
  }
  await batches.close();
  return rows.toSorted((a, b) => a.learnt.localeCompare(b.learnt));
}

describe('a decoder', () => {
  it("reads ALMA's prompt and learns the target and its end", async () => {
    for (const direction of ['en-de', 'de-en']) {
      const rows = await rowsOf(direction);
      const sides = pairs.map(({ source, target }) => (direction === 'en-de' ? { source, target } : { source: target, target: source })); // prettier-ignore
      expect(rows).toEqual(
        sides.map(({ source, target }) => ({ whole: promptOf(source, direction) + target, learnt: target, ends: true })).toSorted((a, b) => a.learnt.localeCompare(b.learnt)), // prettier-ignore
      );
    }
  });

  it('learns all of a plain text', async () => {
    for (const { whole, learnt, ends } of await rowsOf(null)) expect([whole, ends]).toEqual([learnt, true]);
  });

  it('writes from texts of any length; made-up languages have names', async () => {
    const backend = openReference();
    const { model } = framing;
    const how = { model, parameters: initialise(model, 0), tokenizer, backend, kernels: host.kernels, batch: 2 };
    const writer = openDirectionWriter({ ...how, beams: 1 });
    const sources = ['A door.', 'The weaver holds the thread. '.repeat(40), ''];
    expect(await writeAll(writer, sources, 'en-de', new AbortController().signal)).toHaveLength(3);
    expect(() => openDirectionWriter({ ...how, beams: 2 })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
    await writer.close();
    await backend.close();
    expect(promptOf('x', 'en-xa1')).toContain('from English to Language xa1:');
    expect(() => promptOf('x', 'en-qq')).toThrow(expect.objectContaining({ code: 'E_LANGUAGE' }));
  });
});
