/** Units whose arithmetic an engine does: the graph of each distinct problem is compiled once. */

import type { Backend, Executable, KernelSource, MergeArray, MergeMethod } from '@heddle/core';
import { mergeFeeds, mergeGraph, type TensorMerge } from '../apply/tensors.js';
import type { MergePlan, PlanNotice, TensorPlan } from '../plan/plan.js';
import { rowsOf } from '../plan/plan.js';
import { answerOf, type Pool } from './pool.node.js';
import { openWorker, type Unit, type UnitSettings } from './unit.node.js';

export interface MergeEngine {
  readonly backend: Backend;
  /** Those of `@heddle/mmt-merge/gpujs`, for an engine that takes them. */
  readonly kernels?: KernelSource | undefined;
}

/** Compiled problems that are kept: shapes and parameters come back layer after layer. */
const mostKept = 32;

/** Why an engine leaves a tensor to the processor; null where it takes it. */
function reasonAgainst(
  { backend: { limits } }: MergeEngine,
  elements: number,
  shape: readonly number[],
  accumulate: UnitSettings['accumulate'],
): string | null {
  if (accumulate === 'float64') return 'sums in float64 are asked for';
  if (elements > limits.maxElements) return `an engine's tensor holds at most ${limits.maxElements} elements`;
  if (shape.length > limits.maxRank) return `an engine's tensor has at most ${limits.maxRank} axes`;
  return null;
}

/** @param cut into units, as `[from, to]` */
export function engineNotices(
  engine: MergeEngine,
  plan: MergePlan,
  cut: (tensor: TensorPlan) => readonly (readonly [number, number])[],
): readonly PlanNotice[] {
  const left = new Map<string, number>();
  for (const tensor of plan.tensors.filter(({ copy, shape }) => !copy && rowsOf(shape).elements > 0)) {
    const most = Math.max(...cut(tensor).map(([from, to]) => to - from));
    const reason = reasonAgainst(engine, most, tensor.shape, plan.accumulate);
    if (reason !== null) left.set(reason, (left.get(reason) ?? 0) + 1);
  }
  return [...left].map(([reason, count]) => ({
    kind: 'engine',
    subject: engine.backend.name,
    message: `${count} of ${plan.tensors.length} tensors are merged on the processor: ${reason}`,
  }));
}

export function openEnginePool(engine: MergeEngine, methods: readonly MergeMethod[], settings: UnitSettings): Pool {
  const worker = openWorker(methods, settings);
  const compiled = new Map<string, Promise<Executable>>();

  async function executableFor(method: MergeMethod, call: TensorMerge): Promise<Executable> {
    const { shape, options, each, models, base } = call;
    const key = JSON.stringify([method.name, shape, options, each, models.length, base !== null]);
    const known = compiled.get(key);
    if (known !== undefined) return known;
    for (const [oldest, executable] of compiled) {
      if (compiled.size < mostKept) break;
      compiled.delete(oldest);
      await (await executable).close();
    }
    const { backend, kernels } = engine;
    const how = { name: `merge ${method.name}`, ...(kernels === undefined ? {} : { kernels }) };
    const made = backend.compile(mergeGraph(method, call), how);
    compiled.set(key, made);
    return made;
  }

  async function merged(unit: Unit): Promise<MergeArray> {
    const method = methods.find(({ name }) => name === unit.tensor.method)!;
    const call = worker.inputs(unit);
    const executable = await executableFor(method, call);
    const { outputs } = await executable.run(mergeFeeds(call));
    return outputs['merged']!.data as Float32Array; // f32 in, f32 out
  }

  return {
    size: 1,
    async ask(ask) {
      await new Promise(resolve => setImmediate(resolve)); // signals and progress get their turn
      if (ask.kind !== 'unit') return answerOf(ask, worker);
      const { tensor, from, to } = ask.unit;
      const here = tensor.copy || reasonAgainst(engine, to - from, tensor.shape, settings.accumulate) !== null;
      if (here) return answerOf(ask, worker);
      return { kind: 'unit', result: worker.run(ask.unit, await merged(ask.unit)) };
    },
    async close() {
      worker.close();
      for (const executable of compiled.values()) await (await executable).close();
    },
  };
}
