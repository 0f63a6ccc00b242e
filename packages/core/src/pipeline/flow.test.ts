import { describe, expect, expectTypeOf, it } from 'vitest';
import { pipeline, stagesOf, type Flow } from './flow.js';
import { defineStage, schemaOf, validate, type Stage } from './stage.js';

const text = schemaOf(
  'a text',
  (value): value is { readonly text: string } => typeof (value as { text?: unknown } | null)?.text === 'string',
);
const count = schemaOf(
  'a count',
  (value): value is { readonly count: number } => typeof (value as { count?: unknown } | null)?.count === 'number',
);

const measure = defineStage({
  name: 'measure',
  version: 1,
  input: text,
  output: count,
  run: ({ text }) => ({ count: text.length }),
});
const spell = defineStage({
  name: 'spell',
  version: 3,
  input: count,
  output: text,
  run: async ({ count }) => ({ text: 'a'.repeat(count) }),
});

const copy = defineStage({ name: 'copy', version: 1, input: text, output: text, run: value => value });

describe('stages', () => {
  it('carry the types of their schemas', () => {
    expectTypeOf(measure).toEqualTypeOf<Stage<{ readonly text: string }, { readonly count: number }>>();
  });

  it('need a plain name and a version to count up', () => {
    for (const name of ['', 'a/b']) {
      expect(() => defineStage({ name, version: 1, input: text, output: text, run: value => value })).toThrow(
        expect.objectContaining({ code: 'E_NAME' }),
      );
    }
    for (const version of [0, 1.5, Number.NaN]) {
      expect(() => defineStage({ name: 'a', version, input: text, output: text, run: value => value })).toThrow(
        expect.objectContaining({
          code: 'E_NAME',
          message: expect.stringContaining(`stage 'a': expected version 1, 2, 3…, received ${version}`),
        }),
      );
    }
  });

  it('a wrong value is refused with stage, path and what came', async () => {
    const deep = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => ({ issues: [{ message: 'expected a URI', path: ['models', { key: 1 }, 'uri'] }] }),
      },
    } as const;
    const merge = defineStage({ name: 'merge', version: 1, input: deep, output: count, run: () => ({ count: 1 }) });
    await expect(validate(merge, 'input', { models: [{}, { uri: 42 }] })).rejects.toMatchObject({
      code: 'E_SCHEMA',
      message: expect.stringContaining("stage 'merge': input.models.1.uri: expected a URI (received 42)."),
    });
    await expect(validate(measure, 'output', undefined)).rejects.toMatchObject({
      message: expect.stringContaining("stage 'measure': output: expected a count (received nothing)."),
    });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await expect(validate(measure, 'output', circular)).rejects.toMatchObject({
      message: expect.stringContaining('(received object)'),
    });
  });
});

describe('flows', () => {
  it('chain stages whose types fit, and refuse others at compile time', () => {
    const flow = pipeline('there-and-back').then(measure).then(spell);
    expectTypeOf(flow).toEqualTypeOf<Flow<{ readonly text: string }, { readonly text: string }>>();
    // @ts-expect-error a text where a count is wanted
    pipeline('wrong').then(measure).then(copy);
    expect(stagesOf(flow.steps).map(({ path, stage }) => [path, stage.version])).toEqual([
      ['measure', 1],
      ['spell', 3],
    ]);
  });

  it('are values: adding to one changes nothing else', () => {
    const base = pipeline('base').then(measure);
    base.then(spell);
    expect(base.steps).toHaveLength(1);
  });

  it('nest, and name inner stages by their flow', () => {
    const inner = pipeline('inner').then(measure).then(spell);
    const outer = pipeline('outer').then(inner).then(measure).then(pipeline('again').then(spell));
    expect(stagesOf(outer.steps).map(({ path }) => path)).toEqual([
      'inner/measure',
      'inner/spell',
      'measure',
      'again/spell',
    ]);
  });

  it('fan out to branches by name', () => {
    const flow = pipeline('fan')
      .then(measure)
      .thenAll({ words: spell, back: pipeline('inner').then(spell).then(measure) });
    expectTypeOf(flow).toEqualTypeOf<
      Flow<{ readonly text: string }, { words: { readonly text: string }; back: { readonly count: number } }>
    >();
    expect(stagesOf(flow.steps).map(({ path }) => path)).toEqual(['measure', 'spell', 'inner/spell', 'inner/measure']);
    expectTypeOf(pipeline('first').thenAll({ a: measure, b: copy })).toEqualTypeOf<
      Flow<{ readonly text: string }, { a: { readonly count: number }; b: { readonly text: string } }>
    >();
    expect(() => pipeline('none').thenAll({})).toThrow(expect.objectContaining({ code: 'E_FLOW' }));
  });

  it('have each stage name once; the message names both', () => {
    const newer = defineStage({
      ...measure,
      name: 'measure',
      version: 2,
      input: text,
      output: count,
      run: () => ({ count: 0 }),
    });
    expect(() => pipeline('twice').then(measure).then(spell).then(newer)).toThrow(
      expect.objectContaining({
        code: 'E_DUPLICATE',
        message:
          "pipeline 'twice': stage 'measure' stands in it twice, as version 1 and version 2. Give one of them another name.",
      }),
    );
    expect(() => pipeline('twice').thenAll({ a: measure, b: measure })).toThrow(
      expect.objectContaining({ code: 'E_DUPLICATE' }),
    );
  });

  it('do not contain themselves, directly or through another', () => {
    const a = pipeline('a').then(measure);
    expect(() => pipeline('a').then(a)).toThrow(
      expect.objectContaining({ code: 'E_CYCLE', message: expect.stringContaining('a -> a') }),
    );
    const c = pipeline('c').then(pipeline('b').then(a));
    expect(() => pipeline('a').then(c)).toThrow(
      expect.objectContaining({ code: 'E_CYCLE', message: expect.stringContaining('a -> c -> b -> a') }),
    );
  });

  it('refuse what is neither stage nor flow', () => {
    for (const bad of [undefined, null, 7, {}]) {
      expect(() => pipeline('bad').then(bad as never)).toThrow(
        expect.objectContaining({
          code: 'E_FLOW',
          message: expect.stringContaining("pipeline 'bad': expected a stage or a flow"),
        }),
      );
    }
  });

  it('say what is wrong when awaited', async () => {
    const flow = pipeline('awaited').then(measure);
    // @ts-expect-error TypeScript says it first
    const returned = async () => flow;
    await expect(returned()).rejects.toMatchObject({
      code: 'E_FLOW',
      message: expect.stringContaining('cannot be awaited'),
    });
  });
});
