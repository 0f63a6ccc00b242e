/** What runs ONNX models. The backend above it knows graphs; an engine knows only models, names and memory. */

import type { HostTensor, TensorType, Types } from '@heddle/core';

/** Memory that an engine holds. */
export interface Held {
  readonly type: TensorType;
}

/** Names and types as they stand in the model. */
export interface ModelFace {
  readonly inputs: Types;
  readonly outputs: Types;
}

export interface ProgramRun {
  readonly inputs: Readonly<Record<string, HostTensor | Held>>;
  /** Outputs to hold. */
  readonly keep: ReadonlySet<string>;
  /** Held inputs whose memory an output may take: output -> input. The run owns them from here on. */
  readonly donate: Readonly<Record<string, string>>;
  /** Arrays that outputs may be written to. */
  readonly into?: Readonly<Record<string, HostTensor['data']>>;
  readonly signal?: AbortSignal;
}

export interface ProgramResult {
  readonly outputs: Record<string, HostTensor>;
  readonly kept: Record<string, Held>;
}

/** A loaded model. One run at a time. */
export interface Program {
  run(run: ProgramRun): Promise<ProgramResult>;
  close(): Promise<void>;
}

export interface Engine {
  /** `onnx:cpu` */
  readonly name: string;
  /** How it is bound: for `explain` and `heddle doctor`. */
  readonly binding: string;
  readonly threads: number;
  /** Kept outputs stay where they were computed. */
  readonly resident: boolean;
  /** Operators that give only their first output here. */
  readonly firstOutputOnly?: readonly string[];
  load(model: Uint8Array, face: ModelFace): Promise<Program>;
  hold(host: HostTensor): Promise<Held>;
  read(held: Held): Promise<HostTensor>;
  release(held: Held): void;
  close(): Promise<void>;
}

export const isHeld = (t: HostTensor | Held): t is Held => 'type' in t;
