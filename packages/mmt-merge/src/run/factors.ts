/**
 * Merging the factors of adapters one by one, as PEFT's `add_weighted_adapter` does. It is no merge of the differences that
 * adapters stand for: products of one adapter's B with another's A come in. Here to be compared with, and for those who
 * must reproduce it.
 */

import { fail } from '@heddle/core';
import { drawUniforms } from './uniforms.js';

export interface FactorMerge {
  readonly method: string;
  /** One array a model, of one shape. */
  readonly tensors: readonly Float32Array[];
  /** sqrt(weight * scale) of each. */
  readonly factors: readonly number[];
  readonly densities: readonly number[];
  readonly seed: number;
  readonly stream: number;
}

/** @throws E_ADAPTER for a method that PEFT has not */
export function mergeFactors({ method, tensors, factors, densities, seed, stream }: FactorMerge): Float32Array {
  const random = method.startsWith('dare');
  const kept =
    method === 'linear' || method === 'task_arithmetic'
      ? tensors
      : tensors.map((x, i) => (random ? dropped(x, densities[i]!, seed, i, stream) : trimmed(x, densities[i]!)));
  switch (method) {
    case 'linear':
    case 'task_arithmetic':
    case 'dare_linear':
      return Float32Array.from(kept[0]!, (_, i) => kept.reduce((sum, x, k) => sum + factors[k]! * x[i]!, 0));
    case 'ties':
    case 'dare_ties':
      return Float32Array.from(kept[0]!, (_, i) => {
        const positive = kept.reduce((sum, x) => sum + x[i]!, 0) >= 0;
        let [sum, count] = [0, 0];
        for (const [k, x] of kept.entries()) {
          if (x[i] === 0 || x[i]! > 0 !== positive) continue;
          sum += factors[k]! * x[i]!;
          count++;
        }
        return sum / Math.max(1, count);
      });
    default:
      return fail('E_ADAPTER', `adapters, mode factors: expected linear, task_arithmetic, ties, dare_linear or dare_ties, received ${method}. Choose one of them, or mode delta.`, { method }); // prettier-ignore
  }
}

function trimmed(x: Float32Array, density: number): Float32Array {
  const k = density <= 0 ? 0 : Math.max(1, Math.trunc(density * x.length)); // one at least, as in all methods here
  if (k >= x.length) return x;
  const order = Array.from(x, (_, i) => i).sort((i, j) => Math.abs(x[j]!) - Math.abs(x[i]!) || i - j);
  const out = new Float32Array(x.length);
  for (const i of order.slice(0, k)) out[i] = x[i]!;
  return out;
}

/** Divided by the density, as in the paper. */
function dropped(x: Float32Array, density: number, seed: number, model: number, stream: number): Float32Array {
  const uniforms = new Float32Array(x.length);
  drawUniforms(uniforms, 0, x.length, seed, model, stream);
  return x.map((value, i) => (uniforms[i]! < density ? value / density : 0));
}
