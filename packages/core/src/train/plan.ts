/** What a run is told before it starts. */

import type { Backend, KernelSource } from '../backend/contract.js';
import type { AnyLayer } from '../model/layer.js';
import type { Batches } from '../plugin/contributions.js';
import type { HostTensor } from '../ir/types.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Schedule } from '../optim/schedule.js';
import type { Checkpoint } from './events.js';
import type { Objective } from './objective.js';

export interface TrainPlan {
  /** For people: shown by trackers. */
  readonly name: string;
  readonly model: AnyLayer;
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly data: Batches;
  readonly backend: Backend;
  readonly kernels?: KernelSource;
  /** Optimizer steps in all, those before a resume included. */
  readonly steps: number;
  /** With the step, all of the run's randomness. */
  readonly seed?: number;
  /** Largest joint norm of the gradients; none by default. */
  readonly clip?: number;
  /** Batches that make one step. */
  readonly accumulate?: number;
  /**
   * Which parameters move, by path; all by default. Of the others no gradient is worked out and no state is kept, and they
   * are exactly as they were.
   */
  readonly trains?: (path: string) => boolean;
  /** Parameters to begin with instead of fresh ones. */
  readonly initial?: Readonly<Record<string, HostTensor>>;
  /** Go on from here. */
  readonly resume?: Checkpoint | null;
  /** JSON that a checkpoint carries; a resume with another one is refused. */
  readonly config?: unknown;
  /** Names and versions of the plugins at work, for the checkpoint. */
  readonly plugins?: Readonly<Record<string, string>>;
}
