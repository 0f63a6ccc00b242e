/** Scores of tokens for gpu.js: a thread a row, which goes over the vocabulary twice and stores three numbers. */

import { defineKernel, sizeOf } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { tokenScoresGradientOp, tokenScoresOp } from '../ops/token-scores.js';

interface Row {
  /** Size of the vocabulary. */
  readonly V: number;
  readonly temperature: number;
}

const total = perCell(function total(this: Thread<Row>, logits: number[]) {
  const { V, temperature } = this.constants;
  const start = this.thread.x * V;
  let peak = logits[start]!;
  for (let j = 1; j < V; j++) {
    peak = Math.max(peak, logits[start + j]!);
  }
  let sum = 0;
  for (let j = 0; j < V; j++) {
    sum += Math.exp((logits[start + j]! - peak) / temperature);
  }
  return peak / temperature + Math.log(sum);
});

const logProbability = perCell(function logProbability(
  this: Thread<Row>,
  logits: number[],
  tokens: number[],
  totals: number[],
) {
  const { V, temperature } = this.constants;
  const n = this.thread.x;
  return logits[n * V + tokens[n]!]! / temperature - totals[n]!;
});

const entropy = perCell(function entropy(this: Thread<Row>, logits: number[], totals: number[]) {
  const { V, temperature } = this.constants;
  const start = this.thread.x * V;
  const all = totals[this.thread.x]!;
  let sum = 0;
  for (let j = 0; j < V; j++) {
    const own = logits[start + j]! / temperature - all;
    sum -= Math.exp(own) * own;
  }
  return sum;
});

const gradient = perCell(function gradient(
  this: Thread<Row>,
  logits: number[],
  tokens: number[],
  totals: number[],
  toLogp: number[],
) {
  const { V, temperature } = this.constants;
  const n = Math.floor(this.thread.x / V);
  const j = this.thread.x - n * V;
  let chosen = 0;
  if (tokens[n]! === j) {
    chosen = 1;
  }
  return ((chosen - Math.exp(logits[this.thread.x]! / temperature - totals[n]!)) * toLogp[n]!) / temperature;
});

export const tokenScoresKernel = defineKernel(GPUJS, {
  op: tokenScoresOp,
  build([logits, tokens], { temperature }) {
    const at = {
      output: sizeOf(tokens!.shape),
      constants: { V: logits!.shape.at(-1)!, temperature: temperature as number },
    };
    const totals = total({ ...at, reads: [0] });
    return [logProbability({ ...at, reads: [0, 1, totals] }), entropy({ ...at, reads: [0, totals] }), totals];
  },
});

export const tokenScoresGradientKernel = defineKernel(GPUJS, {
  op: tokenScoresGradientOp,
  accepts: inputs => inputs.length === 4,
  build([logits], { temperature }) {
    const { shape } = logits!;
    const constants = { V: shape.at(-1)!, temperature: temperature as number };
    return gradient({ output: sizeOf(shape), constants, reads: [0, 1, 2, 3] });
  },
});
