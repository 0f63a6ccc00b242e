import { isHeddleError } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { globalMap, partialAttention, partialBlock, partialFormer, presets } from './index.js';

const message = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (isHeddleError(error) && error.code === 'E_CONFIG') return error.message;
    throw error;
  }
  return 'no error';
};

const ok = { width: 8, heads: 4 };
const bad: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    'heads that do not divide the width',
    () => partialBlock({ width: 10, heads: 4 }),
    /heads: expected a divisor of the width 10, received 4\. Change either/,
  ],
  [
    'such heads of a map',
    () => globalMap({ width: 10, heads: 4, expandHeads: 2 }),
    /global map: heads: expected a divisor/,
  ],
  [
    'such heads of a model',
    () => partialFormer({ vocabulary: 9, width: 10, heads: 4 }),
    /expected a divisor of the width 10/,
  ],
  ['such heads in a part', () => partialAttention({ width: 10, heads: 3 }), /expected a divisor of the width 10/],
  [
    'no heads',
    () => partialBlock({ ...ok, expandHeads: 0 }),
    /expandHeads: expected a whole number of at least 1, received 0/,
  ],
  ['half a ratio', () => partialBlock({ ...ok, ratio: 0.5 }), /ratio: expected a whole number/],
  [
    'an unknown scaling',
    () => partialBlock({ ...ok, scaling: 'clever' as never }),
    /scaling: expected one of complex, naive, received "clever"/,
  ],
  [
    'a mistyped name',
    () => partialBlock({ ...ok, expandheads: 3 } as never),
    /expandheads: expected one of .*expandHeads/,
  ],
  ['a share of all', () => partialBlock({ ...ok, attentionDropout: 1 }), /attentionDropout: expected a share/],
  ['text for truth', () => partialBlock({ ...ok, residual: 'yes' as never }), /residual: expected true or false/],
  ['no object', () => partialBlock(null as never), /expected an object such as/],
  [
    'an inner gate of nothing',
    () => partialBlock({ ...ok, innerGate: true, feed: 'none' }),
    /innerGate: expected false/,
  ],
  [
    'grouped queries',
    () => partialAttention({ ...ok, keyHeads: 2 }),
    /keyHeads: expected the number of heads, 4, received 2\. .*coreHeads/,
  ],
  ['sizes among the shared', () => partialFormer({ vocabulary: 9, block: { ratio: 2 } as never }), /block\.ratio/],
  [
    'a padding outside',
    () => partialFormer({ vocabulary: 9, padding: 9 }),
    /padding: expected an id below the vocabulary 9/,
  ],
  [
    'a mistyped stack',
    () => partialFormer({ vocabulary: 9, decoder: { layers: 3 } as never }),
    /decoder: layers: expected one of/,
  ],
];

describe('configurations', () => {
  it.each(bad)('refuse %s', (_, act, words) => expect(message(act)).toMatch(words));

  it('of all presets can be built', () => {
    for (const preset of Object.values(presets))
      expect(partialFormer({ vocabulary: 10, ...preset }).config.vocabulary).toBe(10);
  });
});
