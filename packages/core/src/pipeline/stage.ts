/** A stage: one typed step of a pipeline, from small JSON to small JSON. Big things are artifacts. */

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { fail } from '../errors.js';
import type { Token } from '../plugin/container.js';
import type { Host } from '../plugin/host.js';
import type { HeddleEvent } from '../train/events.js';
import type { Artifacts } from './artifacts.js';

/** What a stage may use beside its input. */
export interface StageContext {
  /** What the result will be found under: a name for what is unfinished, so that a stage that was stopped can go on. */
  readonly key: string;
  /** A child of the host that lives as long as this run; what is opened through it closes with the run. */
  readonly host: Host;
  get<T>(token: Token<T>): T;
  /** Passes an event on to whoever listens to the flow. */
  emit(event: HeddleEvent): void;
  /** Aborts when the run is cancelled; a stage that works for long listens to it. */
  readonly signal: AbortSignal;
  /** Where files go; their URIs go into the output. */
  readonly artifacts: Artifacts;
}

/** One step, taking `I` and giving `O`. Equal name, version and input mean an equal output. */
export interface Stage<I, O> {
  readonly is: 'stage';
  readonly name: string;
  /** Goes up when the same input should give another output: older results are then not reused. */
  readonly version: number;
  readonly input: StandardSchemaV1;
  readonly output: StandardSchemaV1;
  /** Gets what the input schema made of the input. */
  readonly run: (input: unknown, context: StageContext) => unknown;
  /** Never set; they carry the types. */
  readonly accepts?: (input: I) => void;
  readonly gives?: () => O;
}

/** A stage of any types. */
export type AnyStage = Stage<never, unknown>;

/**
 * Makes a stage. The schemas may come from any validator that speaks Standard Schema.
 *
 * @example
 * const count = defineStage({
 *   name: 'count', version: 1, input: Text, output: Count,
 *   run: ({ text }) => ({ words: text.split(' ').length }),
 * });
 * @throws E_NAME for a name that is empty or has a slash, which separates nested flows; for a version below 1
 */
export function defineStage<In extends StandardSchemaV1, Out extends StandardSchemaV1>(stage: {
  readonly name: string;
  readonly version: number;
  readonly input: In;
  readonly output: Out;
  run(
    input: StandardSchemaV1.InferOutput<In>,
    context: StageContext,
  ): StandardSchemaV1.InferInput<Out> | Promise<StandardSchemaV1.InferInput<Out>>;
}): Stage<StandardSchemaV1.InferInput<In>, StandardSchemaV1.InferOutput<Out>> {
  const { name, version, input, output } = stage;
  refuseName('stage', name);
  if (!Number.isSafeInteger(version) || version < 1) {
    fail(
      'E_NAME',
      `stage '${name}': expected version 1, 2, 3…, received ${String(version)}. Count up when the same input should give another output.`,
      { name, version },
    );
  }
  // Only called with what the input schema returned, so the type holds.
  const run = (value: unknown, context: StageContext): unknown =>
    stage.run(value as StandardSchemaV1.InferOutput<In>, context);
  return { is: 'stage', name, version, input, output, run };
}

/** @throws E_NAME */
export function refuseName(what: string, name: unknown): void {
  if (typeof name === 'string' && name !== '' && !name.includes('/')) return;
  fail(
    'E_NAME',
    `${what}: expected a name without slashes, received ${JSON.stringify(name) ?? 'nothing'}. Rename it.`,
    { name },
  );
}

/**
 * What a schema makes of a value.
 *
 * @throws E_SCHEMA naming the stage, the path of each field that is wrong, and what came
 */
export async function validate(stage: AnyStage, side: 'input' | 'output', value: unknown): Promise<unknown> {
  const result = await stage[side]['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message, path = [] }) => {
    const keys = path.map(part => (typeof part === 'object' ? part.key : part));
    return { path: [side, ...keys].map(String).join('.'), message, received: glance(at(value, keys)) };
  });
  const words = issues.map(({ path, message, received }) => `${path}: ${message} (received ${received})`).join('; ');
  const advice =
    side === 'input'
      ? 'Change what is passed to the flow, or what the stage before gives.'
      : 'Change what the stage returns, or its output schema.';
  return fail('E_SCHEMA', `stage '${stage.name}': ${words}. ${advice}`, { stage: stage.name, side, issues });
}

/**
 * A Standard Schema from a type guard, for stages that want no validator.
 *
 * @param expected for the message: `a list of URIs`
 */
export const schemaOf = <T>(expected: string, check: (value: unknown) => value is T): StandardSchemaV1<T, T> => ({
  '~standard': {
    version: 1,
    vendor: 'heddle',
    validate: value => (check(value) ? { value } : { issues: [{ message: `expected ${expected}` }] }),
  },
});

function at(value: unknown, keys: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of keys) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return found;
}

const longest = 60;

/** A value short enough for a message. */
function glance(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined; // circular, or a bigint
  }
  text ??= typeof value === 'undefined' ? 'nothing' : typeof value;
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
