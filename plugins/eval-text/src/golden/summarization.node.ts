/** Kind `summarization`: rouge_score, Porter stems, and published ROUGE-1.5.5 scores. */

import type { GoldenCase, GoldenFile, GoldenKind } from '@heddle/core/testing/golden';
import { porterStem } from '../rouge/porter.js';
import { rouge, type RougeType } from '../rouge/rouge.js';
import { caseFrom, rowsOf, startsWith } from './compare.js';

type Triple = readonly [precision: number, recall: number, f: number];

async function* rouges(file: GoldenFile): AsyncIterable<GoldenCase> {
  for (const [at, row] of rowsOf(await file.text(), file.name).entries()) {
    const parts = (['scores', 'scoresStemmed'] as const).flatMap(key => {
      const expected = (row[key] ?? {}) as Readonly<Record<RougeType, Triple>>;
      const types = Object.keys(expected) as RougeType[];
      const found = rouge(row['prediction'] as string, row['reference'] as string, {
        types,
        stem: key === 'scoresStemmed',
      });
      return types.map(type => {
        const { precision, recall, f } = found[type];
        return {
          name: `${type}${key === 'scores' ? '' : ' of stems'}`,
          expected: expected[type],
          found: [precision, recall, f],
        };
      });
    });
    yield caseFrom(String(row['id'] ?? at), parts);
  }
}

async function* stems(file: GoldenFile): AsyncIterable<GoldenCase> {
  for (const line of (await file.text()).split('\n').filter(one => one !== '')) {
    const [word, expected] = line.split('\t');
    yield caseFrom(word!, [{ name: 'stem', expected, found: porterStem(word!.toLowerCase()) }]);
  }
}

/** By the start of the file's name. */
const families: Readonly<Record<string, (file: GoldenFile) => AsyncIterable<GoldenCase>>> = {
  'rouge-golden': rouges,
  'porter-stems': stems,
};

/** Texts, outputs and scores of other implementations that differ from rouge_score: nothing to compare with. */
const beside = ['dialogsum', 'xsum-predictions', 'xsum-rouge155-published', 'pltrdy-rouge-cases'];

const familyOf = (name: string) => Object.entries(families).find(([stem]) => startsWith(name, stem))?.[1];

export const summarization: GoldenKind = {
  name: 'summarization',
  recognises: name => familyOf(name) !== undefined,
  ignores: name => beside.some(stem => startsWith(name, stem)),
  check: file => familyOf(file.name)!(file),
};
