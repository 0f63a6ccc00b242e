/** A curriculum as a pipeline of the kernel: planned, run and resumed as any other. */

import { initialise, pipeline, stageWith, type Flow, type Stage } from '@heddle/core';
import { curriculumOf, type CurriculumOptions, type StageConfig } from './curriculum.js';
import { gatherStage, learnStage, policyStage, type CurriculumState, type Site } from './stages.js';
import { writeWeights } from './stored.js';
import type { Weights, Workbench } from './workbench.js';

const stages = {
  gather: gatherStage,
  learn: learnStage,
  policy: policyStage,
} as const satisfies { readonly [K in StageConfig['kind']]: unknown };

const made = (site: Site, stage: StageConfig): Stage<CurriculumState, CurriculumState> =>
  (stages[stage.kind] as (site: Site, stage: StageConfig) => Stage<CurriculumState, CurriculumState>)(site, stage);

/** What a curriculum is run with: nothing is done yet. */
export const curriculumStart: CurriculumState = { weights: '', traces: {}, done: [] };

/**
 * The stages of a curriculum in order. Run it with `curriculumStart`; stages that were done with the same settings from the
 * same weights are found again, so two curricula that begin alike share their beginning.
 *
 * @param from weights to begin with, and what names them; default: drawn by the seed
 * @throws E_CONFIG as `curriculumOf`
 */
export function curriculumFlow(
  options: CurriculumOptions,
  bench: Workbench,
  from?: { readonly weights: Weights; readonly id: string },
): Flow<CurriculumState, CurriculumState> {
  const curriculum = curriculumOf(options);
  const site = { curriculum, bench };
  const { architecture, config } = bench.model;
  const settings = { architecture, config, seed: curriculum.seed, from: from?.id ?? null };
  const begin = stageWith<CurriculumState, CurriculumState>(
    'begin',
    () => settings,
    async (state, { artifacts }) => ({
      ...state,
      weights: await writeWeights(artifacts, 'begin', from?.weights ?? initialise(bench.model, curriculum.seed)),
    }),
  );
  return curriculum.stages.reduce<Flow<CurriculumState, CurriculumState>>(
    (flow, stage) => flow.then(made(site, stage)),
    pipeline(curriculum.name).then(begin),
  );
}
