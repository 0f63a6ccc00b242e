/** What plugins contribute, by kind: plain data and functions, found by name. */

import type { Observable, Subscription } from 'rxjs';
import type { HostTensor } from '../ir/types.js';
import type { AnyLayer } from '../model/layer.js';
import type { HeddleEvent } from '../train/events.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Host } from './host.js';

/** A layer by name: an attention, a feed-forward, a norm. `config` is plain JSON. */
export interface PartFactory<C = Readonly<Record<string, unknown>>> {
  readonly name: string;
  create(config: C): AnyLayer;
}

/** Merges one tensor of several models. */
export interface MergeMethod {
  readonly name: string;
  /** Declared laws, checked by the conformance kit. */
  readonly laws: { readonly orderIndependent: boolean; readonly needsBase: boolean };
  merge(tensors: readonly Tensor[], options: Readonly<Record<string, number>>, base: Tensor | null): Tensor;
}

/** Scores a batch of completions; null leaves a sample out. */
export interface Reward {
  readonly name: string;
  score(batch: readonly RewardSample[], signal?: AbortSignal): Promise<readonly (number | null)[]>;
}

export interface RewardSample {
  readonly prompt: string;
  readonly completion: string;
  readonly reference: string | null;
}

export interface Grader {
  readonly name: string;
  grade(answer: string, reference: string): Promise<Verdict>;
}

export interface Verdict {
  readonly verdict: 'correct' | 'incorrect' | 'unparsed' | 'undecided';
  /** A sentence for people. */
  readonly reason: string;
}

/** A metric whose statistics add up, so that no corpus needs to be kept. */
export interface Metric<S = unknown> {
  readonly name: string;
  /** Statistics of one pair. */
  observe(hypothesis: string, references: readonly string[]): S;
  add(left: S, right: S): S;
  score(statistics: S): number;
}

/** A batch source that can be left and found again. */
export interface DataSource {
  /** The scheme in a name such as `text:corpus.txt`. */
  readonly name: string;
  open(options: Readonly<Record<string, unknown>>): Promise<Batches>;
}

/** Batches in a fixed order; `seek` goes on from a cursor that `next` gave. */
export interface Batches {
  /** null at the end, for sources that have one. `cursor` is JSON: the state after this batch. */
  next(): Promise<{
    readonly batch: Readonly<Record<string, HostTensor>>;
    readonly tokens: number;
    readonly cursor: unknown;
  } | null>;
  seek(cursor: unknown): Promise<void>;
  close(): Promise<void>;
}

/** Listens to events. A tracker that throws is reported and detached; it never ends a run. */
export interface Tracker {
  readonly name: string;
  track(events: Observable<HeddleEvent>, options: Readonly<Record<string, unknown>>): Subscription;
}

/** A sub-command of `heddle`. */
export interface Command {
  /** `train`, or `merge plan` for one below another. */
  readonly name: string;
  readonly describe: string;
  readonly options: readonly CommandOption[];
  /** Positional arguments, in order. */
  readonly args?: readonly {
    readonly name: string;
    readonly describe: string;
    readonly required?: boolean;
    readonly many?: boolean;
  }[];
  /** Lines to type, without the `heddle` before them; shown under `--help`. */
  readonly examples?: readonly string[];
  /** @returns the process's exit code */
  run(call: CommandCall, host: Host): Promise<number>;
}

export interface CommandOption {
  /** As commander writes it: `--steps <n>`, `--json`. */
  readonly flags: string;
  readonly describe: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  /** May be given several times, or takes several values. */
  readonly many?: boolean;
}

export interface CommandCall {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Aborted by Ctrl-C; a second Ctrl-C ends the process. */
  readonly signal: AbortSignal;
  /** Results for people or, with `--json`, for programs: the only writer to standard output. */
  print(text: string): void;
  /** Part of a line on standard output, for text that appears while it is made. `print` and `note` end their line. */
  write?(text: string): void;
  /** Progress and notices: standard error. */
  note(text: string): void;
}
