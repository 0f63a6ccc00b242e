import { decoderPresets } from '@heddle/transformer';
import { describe, expect, it } from 'vitest';
import { identityOf, ownValues, readSettings, resumeSettings, type Raw } from './read-settings.js';
import { keys, presets, settingOptions } from './settings.js';

const read = (...layers: readonly Raw[]) =>
  readSettings({ layers: layers.map((values, at) => ({ where: `layer ${at}`, values })) });

describe('settings', () => {
  it('have defaults for everything but the text', () => {
    const settings = read({});
    expect(settings).toMatchObject({
      text: [],
      architecture: 'decoder',
      model: presets.small,
      steps: 1000,
      warmUp: 50,
      schedule: 'cosine',
      backend: 'auto',
    });
    expect(Object.values(settings)).not.toContain(undefined);
  });

  it('are stronger the later they come, numbers as text included', () => {
    expect(read({ steps: 10, rate: 0.5 }, { steps: '20' })).toMatchObject({ steps: 20, rate: 0.5, warmUp: 1 });
  });

  it('put single sizes over a preset or a whole configuration', () => {
    expect(read({ model: 'tiny', heads: '2', dropout: 0.1 }).model).toEqual({
      ...presets.tiny,
      heads: 2,
      dropout: 0.1,
    });
    expect(read({ model: { architecture: 'mine', width: 8, ffn: 'gelu' }, depth: 1 })).toMatchObject({
      architecture: 'mine',
      model: { width: 8, ffn: 'gelu', depth: 1 },
    });
  });

  it.each<[Raw, string]>([
    [{ stpes: 3 }, "layer 0: expected a setting of a training run, received 'stpes'. Did you mean 'steps'?"],
    [{ steps: '3.5' }, 'layer 0: steps: expected a whole number from 1 up, received "3.5"'],
    [{ steps: '' }, 'steps: expected a whole number'],
    [{ seed: 2 ** 31 }, 'seed: expected a whole number from 0 to 2147483647'],
    [{ rate: 'fast' }, 'rate: expected a number from 0 up, received "fast"'],
    [{ rate: Number.NaN }, 'rate: expected a number'],
    [{ schedule: 'cosin' }, 'schedule: expected cosine, constant, linear, inverse-sqrt, received "cosin"'],
    [{ model: 'huge' }, 'model: expected one of tiny, small, base, or a .json file, received "huge"'],
    [{ model: [1] }, 'model: expected one of tiny, small, base, or an object'],
    [{ text: [] }, 'text: expected one or more names'],
    [{ backend: 7 }, 'backend: expected text, received 7'],
    [{ schedule: 'inverse-sqrt', warmUp: 0 }, 'warmUp: expected at least 1 step'],
  ])('refuse %j', (values, words) => {
    expect(() => read(values)).toThrow(
      expect.objectContaining({ code: 'E_OPTION', message: expect.stringContaining(words) }),
    );
  });

  it('know the sizes of the transformer package', () => {
    for (const [name, preset] of Object.entries(presets)) {
      const { length: _, ...sizes } = decoderPresets[name as keyof typeof presets];
      expect([name, preset]).toEqual([name, sizes]);
    }
  });

  it('each have an option of the same name', () => {
    const names = settingOptions().map(({ flags }) =>
      /--([\w-]+)/.exec(flags)![1]!.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    );
    expect(names).toEqual(Object.keys(keys));
    expect(ownValues({ out: 'x', json: true, steps: '3', rate: undefined })).toEqual({ steps: '3' });
  });
});

describe('a run that goes on', () => {
  const stored = read({ text: ['a.txt'], steps: 10, batch: 2 });

  it('takes from the command line what changes no step', () => {
    expect(resumeSettings(stored, read({ steps: 20, backend: 'reference' }), ['steps', 'backend'], 'r')).toEqual({
      ...stored,
      steps: 20,
      backend: 'reference',
    });
    expect(identityOf({ ...stored, steps: 20, backend: 'reference' })).toEqual(identityOf(stored));
  });

  it('accepts what is repeated', () => {
    expect(resumeSettings(stored, read({ text: ['a.txt'], batch: 2 }), ['text', 'batch'], 'r')).toEqual(stored);
  });

  it('refuses what makes another run, naming both', () => {
    expect(() => resumeSettings(stored, read({ batch: 4, width: 8 }), ['batch', 'width'], 'r')).toThrow(
      expect.objectContaining({
        code: 'E_RESUME',
        message: expect.stringMatching(/batch 2, asked for 4; model .*"width":256.*"width":8/),
      }),
    );
    expect(identityOf(read({ batch: 4 }))).not.toEqual(identityOf(read({ batch: 2 })));
  });
});
