import type { fail, isHeddleError } from '../../src/errors.js';
import type { openSafetensors } from '../../src/io/safetensors.js';
import type { openSharded } from '../../src/io/sharded.js';

export interface FuzzedApi {
  readonly openSafetensors: typeof openSafetensors;
  readonly openSharded: typeof openSharded;
  readonly isHeddleError: typeof isHeddleError;
  readonly fail: typeof fail;
}

export interface FuzzOutcome {
  readonly mutations: number;
  readonly refused: number;
  readonly accepted: number;
  readonly violations: readonly string[];
}

export function fuzz(api: FuzzedApi, mutations: number, seed?: number): Promise<FuzzOutcome>;
