/** Results of finished stages, by key: what lets a second run skip them. */

import { token } from '../plugin/container.js';

export interface StageResult {
  readonly key: string;
  readonly stage: string;
  readonly version: number;
  /** JSON. */
  readonly output: unknown;
}

export interface StageResults {
  /** null when that stage has not finished with that input. */
  read(key: string): Promise<StageResult | null>;
  /** All or nothing: a result that was interrupted is not found by `read`. */
  write(result: StageResult): Promise<void>;
}

/** Where results go. In memory unless a plugin or the caller says otherwise. */
export const RESULTS = token<StageResults>('stage-results');

/** Results that end with the process. */
export function memoryResults(): StageResults {
  const held = new Map<string, string>(); // as text, so that nobody changes what is stored
  return {
    async read(key) {
      const text = held.get(key);
      return text === undefined ? null : (JSON.parse(text) as StageResult);
    },
    async write(result) {
      held.set(result.key, JSON.stringify(result));
    },
  };
}
