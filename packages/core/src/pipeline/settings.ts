/** Stages whose results depend on settings beside their input. */

import { schemaOf, defineStage, type Stage, type StageContext } from './stage.js';

const anything = schemaOf('a value of JSON', (value): value is unknown => value !== undefined);

/**
 * A stage whose result depends on its input and on settings, and on nothing else: the settings are part of what the result is
 * found under, so a pipeline that changes late begins anew late.
 *
 * @param settings JSON, or a promise of it: asked for each time the stage comes up
 * @param reads what of the input it depends on. Default all of it.
 */
export function stageWith<I, O, R = I>(
  name: string,
  settings: () => unknown,
  run: (input: R, context: StageContext) => Promise<O>,
  reads: (input: I) => R = input => input as unknown as R,
): Stage<I, O> {
  const input = {
    '~standard': {
      version: 1 as const,
      vendor: 'heddle',
      validate: async (value: unknown) => {
        const found = await anything['~standard'].validate(value);
        return found.issues ? found : { value: { input: reads(found.value as I), settings: await settings() } };
      },
      types: undefined as unknown as { readonly input: I; readonly output: { readonly input: R } },
    },
  };
  return defineStage({
    name,
    version: 1,
    input,
    output: anything,
    run: ({ input: own }, context) => run(own, context),
  }) as unknown as Stage<I, O>;
}
