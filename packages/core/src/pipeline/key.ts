/** What a result is stored under. */

import { canonicalJson, hashJson } from '../io/json.js';
import type { AnyStage } from './stage.js';

/**
 * The key of a stage with an input: equal name, version and input give an equal key, whatever the order of fields.
 *
 * @param input what the input schema made of it, defaults filled in
 * @throws E_JSON when the input is not JSON
 */
export const stageKey = (stage: Pick<AnyStage, 'name' | 'version'>, input: unknown): string =>
  hashJson({ stage: stage.name, version: stage.version, input });

/** The value as a reader of its JSON would see it, so that a first run and a cached one pass on exactly the same. */
export const asJson = (value: unknown): unknown => JSON.parse(canonicalJson(value)) as unknown;
