/** Finds where a number stopped being one. */

import { bind } from '../model/tree.js';
import { callOf } from '../ir/call.js';
import { makeGraph } from '../ir/graph.js';
import { mul, reduceSum, fullLike } from '../ir/primitives/index.js';
import { grad, trace } from '../tensor/trace.js';
import { i32, type Graph, type HostTensor, type Types, type Value } from '../ir/types.js';
import type { Backend, KernelSource } from '../backend/contract.js';
import type { Tensor } from '../tensor/tensor.js';
import { trainedTypes, type StepPlan } from './step.js';

/**
 * Runs forward and backward once more with a probe on every float: `sum(x * 0)` is 0, or NaN where x holds NaN or
 * infinity.
 *
 * @param feeds `params.*`, `batch.*` and `key`
 * @returns `path: op` of the first tensor that is not finite, or null if all are
 */
export async function firstNotFinite(
  plan: StepPlan,
  backend: Backend,
  feeds: Readonly<Record<string, HostTensor>>,
  kernels?: KernelSource,
): Promise<string | null> {
  const types: Types = Object.fromEntries(Object.entries(feeds).map(([n, { dtype, shape }]) => [n, { dtype, shape }]));
  for (const [name, { data }] of Object.entries(feeds)) if (!data.every(Number.isFinite)) return name;
  const graph = trace({ ...types, key: i32(2) }, inputs => {
    const params: Record<string, Tensor> = {};
    const batch: Record<string, Tensor> = {};
    for (const [name, t] of Object.entries(inputs)) {
      if (name.startsWith('params.')) params[name.slice(7)] = t;
      if (name.startsWith('batch.')) batch[name.slice(6)] = t;
    }
    const { sum, count } = plan.objective.loss(
      bind(plan.model, params, { training: true, key: inputs['key']! }),
      batch,
    );
    const loss = sum.div(count);
    const moving = Object.keys(trainedTypes(plan));
    const gradients = grad(
      loss,
      moving.map(n => params[n]!),
    );
    return { loss, ...Object.fromEntries(moving.map((n, i) => [`gradient of ${n}`, gradients[i]!])) };
  });
  const { probed, names } = probe(graph);
  const executable = await backend.compile(probed, { name: 'diagnose', ...(kernels ? { kernels } : {}) });
  try {
    const { outputs } = await executable.run(
      Object.fromEntries(Object.keys(executable.signature.inputs).map(n => [n, feeds[n]!])),
    );
    const first = names.findIndex((_, i) => Number.isNaN(outputs[`probe.${i}`]!.data[0]!));
    return first < 0 ? null : names[first]!;
  } finally {
    await executable.close();
  }
}

function probe(graph: Graph): { readonly probed: Graph; readonly names: readonly string[] } {
  const names: string[] = [];
  const outputs: Record<string, Value> = {};
  const gradients = new Map(Object.entries(graph.outputs).map(([name, v]) => [v, name]));
  for (const node of graph.nodes) {
    if (node.op === 'input' || node.op === 'constant') continue;
    for (const v of node.outputs) {
      if (v.type.dtype !== 'f32') continue;
      const zero = mul(v, fullLike(v, 0));
      outputs[`probe.${names.length}`] =
        v.type.shape.length === 0
          ? zero
          : reduceSum(
              zero,
              v.type.shape.map((_, i) => i),
            );
      const op = callOf(node)?.op.name ?? node.op;
      const label = gradients.get(v);
      names.push(`${node.path === '' ? '' : `${node.path}: `}${op}${label === undefined ? '' : ` (${label})`}`);
    }
  }
  return { probed: makeGraph(graph.inputs, outputs), names };
}
