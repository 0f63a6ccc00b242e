/** Optimizer and schedule by the names that settings use. */

import { adafactor, adam, adamW, schedule, sgd, type Optimizer, type Schedule } from '@heddle/core';
import type { OptimizerName, ScheduleName, TrainSettings } from './settings.js';

type Part = Pick<TrainSettings, 'rate' | 'warmUp' | 'steps' | 'weightDecay'>;

const bySchedule: Readonly<Record<ScheduleName, (part: Part) => Schedule>> = {
  // A tenth of the rate is left at the end: the last steps still teach.
  cosine: ({ rate, warmUp, steps }) => schedule.cosine(rate, { warmUp, total: steps, least: rate / 10 }),
  constant: ({ rate, warmUp }) => schedule.constant(rate, { warmUp }),
  linear: ({ rate, warmUp, steps }) => schedule.linear(rate, { warmUp, total: steps }),
  'inverse-sqrt': ({ rate, warmUp }) => schedule.inverseSqrt(rate, { warmUp }),
};

const byOptimizer: Readonly<Record<OptimizerName, (part: Part) => Optimizer>> = {
  adamw: ({ weightDecay }) => adamW({ weightDecay }),
  adam: ({ weightDecay }) => adam({ weightDecay }),
  sgd: ({ weightDecay }) => sgd({ weightDecay }),
  adafactor: () => adafactor(),
};

export const recipe = (settings: TrainSettings): { readonly optimizer: Optimizer; readonly schedule: Schedule } => ({
  optimizer: byOptimizer[settings.optimizer](settings),
  schedule: bySchedule[settings.schedule](settings),
});
