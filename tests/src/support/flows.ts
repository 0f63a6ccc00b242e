/** Pipelines that are stopped, and what they leave. */

import {
  createHost,
  inProcess,
  memoryArtifacts,
  memoryResults,
  type Checkpoint,
  type Flow,
  type HeddleEvent,
  type Store,
} from '@heddle/core';
import { lastValueFrom, tap } from 'rxjs';

export const storeOf = (): Store => ({ artifacts: memoryArtifacts(), results: memoryResults() });

/** Runs a pipeline, pulling the plug before event `stopAt`. @returns what it gave, or null when it was stopped */
export async function runFlow<I, O>(
  flow: Flow<I, O>,
  input: I,
  store: Store,
  stopAt = Infinity,
): Promise<{ readonly output: O | null; readonly events: readonly HeddleEvent[] }> {
  const host = createHost();
  const stop = new AbortController();
  const events: HeddleEvent[] = [];
  let output: O | null = null;
  try {
    await lastValueFrom(
      inProcess.submit({ flow, input, host, fresh: false, store, signal: stop.signal }).pipe(
        tap(event => {
          events.push(event);
          if (events.length === stopAt) stop.abort();
          if (event.type === 'flow.finished') output = event.output as O;
        }),
      ),
    );
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await host.close();
  }
  return { output, events };
}

export const stagesRun = (
  events: readonly HeddleEvent[],
  type: 'stage.started' | 'stage.cached' = 'stage.started',
): readonly string[] => events.flatMap(event => (event.type === type ? [event.stage] : []));

/** Room for what a run is interrupted in: a checkpoint after every step. */
export function shelf() {
  const saved = new Map<string, Checkpoint>();
  return {
    saved,
    checkpoints: (key: string) => ({
      every: 1,
      store: {
        save: async (checkpoint: Checkpoint) => (saved.set(key, checkpoint), key),
        latest: async () => saved.get(key) ?? null,
      },
    }),
  };
}
