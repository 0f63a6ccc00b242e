import * as fc from 'fast-check';
import { countParameters, isHeddleError, type ErrorCode } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { emha } from './layer.js';
import { emhaSizes, type EmhaConfig } from './options.js';
import { emhaPart } from './part.js';
import { emhaParameters } from './shapes.js';

const refusal = (config: object, make: (config: EmhaConfig) => unknown = emhaSizes): string => {
  try {
    make({ width: 16, heads: 4, ...config } as EmhaConfig);
    return 'none';
  } catch (error) {
    if (!isHeddleError(error)) throw error;
    expect(error.code).toBe('E_CONFIG' satisfies ErrorCode);
    return error.message;
  }
};

describe('emhaSizes', () => {
  it('fills what is not said', () => {
    expect(emhaSizes({ width: 16, heads: 4 })).toMatchObject({
      keyHeads: 4,
      headWidth: 4,
      innerHidden: 32,
      innerGroups: 4,
      crossHidden: 16,
      crossGroups: 1,
      zeroFill: 'none',
    });
  });

  it('takes the sizes of a preset, and what is said instead of them', () => {
    expect(emhaSizes({ width: 16, heads: 4, preset: 'repo' })).toMatchObject({
      innerHidden: 32,
      innerKernel: 7,
      crossHidden: 32,
      crossKernel: 3,
      zeroFill: 'every',
    });
    expect(emhaSizes({ width: 16, heads: 4, preset: 'repo', innerHidden: 3, crossKernel: 1 })).toMatchObject({
      innerHidden: 12,
      crossKernel: 1,
      innerKernel: 7,
    });
    expect(emhaSizes({ width: 16, heads: 4, form: 'light' }).innerHidden).toBe(8);
  });

  it('cuts expansions to whole numbers of maps, as the authors do', () => {
    expect(emhaSizes({ width: 16, heads: 2, innerExpansion: 1.5, crossExpansion: 2.6 })).toMatchObject({
      innerHidden: 6,
      crossHidden: 5,
    });
  });

  const cases: readonly (readonly [config: object, message: string])[] = [
    [{ heads: 3 }, 'emha: heads: expected a divisor of the width 16, received 3. Change either.'],
    [{ heads: 0 }, 'emha: heads: expected a whole number from 1 up, received 0.'],
    [{ width: '16' }, 'emha: width: expected a whole number from 1 up, received "16".'],
    [{ keyHeads: 3 }, 'emha: keyHeads: expected a divisor of the 4 heads, received 3. Change either.'],
    [
      { innerKernel: 4 },
      'emha: innerKernel: expected an odd number, so that a map keeps its width, received 4. Use 3 or 5.',
    ],
    [{ crossGroups: 3 }, 'emha: crossGroups: expected a divisor of the 4 heads, received 3. Change either.'],
    [
      { innerExpansion: 1.1 },
      'emha: innerGroups: expected a divisor of the 17 hidden maps, received 4. Change either.',
    ],
    [
      { innerHidden: 2, innerExpansion: 1 },
      'emha: innerHidden: expected innerHidden or innerExpansion, not both, received 2. Leave one out.',
    ],
    [
      { crossExpansion: 0.1 },
      'emha: crossExpansion: expected a number that gives at least one map of 4, received 0.1.',
    ],
    [{ preset: 'paper' }, 'emha: preset: expected one of paperlike, repo, light, received "paper".'],
    [{ attentionDropout: 1 }, 'emha: attentionDropout: expected a share from 0 up to, not including, 1, received 1.'],
    [{ cross: 'no' }, 'emha: cross: expected true or false, received "no".'],
  ];
  it.each(cases)('refuses %o', (config, message) => expect(refusal(config)).toBe(message));

  it('names an option that it does not know, with those that it does', () => {
    expect(refusal({ innerHeads: 2 })).toMatch(
      /^emha: options: expected some of preset, form, .* received "innerHeads"/,
    );
  });

  it('refuses forms that leave nothing to be switched off', () => {
    expect(refusal({ form: 'light', inner: 'mean' })).toMatch(/Use 'full'/);
    expect(refusal({ form: 'light', cross: false })).toMatch(/^emha: cross: expected true with the form 'light'/);
  });
});

describe('emhaPart', () => {
  it('remembers where tokens stand for relative positions, but knows none between a text and a source', () => {
    const config = { width: 8, heads: 2, relative: 4 };
    expect(emhaPart(config).memory['position']).toEqual({ heads: 1, width: 1 });
    expect(emhaPart({ ...config, role: 'cross' }).memory['position']).toBeUndefined();
    expect(emhaPart({ ...config, role: 'cross' }).params['relative']).toBeUndefined();
    expect(emhaPart({ ...config, relative: 0 }).memory['position']).toBeUndefined();
  });
});

describe('emhaParameters', () => {
  it('counts what the layer has', () => {
    const config = fc.record({
      heads: fc.constantFrom(1, 2, 4),
      form: fc.constantFrom('full', 'light', 'map'),
      innerHidden: fc.integer({ min: 1, max: 9 }),
      innerKernel: fc.constantFrom(1, 3, 7),
      crossExpansion: fc.constantFrom(1, 2, 4, 8),
      crossKernel: fc.constantFrom(1, 3),
      relative: fc.constantFrom(0, 8),
      bias: fc.boolean(),
      keyHeads: fc.constant(1),
    }) as fc.Arbitrary<Omit<EmhaConfig, 'width'>>;
    fc.assert(
      fc.property(config, options => {
        const full = { width: 16, ...options };
        expect(emhaParameters(full).total).toBe(countParameters(emha(full)));
      }),
    );
    for (const ablation of [
      { inner: 'mean' },
      { inner: 'own' },
      { cross: false },
      { inner: 'own', cross: false },
    ] as const) {
      const full = { width: 16, heads: 4, ...ablation };
      expect(emhaParameters(full).total).toBe(countParameters(emha(full)));
    }
  });

  it('gives the figures of the specification', () => {
    expect(emhaParameters({ width: 64, heads: 8, preset: 'repo' })).toMatchObject({
      innerExpand: 7296,
      innerReduce: 904,
      crossExpand: 1600,
      crossReduce: 1544,
      extra: 11_344,
    });
    expect(emhaParameters({ width: 64, heads: 8 }).extra).toBe(1200);
    expect(emhaParameters({ width: 64, heads: 8, inner: 'own', cross: false }).extra).toBe(0);
  });
});
