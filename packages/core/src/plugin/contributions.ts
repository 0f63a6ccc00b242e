/** What plugins contribute, by kind: plain data and functions, found by name. */

import type { Observable, Subscription } from 'rxjs';
import type { HostTensor, Shape } from '../ir/types.js';
import type { AnyLayer } from '../model/layer.js';
import type { HeddleEvent } from '../train/events.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Host } from './host.js';

/** A layer by name: an attention, a feed-forward, a norm. `config` is plain JSON. */
export interface PartFactory<C = Readonly<Record<string, unknown>>> {
  readonly name: string;
  create(config: C): AnyLayer;
}

/** A number that a recipe may say for a merge method. Flags are numbers too: 0 and 1. */
export interface MergeParameter {
  readonly describe: string;
  /** One for each model (`weight`), or one for the merge (`lambda`). */
  readonly per: 'model' | 'merge';
  readonly kind?: 'number' | 'flag';
  /** Left out: a recipe must say it. */
  readonly default?: number;
  readonly least?: number;
  readonly most?: number;
}

/** What one tensor of the merged model is made from; all tensors have one shape. */
export interface MergeInputs {
  /** Without the base, except where `laws.takesBase` is 'model'. */
  readonly models: readonly Tensor[];
  readonly base: Tensor | null;
  /** Parameters of the merge by name, defaults filled in. */
  readonly options: Readonly<Record<string, number>>;
  /** Parameters of each model, in the order of `models`. */
  readonly each: readonly Readonly<Record<string, number>>[];
  /**
   * For methods that declare `random`: numbers in [0, 1) of the shape of the tensor, one set a model. An element is kept
   * with probability p where its number is below p, so that a mask that is given can be fed as 0 (keep) and 1 (drop).
   */
  readonly uniforms: readonly Tensor[];
}

/** What a merge method promises: checked by the conformance kit, and used for planning what must be read. */
export interface MergeLaws {
  readonly orderIndependent: boolean;
  readonly needsBase: boolean;
  /** What a base that it does not need is to it: a base all the same, or one more model. Left out: it is not looked at. */
  readonly takesBase?: 'base' | 'model';
  /** How many models it can merge, the base not counted. */
  readonly models?: { readonly least?: number; readonly most?: number };
  /** A model whose `weight` is 0 changes nothing, and so need not be read. */
  readonly skipsZeroWeight?: boolean;
  /** Takes over part of a model even when that model is alone, as by thresholds of its own: every element is one of its inputs'. */
  readonly selective?: boolean;
}

/**
 * Merges one tensor of several models.
 *
 * `merge` is the meaning: a function of tensors that any engine runs. `stream` is the same arithmetic over plain arrays,
 * a piece at a time, for checkpoints larger than memory; a method without it is run through its graph, a whole tensor
 * at a time.
 */
export interface MergeMethod {
  readonly name: string;
  readonly describe?: string;
  readonly laws: MergeLaws;
  readonly parameters?: Readonly<Record<string, MergeParameter>>;
  /** Wants `uniforms`. */
  readonly random?: boolean;
  merge(inputs: MergeInputs): Tensor;
  stream?(task: MergeTask): MergePasses;
}

/** Numbers at accumulation precision: one of the two for the whole of a run. */
export type MergeArray = Float32Array | Float64Array;

/** One tensor to be merged in pieces. */
export interface MergeTask {
  readonly shape: Shape;
  /** Elements of the tensor; `columns` of them are a row, its last axis. A vector is one row. */
  readonly elements: number;
  readonly columns: number;
  readonly models: number;
  readonly hasBase: boolean;
  /** Of each model: whether all its numbers are bfloat16, so that nothing stands in the lower half of a float32. */
  readonly coarse?: readonly boolean[];
  readonly options: MergeInputs['options'];
  readonly each: MergeInputs['each'];
  /** Memory for a piece, of the kind that pieces have. What is in it lasts as long as the call that asked. */
  scratch(name: string): MergeArray;
}

/** Whole rows of every input, one after the other. Arrays may be longer than `length`: what follows is not to be read. */
export interface MergePiece {
  /** Elements of the tensor that come before. */
  readonly start: number;
  readonly length: number;
  readonly models: readonly MergeArray[];
  readonly base: MergeArray | null;
  /** Numbers in [0, 1) for one model, the same at every pass; drawn when asked. */
  uniforms(model: number): MergeArray;
}

/** Passes over one tensor. Each sees every piece, in order. */
export interface MergePasses {
  /** What must be known of the whole tensor before the first number of the result: norms, thresholds. */
  readonly looks: readonly ((piece: MergePiece) => void)[];
  /** Fills the first `length` elements of `out`, which is none of the inputs. */
  write(piece: MergePiece, out: MergeArray): void;
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

/** The run that asks for a batch, for data that comes of the model itself, such as rollouts. */
export interface Asking {
  /** Steps that are done. */
  readonly step: number;
  /** The parameters as they are, by path. */
  parameters(): Promise<Readonly<Record<string, HostTensor>>>;
}

/** Batches in a fixed order; `seek` goes on from a cursor that `next` gave. */
export interface Batches {
  /**
   * null at the end, for sources that have one. `cursor` is JSON: the state after this batch.
   *
   * @param asking the trainer always says who asks, and asks for a batch only when the step before it is done
   */
  next(asking?: Asking): Promise<{
    readonly batch: Readonly<Record<string, HostTensor>>;
    readonly tokens: number;
    readonly cursor: unknown;
    /** What the source has to say of it, shown with the step: of several batches of a step, the mean. */
    readonly metrics?: Readonly<Record<string, number>>;
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
