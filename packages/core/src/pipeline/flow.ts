/** A flow: a named list of stages whose types fit. Plain data; nothing runs until an executor takes it. */

import { fail } from '../errors.js';
import { refuseName, type AnyStage, type Stage } from './stage.js';

/** What can be chained: a stage, or a whole flow. */
export type Piece<I, O> = Stage<I, O> | Flow<I, O>;

/**
 * Stages in order, taking `I` and giving `O`.
 *
 * It has a `then`, so it cannot be awaited or returned from an async function: JavaScript would take it for a promise.
 * Put it into an object (`{ flow }`) where that is needed.
 */
export interface Flow<I, O> {
  readonly is: 'flow';
  readonly name: string;
  readonly steps: readonly Step[];
  /** Adds a stage, or all stages of a flow as `flow/stage`; the types must fit. */
  then<N>(next: Piece<O, N>): Flow<I, N>;
  /** Gives the same value to several stages or flows, one after another, and collects what they give by name. */
  thenAll<R extends Readonly<Record<string, unknown>>>(branches: { readonly [K in keyof R]: Piece<O, R[K]> }): Flow<
    I,
    R
  >;
  /** Never set; they carry the types. */
  readonly accepts?: (input: I) => void;
  readonly gives?: () => O;
}

/** A flow of any types. */
export type AnyFlow = Flow<never, unknown>;
type AnyPiece = AnyStage | AnyFlow;

/** One step of a flow, with the path that names it: `stage`, or `flow/stage` for one of a nested flow. */
export type Step =
  | { readonly kind: 'stage'; readonly path: string; readonly stage: AnyStage }
  | { readonly kind: 'all'; readonly branches: Readonly<Record<string, readonly Step[]>> };

/** A name, waiting for its first stage. */
export interface EmptyFlow {
  then<I, O>(first: Piece<I, O>): Flow<I, O>;
  thenAll<B extends Readonly<Record<string, AnyPiece>>>(
    branches: B,
  ): Flow<Accepted<B[keyof B]>, { [K in keyof B]: Given<B[K]> }>;
}

/** What all of some pieces accept. */
type Accepted<P extends AnyPiece> = NonNullable<P['accepts']> extends (input: infer I) => void ? I : never;
type Given<P extends AnyPiece> = NonNullable<P['gives']> extends () => infer O ? O : never;

/**
 * Begins a flow.
 *
 * @example pipeline('math-small').then(pretrain).then(merge).thenAll({ math: gradeMath, text: gradeText })
 * @throws E_NAME; later E_DUPLICATE for two stages of one name, E_CYCLE for a flow inside itself, E_FLOW for what is
 *   neither a stage nor a flow
 */
export function pipeline(name: string): EmptyFlow {
  refuseName('pipeline', name);
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- awaiting one is refused, by the compiler and by stepsOf
    then: <I, O>(first: Piece<I, O>) => flowOf<I, O>(name, stepsOf(name, first)),
    thenAll: <B extends Readonly<Record<string, AnyPiece>>>(branches: B) =>
      flowOf<Accepted<B[keyof B]>, { [K in keyof B]: Given<B[K]> }>(name, [fan(name, branches)]),
  };
}

/** The stages of a flow in the order in which they run. */
export const stagesOf = (steps: readonly Step[]): readonly Extract<Step, { kind: 'stage' }>[] =>
  steps.flatMap(step => (step.kind === 'stage' ? [step] : Object.values(step.branches).flatMap(stagesOf)));

/**
 * As much of a flow as one stage needs: the steps before it, and of its own step its branch alone. What an executor gives to a worker.
 *
 * @throws E_FLOW for a stage that the flow has not
 */
export function partOf<I>(flow: Flow<I, unknown>, path: string): Flow<I, unknown> {
  const within = (steps: readonly Step[]): readonly Step[] | null => {
    for (const [at, step] of steps.entries()) {
      const before = steps.slice(0, at);
      if (step.kind === 'stage') {
        if (step.path === path) return [...before, step];
        continue;
      }
      for (const [name, branch] of Object.entries(step.branches)) {
        const own = within(branch);
        if (own) return [...before, { kind: 'all', branches: { [name]: own } }];
      }
    }
    return null;
  };
  const steps =
    within(flow.steps) ??
    fail('E_FLOW', `pipeline '${flow.name}': expected one of its stages, received '${path}'. It has ${stagesOf(flow.steps).map(one => one.path).join(', ')}.`, { flow: flow.name, stage: path }); // prettier-ignore
  return flowOf(flow.name, steps);
}

function flowOf<I, O>(name: string, steps: readonly Step[]): Flow<I, O> {
  refuseTwins(name, steps);
  return {
    is: 'flow',
    name,
    steps,
    // oxlint-disable-next-line unicorn/no-thenable -- see above
    then: <N>(next: Piece<O, N>) => flowOf<I, N>(name, [...steps, ...stepsOf(name, next)]),
    thenAll: <R>(branches: Readonly<Record<string, AnyPiece>>) => flowOf<I, R>(name, [...steps, fan(name, branches)]),
  };
}

function fan(name: string, branches: Readonly<Record<string, AnyPiece>>): Step {
  const entries = Object.entries(branches).map(([key, piece]) => [key, stepsOf(name, piece)] as const);
  if (entries.length === 0)
    fail('E_FLOW', `pipeline '${name}': expected branches by name, received none. Give thenAll at least one.`, {
      flow: name,
    });
  return { kind: 'all', branches: Object.fromEntries(entries) };
}

function stepsOf(name: string, piece: AnyPiece): readonly Step[] {
  if (typeof piece === 'function') {
    // Promise machinery calls then(resolve, reject) on whatever has a `then`.
    fail(
      'E_FLOW',
      `pipeline '${name}': expected a stage, received a function. A flow cannot be awaited or returned from an async function; put it into an object: { flow }.`,
      {
        flow: name,
      },
    );
  }
  const kind: unknown = (piece as Partial<AnyPiece> | null | undefined)?.is;
  if (kind === 'stage') return [{ kind: 'stage', path: piece.name, stage: piece as AnyStage }];
  if (kind !== 'flow') {
    fail(
      'E_FLOW',
      `pipeline '${name}': expected a stage or a flow, received ${piece === null ? 'null' : typeof piece}. Make stages with defineStage().`,
      { flow: name },
    );
  }
  const inner = piece as AnyFlow;
  const circle = circleIn(name, inner.name, inner.steps);
  if (circle !== null) {
    fail(
      'E_CYCLE',
      `pipeline '${name}': contains itself: ${circle.join(' -> ')}. Rename one of the flows, or take the inner one out.`,
      { path: circle },
    );
  }
  return inner.steps.map(step => below(inner.name, step));
}

/**
 * How a flow named `name` comes to stand inside itself, if it does. Flows are known by name, because an executor may ship
 * names instead of code; stages of nested flows carry the names of the flows that they came through.
 */
function circleIn(name: string, inner: string, steps: readonly Step[]): readonly string[] | null {
  if (inner === name) return [name, name];
  for (const { path } of stagesOf(steps)) {
    const flows = path.split('/').slice(0, -1);
    const again = flows.indexOf(name);
    if (again !== -1) return [name, inner, ...flows.slice(0, again + 1)];
  }
  return null;
}

const below = (flow: string, step: Step): Step =>
  step.kind === 'stage'
    ? { ...step, path: `${flow}/${step.path}` }
    : {
        kind: 'all',
        branches: Object.fromEntries(
          Object.entries(step.branches).map(([key, steps]) => [key, steps.map(one => below(flow, one))]),
        ),
      };

function refuseTwins(name: string, steps: readonly Step[]): void {
  const seen = new Map<string, AnyStage>();
  for (const { path, stage } of stagesOf(steps)) {
    const twin = seen.get(path);
    if (twin !== undefined) {
      fail(
        'E_DUPLICATE',
        `pipeline '${name}': stage '${path}' stands in it twice, as version ${twin.version} and version ${stage.version}. Give one of them another name.`,
        { flow: name, stage: path, first: twin.version, second: stage.version },
      );
    }
    seen.set(path, stage);
  }
}
