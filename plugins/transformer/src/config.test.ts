import { countParameters, isHeddleError } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { decoderConfig, decoderPresets, type PartialDecoderConfig } from './config.js';
import { decoderParameters } from './count.js';
import { createDecoder } from './decoder.js';

describe('decoderConfig', () => {
  it('fills what is not said, and leaves a filled one as it is', () => {
    const config = decoderConfig({ vocabulary: 100, width: 64, heads: 4 });
    expect(config).toMatchObject({ keyHeads: 4, hidden: 176, norm: 'rms', epsilon: 1e-6, tied: true });
    expect(decoderConfig(config)).toEqual(config);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it.each<[string, object, string]>([
    ['a missing vocabulary', {}, 'vocabulary: expected a whole number of at least 1, received undefined'],
    ['no object', [] as object, 'expected an object'],
    ['a misspelt field', { vocabulary: 9, head: 2 }, "received 'head'"],
    ['a fraction', { vocabulary: 9, depth: 1.5 }, 'depth: expected a whole number of at least 1, received 1.5'],
    [
      'heads that do not divide',
      { vocabulary: 9, width: 64, heads: 5 },
      'heads: expected a divisor of the width 64, received 5',
    ],
    [
      'key heads that do not divide',
      { vocabulary: 9, width: 64, heads: 4, keyHeads: 3 },
      'keyHeads: expected a divisor of the 4 heads, received 3',
    ],
    ['an odd head width', { vocabulary: 9, width: 12, heads: 4 }, 'even head width for rotary positions'],
    ['a rate of 1', { vocabulary: 9, dropout: 1 }, 'dropout: expected a share'],
    ['a name that is none', { vocabulary: 9, ffn: 3 }, 'ffn: expected the name of a part'],
    ['a word for a truth', { vocabulary: 9, tied: 'yes' }, 'tied: expected true or false'],
    ['options for no part', { vocabulary: 9, options: { attentoin: {} } }, 'options: expected objects under'],
  ])('refuses %s', (_, partial, message) => {
    expect(() => decoderConfig(partial as PartialDecoderConfig)).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(message) as string }),
    );
  });

  it('says which parts there are when one is unknown', () => {
    const attempt = (partial: Partial<PartialDecoderConfig>) => () =>
      createDecoder({ vocabulary: 9, ...decoderPresets.tiny, ...partial });
    expect(attempt({ attention: 'emha' })).toThrow(
      expect.objectContaining({ code: 'E_UNKNOWN', message: expect.stringContaining('standard') as string }),
    );
    expect(attempt({ norm: 'batch' })).toThrow(expect.objectContaining({ code: 'E_UNKNOWN' }));
  });
});

describe('decoderParameters', () => {
  const configs: readonly PartialDecoderConfig[] = [
    { vocabulary: 50, ...decoderPresets.tiny },
    {
      vocabulary: 50,
      ...decoderPresets.tiny,
      tied: false,
      bias: true,
      norm: 'layer',
      ffn: 'gelu',
      positions: 'learned',
    },
    { vocabulary: 50, ...decoderPresets.tiny, ffn: 'none' },
    { vocabulary: 50, ...decoderPresets.tiny, keyHeads: 2, ffn: 'relu', positions: 'sinusoidal' },
    { vocabulary: 50, ...decoderPresets.tiny, keyHeads: 1, bias: true, positions: 'none' },
    { vocabulary: 2048, ...decoderPresets.small },
    { vocabulary: 50_257, ...decoderPresets.base },
  ];
  it.each(configs)('is what the built model has: $vocabulary, $width, $ffn', config => {
    expect(decoderParameters(decoderConfig(config))).toBe(countParameters(createDecoder(config)));
  });

  it('refuses parts that it does not know', () => {
    try {
      decoderParameters(decoderConfig({ vocabulary: 9, attention: 'toString' }));
      expect.unreachable();
    } catch (error) {
      expect(isHeddleError(error) && error.code).toBe('E_UNKNOWN');
    }
  });
});
