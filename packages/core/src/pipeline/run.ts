/** Running one stage: validate, look whether it was done before, run, validate, store. Every executor's inner part. */

import { fail, isHeddleError } from '../errors.js';
import type { Host } from '../plugin/host.js';
import type { HeddleEvent } from '../train/events.js';
import { artifactsIn } from './artifacts.js';
import type { Store } from './executor.js';
import { asJson, stageKey } from './key.js';
import type { StageResult } from './results.js';
import { validate, type AnyStage } from './stage.js';

export interface Site {
  readonly flow: string;
  /** The stage's name in the flow: `merge`, or `inner/merge`. */
  readonly path: string;
  readonly host: Host;
  readonly store: Store;
  /** Run it although there is a result. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  emit(event: HeddleEvent): void;
}

/**
 * Runs a stage, or takes its stored result.
 *
 * A result is stored when the stage has finished and its output is valid, never before: a run that is killed leaves
 * the stages that it finished, and nothing of the one that it was in.
 *
 * @throws the stage's own coded error, or E_STAGE, naming flow and stage; E_SCHEMA; E_JSON
 */
export async function runStage(stage: AnyStage, input: unknown, site: Site): Promise<unknown> {
  const { path, store, fresh, signal } = site;
  let open = true;
  try {
    const taken = await validate(stage, 'input', input);
    const key = stageKey(stage, taken);
    const before = fresh ? null : await storedResult(store, key);
    signal.throwIfAborted();
    if (before !== null) {
      site.emit({ type: 'stage.cached', stage: path, key });
      return before.output;
    }
    site.emit({ type: 'stage.started', stage: path, key });
    const start = performance.now();
    const given = await stage.run(taken, {
      key,
      host: site.host,
      get: token => site.host.get(token),
      emit: event => {
        if (open && !signal.aborted) site.emit(event); // a stage that goes on after its end is not heard
      },
      signal,
      artifacts: store.artifacts,
    });
    open = false;
    signal.throwIfAborted();
    const output = asJson(await validate(stage, 'output', given));
    await store.results.write({ key, stage: stage.name, version: stage.version, output });
    signal.throwIfAborted();
    site.emit({ type: 'stage.finished', stage: path, key, output, seconds: (performance.now() - start) / 1000 });
    return output;
  } catch (error) {
    open = false;
    if (signal.aborted) throw error; // whoever aborted knows why
    return named(error, site);
  }
}

/** A result whose artifacts are all still there; without them it would only move the failure to the next stage. */
export async function storedResult(store: Store, key: string): Promise<StageResult | null> {
  const result = await store.results.read(key);
  if (result === null) return null;
  for (const uri of artifactsIn(result.output)) if (!(await store.artifacts.has(uri))) return null;
  return result;
}

/** The same error with the stage's name before it. Codes stay what they were: they are what people look up. */
function named(error: unknown, { flow, path }: Site): never {
  const words = error instanceof Error ? error.message : String(error);
  const where = { flow, stage: path };
  if (isHeddleError(error))
    fail(error.code, `flow '${flow}', stage '${path}': ${words}`, { ...error.details, ...where }, error);
  fail(
    'E_STAGE',
    `flow '${flow}', stage '${path}': failed: ${words}. Finished stages are kept; mend the cause and run the flow again.`,
    where,
    error,
  );
}
