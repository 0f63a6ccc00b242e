/** Counts in closed form against what is built. */

import { countParameters } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockMacs,
  blockParameters,
  globalMap,
  mapParameters,
  modelMacs,
  modelParameters,
  partialBlock,
  partialFormer,
  presets,
} from './index.js';

const options = fc
  .record({
    d: fc.integer({ min: 1, max: 4 }),
    heads: fc.integer({ min: 1, max: 4 }),
    expandHeads: fc.integer({ min: 1, max: 6 }),
    coreHeads: fc.integer({ min: 1, max: 4 }),
    ratio: fc.integer({ min: 1, max: 4 }),
    scaling: fc.constantFrom('complex' as const, 'naive' as const),
    feed: fc.constantFrom('shared' as const, 'perHead' as const, 'none' as const),
    gate: fc.constantFrom('after' as const, 'before' as const, 'none' as const),
    norms: fc.boolean(),
    innerGate: fc.boolean(),
    interaction: fc.integer({ min: 0, max: 2 }),
    bias: fc.boolean(),
  })
  .map(({ d, innerGate, ...rest }) => ({
    ...rest,
    width: d * rest.heads,
    innerGate: innerGate && rest.feed !== 'none',
  }));

describe('parameters', () => {
  it('of a block are those that are built, whatever it is', () => {
    fc.assert(fc.property(options, given => blockParameters(given).total === countParameters(partialBlock(given))));
  });

  it('of a map and of models are those that are built', () => {
    for (const given of [
      { width: 6, heads: 3, expandHeads: 4 },
      { width: 6, heads: 2, expandHeads: 1, bias: false, distance: 8 },
    ])
      expect(mapParameters(given)).toBe(countParameters(globalMap(given)));
    for (const preset of [presets.tiny, presets.repo, { ...presets.tiny, preNorm: false, distance: 4 }]) {
      const given = { vocabulary: 100, ...preset };
      expect(modelParameters(given).total).toBe(countParameters(partialFormer(given)));
    }
  });

  it('of the published translation model are 68,079,912 and 1.641 G multiplications for 20 tokens', () => {
    const given = { vocabulary: 34_040, ...presets.paperlike };
    expect(modelParameters(given)).toMatchObject({ total: 68_079_912, encoder: 42_719_940, decoder: 13_105_572 });
    const { encoder, decoder, decoderSteps } = modelMacs(given, 20, 20);
    expect([encoder, decoder, decoderSteps]).toEqual([1_099_040_400, 542_016_000, 6_126_055_200]);
    expect(modelParameters({ vocabulary: 32_584, ...presets.summarisation }).total).toBe(31_698_378);
  });
});

describe('multiplications', () => {
  it('of one shared feed-forward are those of one for each head', () => {
    const given = { width: 12, heads: 3, expandHeads: 5, coreHeads: 3, ratio: 2 };
    expect(blockMacs({ ...given, feed: 'perHead' }, 7, 7)).toBe(blockMacs(given, 7, 7));
    expect(blockMacs(given, 7, 4, 'cross')).toBeLessThan(blockMacs(given, 7, 7, 'cross'));
  });
});
