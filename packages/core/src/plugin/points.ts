/** The contribution points of the kernel. Plugins add their own with `definePoint`. */

import type { BackendOffer, Kernel } from '../backend/contract.js';
import type { Op } from '../ir/op.js';
import type { ModelFactory } from '../model/model.js';
import type { OptimizerFactory } from '../optim/optimizer.js';
import type { Executor } from '../pipeline/executor.js';
import type { Objective } from '../train/objective.js';
import type {
  Command,
  DataSource,
  Grader,
  MergeMethod,
  Metric,
  PartFactory,
  Reward,
  Tracker,
} from './contributions.js';
import { definePoint, type Point } from './registry.js';

interface Named {
  readonly name: string;
}

const unique = <T extends Named>(name: string): Point<T, 'unique-by-name'> =>
  definePoint<T, 'unique-by-name'>({ name, rule: 'unique-by-name', key: item => item.name });

/** Custom ops. */
export const OPS = unique<Op>('ops');

/** Ways to run one op on one kind of engine; the first that accepts is used. */
export const KERNELS = definePoint<Kernel, 'per-op-and-format'>({
  name: 'kernels',
  rule: 'per-op-and-format',
  key: ({ op, format }) => (isName(op) && isName(format) ? kernelKey(format, op) : ''),
});

/** Engines; `auto` takes the first available in the host's preference. */
export const BACKENDS = unique<BackendOffer>('backends');

export const ATTENTION = unique<PartFactory>('attention');
export const FFN = unique<PartFactory>('ffn');
export const NORM = unique<PartFactory>('norm');
/** Position schemes: rotary, sinusoidal, learned. */
export const POSITIONS = unique<PartFactory>('positions');
export const MODELS = unique<ModelFactory>('models');

export const OPTIMIZERS = unique<OptimizerFactory>('optimizers');
export const OBJECTIVES = unique<Objective>('objectives');

export const MERGES = unique<MergeMethod>('merges');
export const REWARDS = unique<Reward>('rewards');
export const GRADERS = unique<Grader>('graders');
export const METRICS = unique<Metric>('metrics');

/** Batch sources, by the scheme in `text:corpus.txt`. */
export const DATA = unique<DataSource>('data');

/** Listeners to events: all that a run asks for are used. */
export const TRACKERS = definePoint<Tracker, 'all'>({ name: 'trackers', rule: 'all', key: item => item.name });

export const EXECUTORS = unique<Executor>('executors');
export const COMMANDS = unique<Command>('commands');

/** What a kernel goes by. Neither a format nor an op has a space in its name. */
export const kernelKey = (format: string, op: string): string => `${format} ${op}`;

const isName = (text: unknown): boolean => typeof text === 'string' && text !== '';
