/** What the worker and its owner say to each other. */

import type { HostTensor, TensorType } from '@heddle/core';
import type { ModelFace } from './engine.js';

/** Tensors that the worker holds travel as numbers. */
export interface Ticket {
  readonly ticket: number;
  readonly type: TensorType;
}

export type Ask =
  | { readonly call: 'load'; readonly model: Uint8Array; readonly face: ModelFace }
  | {
      readonly call: 'run';
      readonly program: number;
      readonly inputs: Readonly<Record<string, HostTensor | Ticket>>;
      readonly keep: ReadonlySet<string>;
      readonly donate: Readonly<Record<string, string>>;
    }
  | { readonly call: 'unload'; readonly program: number }
  | { readonly call: 'hold'; readonly host: HostTensor }
  | { readonly call: 'read'; readonly held: Ticket }
  | { readonly call: 'release'; readonly held: Ticket };

export interface RunReply {
  readonly outputs: Record<string, HostTensor>;
  readonly kept: Record<string, Ticket>;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };

export interface WorkerSetup {
  readonly name: string;
  readonly provider: string;
  readonly threads: number;
  readonly resident: boolean;
}
