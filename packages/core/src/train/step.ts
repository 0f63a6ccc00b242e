/**
 * The training step as graphs: forward, backward, clipping and optimizer in one, so that every engine that can infer
 * can train. With gradient accumulation it is two: one that adds up, one that applies.
 */

import { bind, parameterTypes } from '../model/tree.js';
import { clipByNorm } from '../optim/clip.js';
import { f32, i32, type Graph, type Types } from '../ir/types.js';
import { full, type Tensor } from '../tensor/tensor.js';
import { grad, trace } from '../tensor/trace.js';
import type { AnyLayer } from '../model/layer.js';
import type { Objective } from './objective.js';
import type { Optimizer } from '../optim/optimizer.js';

export interface StepPlan {
  readonly model: AnyLayer;
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  /** Types of one batch. */
  readonly batch: Types;
  /** Largest joint norm of the gradients; null leaves them. */
  readonly clip: number | null;
  /** Which parameters move; all by default. The others are read and have neither gradients nor state. */
  readonly trains?: (path: string) => boolean;
}

/** Types of the parameters that move. */
export const trainedTypes = ({ model, trains = () => true }: Pick<StepPlan, 'model' | 'trains'>): Types =>
  Object.fromEntries(Object.entries(parameterTypes(model)).filter(([name]) => trains(name)));

/** Names of a part of the feeds: `params.NAME`, `state.NAME.SLOT`, `batch.NAME`, `scalars.NAME`, `sums.NAME`. */
const prefixed = <T>(prefix: string, items: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(items).map(([name, item]) => [`${prefix}.${name}`, item]));

const part = (prefix: string, items: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(items).flatMap(([name, t]) =>
      name.startsWith(`${prefix}.`) ? [[name.slice(prefix.length + 1), t]] : [],
    ),
  );

/** Types of the optimizer's state, by `NAME.SLOT`. */
export function stateTypes(plan: Pick<StepPlan, 'model' | 'optimizer' | 'trains'>): Types {
  return Object.fromEntries(
    Object.entries(trainedTypes(plan)).flatMap(([name, { shape }]) =>
      Object.entries(plan.optimizer.state(shape)).map(([slot, s]) => [`${name}.${slot}`, f32(...s.shape)]),
    ),
  );
}

const scalarTypes = (optimizer: Optimizer): Types =>
  Object.fromEntries(Object.keys(optimizer.scalars(1, 0)).map(name => [name, f32()]));

/**
 * One graph: `params.*`, `state.*`, `batch.*`, `scalars.*`, `key` in; the new `params.*` and `state.*` of what moves,
 * `loss`, `metrics.*` out.
 */
export function trainStep(plan: StepPlan): Graph {
  const types: Types = {
    ...prefixed('params', parameterTypes(plan.model)),
    ...prefixed('state', stateTypes(plan)),
    ...prefixed('batch', plan.batch),
    ...prefixed('scalars', scalarTypes(plan.optimizer)),
    key: i32(2),
  };
  return trace(types, inputs => {
    const params = part('params', inputs);
    const {
      sum,
      count,
      metrics = {},
    } = plan.objective.loss(bind(plan.model, params, { training: true, key: inputs['key']! }), part('batch', inputs));
    const loss = sum.div(count);
    const names = Object.keys(trainedTypes(plan));
    const gradients = grad(
      loss,
      names.map(n => params[n]!),
    );
    const means = Object.fromEntries(Object.entries(metrics).map(([name, m]) => [name, m.div(count)]));
    return {
      ...apply(plan, names, params, gradients, part('state', inputs), part('scalars', inputs)),
      loss,
      ...prefixed('metrics', means),
    };
  });
}

/** Adds one batch to the sums: `params.*`, `sums.*`, `batch.*`, `key` in; `sums.*` out. Sums hold gradients, `$loss`, `$count` and metrics. */
export function accumulateStep(plan: StepPlan): Graph {
  const types: Types = {
    ...prefixed('params', parameterTypes(plan.model)),
    ...prefixed('sums', sumTypes(plan)),
    ...prefixed('batch', plan.batch),
    key: i32(2),
  };
  return trace(types, inputs => {
    const params = part('params', inputs);
    const sums = part('sums', inputs);
    const {
      sum,
      count,
      metrics = {},
    } = plan.objective.loss(bind(plan.model, params, { training: true, key: inputs['key']! }), part('batch', inputs));
    const names = Object.keys(trainedTypes(plan));
    const gradients = grad(
      sum,
      names.map(n => params[n]!),
    );
    const now: Record<string, Tensor> = {
      ...Object.fromEntries(names.map((n, i) => [n, gradients[i]!])),
      $loss: sum,
      $count: count,
      ...prefixed('$metrics', metrics),
    };
    return prefixed('sums', Object.fromEntries(Object.entries(sums).map(([n, t]) => [n, t.add(now[n]!)])));
  });
}

/** Applies the sums, divided by their joint count: `params.*`, `state.*`, `sums.*`, `scalars.*` in; new `params.*`, `state.*`, `loss`, `metrics.*` out. */
export function applyStep(plan: StepPlan): Graph {
  const types: Types = {
    ...prefixed('params', trainedTypes(plan)),
    ...prefixed('state', stateTypes(plan)),
    ...prefixed('sums', sumTypes(plan)),
    ...prefixed('scalars', scalarTypes(plan.optimizer)),
  };
  return trace(types, inputs => {
    const params = part('params', inputs);
    const sums = part('sums', inputs);
    const share = full([], 1).div(sums['$count']!);
    const names = Object.keys(params);
    const gradients = names.map(n => sums[n]!.mul(share));
    const means = Object.fromEntries(Object.entries(part('$metrics', sums)).map(([name, m]) => [name, m.mul(share)]));
    return {
      ...apply(plan, names, params, gradients, part('state', inputs), part('scalars', inputs)),
      loss: sums['$loss']!.mul(share),
      ...prefixed('metrics', means),
    };
  });
}

/** Types of the sums: a gradient for each parameter that moves, and the parts of the loss. */
export function sumTypes(plan: StepPlan): Types {
  return {
    ...trainedTypes(plan),
    $loss: f32(),
    $count: f32(),
    ...prefixed('$metrics', Object.fromEntries(metricNames(plan).map(name => [name, f32()]))),
  };
}

/** Found by tracing the loss once: what a loss reports is known only when it runs. */
function metricNames(plan: StepPlan): string[] {
  let names: string[] = [];
  const types: Types = {
    ...prefixed('params', parameterTypes(plan.model)),
    ...prefixed('batch', plan.batch),
    key: i32(2),
  };
  trace(types, inputs => {
    const { sum, metrics = {} } = plan.objective.loss(
      bind(plan.model, part('params', inputs), { training: true, key: inputs['key']! }),
      part('batch', inputs),
    );
    names = Object.keys(metrics);
    return { sum };
  });
  return names;
}

/** Forward only: `params.*`, `batch.*` in; `sum`, `count`, `metrics.*` out. For evaluation. */
export function evaluationStep({ model, objective, batch }: Pick<StepPlan, 'model' | 'objective' | 'batch'>): Graph {
  return trace({ ...prefixed('params', parameterTypes(model)), ...prefixed('batch', batch) } as Types, inputs => {
    const {
      sum,
      count,
      metrics = {},
    } = objective.loss(bind(model, part('params', inputs), { training: false }), part('batch', inputs));
    return { sum, count, ...prefixed('metrics', metrics) };
  });
}

function apply(
  { optimizer, clip, model }: StepPlan,
  names: readonly string[],
  params: Readonly<Record<string, Tensor>>,
  gradients: readonly Tensor[],
  state: Readonly<Record<string, Tensor>>,
  scalars: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const clipped = clip === null ? null : clipByNorm(gradients, clip);
  const used = clipped?.gradients ?? gradients;
  const out: Record<string, Tensor> = clipped ? { 'metrics.gradientNorm': clipped.norm } : {};
  const shapes = parameterTypes(model);
  names.forEach((name, i) => {
    const slots = Object.keys(optimizer.state(shapes[name]!.shape));
    const next = optimizer.update({
      name,
      parameter: params[name]!,
      gradient: used[i]!,
      state: Object.fromEntries(slots.map(slot => [slot, state[`${name}.${slot}`]!])),
      scalars,
    });
    out[`params.${name}`] = next.parameter;
    for (const slot of slots) out[`state.${name}.${slot}`] = next.state[slot]!;
  });
  return out;
}
