/**
 * The hand-built step by onnxruntime-node directly, in the fastest way that it offers: two sets of state, one read and
 * one written, swapped after each step.
 */

import ort from 'onnxruntime-node';
import { adamScalars, buildStep } from '../handbuilt/gpt-step.mjs';
import { sessionOptions } from '../onnxruntime.mjs';
import { batch, parameters, rate, weights } from '../reference-step.mjs';
import { serve } from '../serve.mjs';

const float = (data, shape) => new ort.Tensor('float32', data, shape);
const ids = ({ data }) => new ort.Tensor('int64', BigInt64Array.from(data, BigInt), [data.length]);

function stateOf(dims, initial) {
  return Object.fromEntries(
    parameters(dims).flatMap(([name, shape]) =>
      ['', 'm_', 'v_'].map(prefix => {
        const { data } = initial[name];
        return [`${prefix}${name}`, float(prefix === '' ? data.slice() : new Float32Array(data.length), shape)];
      }),
    ),
  );
}

await serve(async ({ threads, dims }) => {
  const from = performance.now();
  const { bytes, nodes } = buildStep(dims);
  const built = performance.now();
  const session = await ort.InferenceSession.create(bytes, sessionOptions(threads));
  const info = { nodes, buildMs: built - from, sessionMs: performance.now() - built };
  const initial = weights(dims);
  const sets = [stateOf(dims, initial), stateOf(dims, initial)];
  return {
    info,
    prepare(i) {
      const { ids: input, targets } = batch(dims, i % 12);
      return { i, input: ids(input), targets: ids(targets) };
    },
    async step({ i, input, targets }) {
      const scalars = adamScalars(i + 1, rate);
      const feeds = {
        ids: input,
        targets,
        rate: float(Float32Array.of(scalars.rate), []),
        epsilon: float(Float32Array.of(scalars.epsilon), []),
        ...sets[i % 2],
      };
      const loss = float(new Float32Array(1), []);
      const fetches = {
        loss,
        ...Object.fromEntries(Object.entries(sets[(i + 1) % 2]).map(([name, t]) => [`${name}_next`, t])),
      };
      await session.run(feeds, fetches);
      return loss.data[0];
    },
  };
});
