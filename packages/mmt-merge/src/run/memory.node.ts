/** How much memory a merge will take, from its plan. */

import type { MergeMethod } from '@heddle/core';
import { rowsOf, type MergePlan } from '../plan/plan.js';
import { bytesOfSource } from '../plan/source.js';
import { needsWhole, pieceElements } from './unit.node.js';

/** Node itself, the code, and the plan. Bytes, as measured. */
const process = 80e6;
const thread = 20e6;
const readAhead = 8 << 20;

/** Bytes at the same time, about. */
export function peakMemory(
  plan: MergePlan,
  methods: readonly MergeMethod[],
  { threads, memory }: { readonly threads: number; readonly memory: number },
): number {
  const budget = memory / Math.max(1, threads);
  let most = 0;
  for (const tensor of plan.tensors) {
    const method = methods.find(({ name }) => name === tensor.method);
    const inputs = [...tensor.models, ...(tensor.base ? [tensor.base] : [])];
    const all = inputs.reduce((n, { source }) => n + bytesOfSource(source), 0);
    const { columns } = rowsOf(tensor.shape);
    const pieces = Math.max(pieceElements, columns) * 8 * (2 * inputs.length + 4);
    const whole = method?.stream === undefined || needsWhole(method, tensor);
    most = Math.max(most, pieces + (whole && all <= budget ? all : inputs.length * readAhead));
  }
  return process + Math.max(1, threads) * (thread + most);
}
