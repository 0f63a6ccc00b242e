import { COMMANDS, createHost, METRICS, type Metric } from '@heddle/core';
import { expect, it } from 'vitest';
import { commands } from './commands.js';
import { corpusScore } from './corpus.js';
import plugin from './index.js';
import { sacrebleu } from './testing/sacrebleu.js';
import { optionalTokenizers, TOKENIZERS } from './tokenizers/optional.js';
import { bleu } from './translation/bleu.js';

it('a streamed score is that of the whole corpus, and nothing of the corpus is kept', async () => {
  const host = createHost({ plugins: [plugin] });
  const metric: Metric = host.find(METRICS, 'bleu');
  const { hypotheses, references } = sacrebleu;
  let sum: unknown = null;
  for (const [i, hypothesis] of hypotheses.entries()) {
    const own = references.map(stream => stream[i]).filter(text => text !== null) as string[];
    const one = metric.observe(hypothesis, own);
    sum = sum === null ? one : metric.add(sum, one);
  }
  expect(metric.score(sum)).toBeCloseTo(corpusScore(bleu(), hypotheses, references).score.score, 10);
  expect(JSON.stringify(Array.from(sum as Float64Array))).toHaveLength('[38,42,34,23,15,8,38,33,28,23]'.length);
  await host.close();
});

it('labels are compared as they stand', async () => {
  const host = createHost({ plugins: [plugin] });
  const of = (name: string): number => {
    const metric: Metric = host.find(METRICS, name);
    const seen = [
      ['a', 'a'],
      ['b ', 'b'],
      ['a', 'b'],
      ['b', 'b'],
    ].map(([hypothesis, reference]) => metric.observe(hypothesis!, [reference!]));
    return metric.score(seen.reduce((left, right) => metric.add(left, right)));
  };
  expect(of('accuracy')).toBe(75);
  expect(of('macro-f1')).toBeCloseTo((100 * (2 / 3 + 4 / 5)) / 2, 10);
  expect(of('mcc')).toBeCloseTo(2 / Math.sqrt(12), 10); // 1 and 2 right, 1 and 0 wrong
  await host.close();
});

it('contributes the commands and tokenisers that it describes', async () => {
  const host = createHost({ plugins: [plugin] });
  expect(host.all(COMMANDS)).toEqual(commands);
  expect(host.all(TOKENIZERS).map(({ name }) => name)).toEqual(optionalTokenizers.map(({ name }) => name));
  expect(() => (host.find(METRICS, 'bleu') as Metric).observe('a', [])).toThrow('at least one reference');
  await host.close();
});
