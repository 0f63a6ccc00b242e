/** A token drawn from logits. */

let weights = new Float64Array(0);

/**
 * A token drawn by a uniform number, and the logarithm of its share.
 *
 * @param logits f32[V]
 * @param uniform from 0 up to, not including, 1
 */
export function drawToken(
  logits: Float32Array,
  temperature: number,
  uniform: number,
): { readonly id: number; readonly logp: number } {
  // Loops over one array for all tokens: this runs once for each token of each answer.
  const V = logits.length;
  if (weights.length < V) weights = new Float64Array(V);
  let peak = -Infinity;
  for (let i = 0; i < V; i++) if (logits[i]! > peak) peak = logits[i]!;
  let total = 0;
  for (let i = 0; i < V; i++) total += weights[i] = Math.exp((logits[i]! - peak) / temperature);
  let left = uniform * total;
  let id = 0;
  while (id < V && (left -= weights[id]!) >= 0) id++;
  while (id === V || weights[id] === 0) id--;
  return { id, logp: Math.log(weights[id]! / total) };
}
