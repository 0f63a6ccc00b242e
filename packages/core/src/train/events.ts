/** What a run says while it runs. Plain data, but for the two calls of a finished step. */

import type { HostTensor } from '../ir/types.js';

export type Metrics = Readonly<Record<string, number>>;

/** Everything needed to go on as if nothing had happened. */
export interface Checkpoint {
  readonly step: number;
  /** Parameters as `params.NAME`, optimizer state as `state.NAME`. */
  readonly tensors: Readonly<Record<string, HostTensor>>;
  readonly meta: CheckpointMeta;
}

/** JSON only. */
export interface CheckpointMeta {
  readonly format: 1;
  readonly step: number;
  /** Seed of the run: with the step, all of its randomness. */
  readonly seed: number;
  /** Where the data stands, in the source's own terms. */
  readonly cursor: unknown;
  /** What the run was started with. */
  readonly config: unknown;
  readonly configHash: string;
  readonly backend: string;
  readonly plugins: Readonly<Record<string, string>>;
  /** Tokens seen so far. */
  readonly tokens: number;
}

export interface StepFinished {
  readonly type: 'step.finished';
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly metrics: Metrics;
  /** Tokens in this step. */
  readonly tokens: number;
  /** Wall time of this step, data included. */
  readonly seconds: number;
  /** Downloads parameters and state as they are after this step. */
  snapshot(): Promise<Checkpoint>;
  /** The next step begins when this promise has settled; its rejection ends the run. */
  waitUntil(work: Promise<unknown>): void;
  /** Ends the run after this step, with reason `stopped`. */
  stop(): void;
}

/** The last event of a run that did not fail. The state is still there for who wants to save it. */
export interface RunFinished {
  readonly type: 'run.finished';
  readonly step: number;
  /** `stopped`: by an operator or because the data ended; `cancelled`: by the signal. */
  readonly reason: 'steps' | 'stopped' | 'cancelled';
  snapshot(): Promise<Checkpoint>;
  waitUntil(work: Promise<unknown>): void;
}

/** The loss was not finite. The state is the one before the step; the run ends with `E_NOT_FINITE`. */
export interface StepFailed {
  readonly type: 'step.failed';
  readonly step: number;
  readonly loss: number;
  /** The first tensor that is not finite, as `path: op`. */
  readonly path: string;
  snapshot(): Promise<Checkpoint>;
  waitUntil(work: Promise<unknown>): void;
}

export type TrainEvent =
  | {
      readonly type: 'run.started';
      readonly run: string;
      readonly parameters: number;
      readonly backend: string;
      readonly steps: number;
      readonly resumedFrom: number | null;
      /** Milliseconds to trace, lower and compile the step. */
      readonly compileMs: number;
    }
  | StepFinished
  | StepFailed
  | { readonly type: 'checkpoint.saved'; readonly step: number; readonly uri: string }
  | { readonly type: 'evaluation.finished'; readonly step: number; readonly scores: Metrics }
  | { readonly type: 'notice'; readonly code: string; readonly message: string }
  | RunFinished;

/** What a pipeline says; training events of its stages pass through. */
export type FlowEvent =
  | { readonly type: 'flow.started'; readonly flow: string; readonly stages: readonly string[] }
  | { readonly type: 'stage.started'; readonly stage: string; readonly key: string }
  | { readonly type: 'stage.cached'; readonly stage: string; readonly key: string }
  | {
      readonly type: 'stage.finished';
      readonly stage: string;
      readonly key: string;
      readonly output: unknown;
      readonly seconds: number;
    }
  | { readonly type: 'flow.finished'; readonly flow: string; readonly output: unknown };

export type HeddleEvent = TrainEvent | FlowEvent;
