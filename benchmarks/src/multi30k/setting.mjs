/** Multi30k, English to German, lower-cased: the data, and four models of equal size. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import emha, { emhaScores } from '@heddle/attention-emha';
import { ATTENTION, contribute, countParameters, createHost, definePlugin } from '@heddle/core';
import partial, { partialAttention } from '@heddle/ffn-partial';
import { pairsFromTsv, readTokenizer, saveTokenizer, trainBpe } from '@heddle/text';
import transformer, { createEncoderDecoder, partsOf } from '@heddle/transformer';
import { repository } from '../paths.mjs';

const corpora = join(repository, '..', 'shared', 'data', 'mt', 'multi30k');
export const missing = () =>
  existsSync(corpora) ? null : `Multi30k is not beside the repository (${join('shared', 'data', 'mt', 'multi30k')})`;

const read = name => {
  const text = readFileSync(join(corpora, name), 'utf8').toLowerCase();
  return pairsFromTsv({ name, text }, 'en', 'de').pairs;
};
export const data = () => ({
  training: read('train.en-de-fr-cs.tsv'),
  validation: read('val.en-de-fr-cs.tsv'),
  test: read('test_2016_flickr.en-de-fr-cs.tsv'),
});

/** One vocabulary of both languages, learnt from the training pairs alone, once for all runs. */
export async function tokenizerIn(folder, training) {
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) {
    const texts = training.flatMap(({ source, target }) => [source, target]);
    await saveTokenizer(path, trainBpe(texts, { vocabularySize: 4000 }));
  }
  return readTokenizer(path);
}

/** EMHA's maps inside of PartialFormer's blocks, as anybody could contribute it. Its networks are wider, to be of equal size. */
const both = definePlugin({
  name: 'partial-emha',
  version: '0.0.0',
  register: container =>
    contribute(container, ATTENTION, {
      name: 'partial-emha',
      create: ({ emha: options = {}, ...config }) => {
        const { width, heads, expandHeads } = config;
        const scores = emhaScores({ width: (width / heads) * expandHeads, heads: expandHeads, ...options });
        return partialAttention({ ...config, coreHeads: expandHeads }, { scores });
      },
    }),
});
export const host = createHost({ plugins: [transformer, emha, partial, both] });

const shape = { width: 128, heads: 4, depth: 3, encoderDepth: 3, length: 64, sourceLength: 64, dropout: 0.1 };
const configs = {
  baseline: {},
  emha: { attention: 'emha' },
  partial: { attention: 'partial', ffn: 'none', options: { attention: { expandHeads: 8 } } },
  both: { attention: 'partial-emha', ffn: 'none', options: { attention: { expandHeads: 6, ratio: 9 } } },
};
export const models = Object.keys(configs);
export const titles = {
  baseline: 'attention, ReLU feed-forward',
  emha: 'EMHA, ReLU feed-forward',
  partial: 'PartialFormer',
  both: "EMHA's maps in PartialFormer's blocks",
};

/** Those with a feed-forward of its own get a hidden width that brings them to the parameters of `partial`; `both` is within 1 %. */
export function createModel(key, vocabulary) {
  const make = more => createEncoderDecoder({ vocabulary, ...shape, ...configs[key], ...more }, partsOf(host));
  if (configs[key].ffn === 'none') return make({});
  const goal = countParameters(createModel('partial', vocabulary));
  const [one, two] = [1, 2].map(hidden => countParameters(make({ hidden })));
  return make({ hidden: Math.max(1, Math.round((goal - one) / (two - one)) + 1) });
}
