/** Maps by hand: how alike heads are, and what the report makes of them. */

import { createHost, initialise, openReference } from '@heddle/core';
import { languageTag, trainBpe } from '@heddle/text';
import transformer, { createEncoderDecoder } from '@heddle/transformer';
import { expect, it } from 'vitest';
import { lookAt, lookMaps, meanSimilarity, similarityOf } from './look.js';

const maps = (...heads: readonly (readonly number[])[]) =>
  similarityOf({ dtype: 'f32', shape: [1, heads.length, 1, heads[0]!.length], data: Float32Array.from(heads.flat()) });

it('heads that look at the same are alike, and those that share nothing are not', () => {
  expect(maps([0.5, 0.5], [0.5, 0.5])).toBeCloseTo(1, 6);
  expect(maps([1, 0], [0, 1])).toBe(0);
  // Cosines 1, 0 and 0.
  expect(maps([1, 0], [1, 0], [0, 1])).toBeCloseTo(1 / 3, 6);
  expect(maps([1, 0])).toBeNull();
});

it('a look says what each token of a sentence looks at, and the report shows it', async () => {
  const host = createHost({ plugins: [transformer] });
  const pair = { source: 'a b c', target: 'd e' };
  const tokenizer = trainBpe(['a b c d e'], { vocabularySize: 270, specials: ['<bos>', '<eos>', '<pad>', languageTag('de')] }); // prettier-ignore
  const model = createEncoderDecoder({
    vocabulary: tokenizer.vocabularySize,
    width: 8,
    depth: 2,
    heads: 2,
    length: 16,
  });
  const backend = openReference();
  const look = await lookAt(model, initialise(model, 0), pair, { tokenizer, backend, kernels: host.kernels });
  expect(look!.source.join('')).toBe('a b c·');
  expect(look!.text.join('')).toBe('·d e');
  for (const [block, rows] of Object.entries(look!.maps)) {
    expect(rows).toHaveLength(block.startsWith('encoder') ? look!.source.length : look!.text.length);
    for (const row of rows) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
  }
  expect(meanSimilarity(look!)).toBeGreaterThan(0);
  const { maps: _, ...silent } = model;
  expect(await lookAt(silent as typeof model, {}, pair, { tokenizer, backend, kernels: host.kernels })).toBeNull();
  const shown = lookMaps([{ name: 'plain', look }, { name: 'silent', look: null }]); // prettier-ignore
  expect(shown.map(({ title }) => title)).toEqual(['How alike heads are', 'plain: from the text to its source', 'plain: among the words of the source']); // prettier-ignore
  expect(shown[1]!.note).toContain('decoder.1.cross');
  expect(shown[1]!.rows).toHaveLength(look!.text.length);
  expect(lookMaps([])).toEqual([]);
  await backend.close();
  await host.close();
});
