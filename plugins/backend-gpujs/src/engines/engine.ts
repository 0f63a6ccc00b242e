/** What every mode does in its own way: hold arrays, run passes. */

import type { HostTensor, TensorType } from '@heddle/core';
import type { Lowered } from '../lower/lower.js';

/** Memory of an engine. */
export interface Held {
  readonly type: TensorType;
}

export interface Run {
  readonly inputs: Readonly<Record<string, HostTensor | Held>>;
  readonly keep: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

export interface Ran {
  readonly outputs: Readonly<Record<string, HostTensor>>;
  readonly kept: Readonly<Record<string, Held>>;
}

export interface Program {
  run(run: Run): Promise<Ran>;
  /** Lines for `explain()`. */
  notes(): readonly string[];
  close(): void;
}

export interface Engine {
  /** `gpujs:webasm` */
  readonly name: string;
  readonly about: string;
  readonly resident: boolean;
  readonly tolerance: number;
  readonly maxReads: number;
  readonly maxElements: number;
  load(lowered: Lowered, name: string): Promise<Program>;
  hold(host: HostTensor): Held;
  read(held: Held): Promise<HostTensor>;
  release(held: Held): void;
  /** The device is gone and why; null while it is there. */
  lost(): string | null;
  /** When the device is gone: why, or null where it was closed. Engines without one leave it out. */
  readonly whenLost?: Promise<string | null>;
  close(): Promise<void>;
}

export const isHostTensor = (t: HostTensor | Held): t is HostTensor => 'data' in t;
