/**
 * The reference training step: a GPT of width 256, 4 layers, 4 heads, vocabulary 2048, batch 16 x 128, Adam. The same
 * weights and data as its PyTorch twin, from a linear congruential generator, so that losses can be compared.
 */

import {
  adam,
  attend,
  causalMask,
  defineLayer,
  gelu,
  layerNorm,
  param,
  splitHeads,
  joinHeads,
  i32,
  trainStep,
  zeros,
  logProbability,
  full,
} from '@heddle/core';

export const shape = { V: 2048, D: 256, L: 4, H: 4, B: 16, T: 128 };
/** The same step, small: to try the benchmarks out, and to run many steps of it. */
export const tiny = { V: 256, D: 64, L: 2, H: 4, B: 4, T: 32 };
export const rate = 1e-3;

/** Parameters in the order in which the twin draws them. */
export function parameters({ V, D, L, T }) {
  const specs = [
    ['wte', [V, D]],
    ['wpe', [T, D]],
  ];
  for (let l = 0; l < L; l++) {
    specs.push([`ln1g${l}`, [D]], [`ln1b${l}`, [D]], [`wqkv${l}`, [D, 3 * D]], [`wo${l}`, [D, D]]);
    specs.push([`ln2g${l}`, [D]], [`ln2b${l}`, [D]], [`w1${l}`, [D, 4 * D]], [`w2${l}`, [4 * D, D]]);
  }
  return [...specs, ['lnfg', [D]], ['lnfb', [D]], ['head', [D, V]]];
}

/** The linear congruential generator that every contestant draws from. */
export const generator = seed => {
  let s = seed >>> 0;
  return () => (s = (Math.imul(s, 1664525) + 1013904223) >>> 0) / 4294967296;
};

export function weights(dims) {
  const draw = generator(42);
  return Object.fromEntries(
    parameters(dims).map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (name.startsWith('ln')) data.fill(name.includes('g') ? 1 : 0);
      else for (let i = 0; i < data.length; i++) data[i] = (draw() - 0.5) * 0.07;
      return [name, { dtype: 'f32', shape, data }];
    }),
  );
}

export function batch({ V, B, T }, step) {
  const draw = generator(7 + step * 977);
  const ids = new Int32Array(B * T);
  const targets = new Int32Array(B * T);
  for (let b = 0; b < B; b++) {
    let token = Math.floor(draw() * V);
    for (let t = 0; t < T; t++) {
      ids[b * T + t] = token;
      token = draw() < 0.9 ? (token * 5 + 17) % V : Math.floor(draw() * V);
      targets[b * T + t] = token;
    }
  }
  return { ids: { dtype: 'i32', shape: [B, T], data: ids }, targets: { dtype: 'i32', shape: [B, T], data: targets } };
}

/** The model in tensor functions. */
export function model(dims) {
  const { V, D, L, H, B, T } = dims;
  return defineLayer({
    name: 'reference',
    params: Object.fromEntries(parameters(dims).map(([name, s]) => [name, param(s, zeros)])),
    apply(p, ids) {
      let x = p.wte
        .gather(ids.reshape(B * T))
        .reshape(B, T, D)
        .add(p.wpe);
      const mask = causalMask(T);
      for (let l = 0; l < L; l++) {
        const qkv = layerNorm(x, p[`ln1g${l}`], p[`ln1b${l}`]).matmul(p[`wqkv${l}`]);
        const [q, k, v] = [0, 1, 2].map(i => splitHeads(qkv.slice(-1, i * D, (i + 1) * D), H));
        x = x.add(joinHeads(attend(q, k, v, mask)).matmul(p[`wo${l}`]));
        x = x.add(gelu(layerNorm(x, p[`ln2g${l}`], p[`ln2b${l}`]).matmul(p[`w1${l}`])).matmul(p[`w2${l}`]));
      }
      return layerNorm(x, p.lnfg, p.lnfb)
        .matmul(p.head)
        .reshape(B * T, V);
    },
  });
}

export const objective = {
  name: 'crossEntropy',
  batch: () => ({}),
  loss(apply, { ids, targets }) {
    const N = ids.size;
    return { sum: logProbability(apply(ids), targets.reshape(N)).sum().neg(), count: full([], N) };
  },
};

export const optimizer = adam({ betas: [0.9, 0.999], epsilon: 1e-8 });

/** The whole step as one graph. @public */
export const graph = dims =>
  trainStep({
    model: model(dims),
    objective,
    optimizer,
    batch: { ids: i32(dims.B, dims.T), targets: i32(dims.B, dims.T) },
    clip: null,
  });

/** Inputs and state of the step, in the names of its graph. */
async function uploadState(backend, dims) {
  const state = {};
  for (const [name, t] of Object.entries(weights(dims))) {
    const zero = { ...t, data: new Float32Array(t.data.length) };
    state[`params.${name}`] = await backend.upload(t);
    state[`state.${name}.m`] = await backend.upload(zero);
    state[`state.${name}.v`] = await backend.upload(zero);
  }
  return state;
}

const scalarFeeds = step =>
  Object.fromEntries(
    Object.entries(optimizer.scalars(step + 1, rate)).map(([name, x]) => [
      `scalars.${name}`,
      { dtype: 'f32', shape: [], data: Float32Array.of(x) },
    ]),
  );

/** The step, traced and compiled on a backend; state stays where the backend keeps it. */
export async function openStep(backend, dims) {
  const from = performance.now();
  const traced = graph(dims);
  const traceMs = performance.now() - from;
  const executable = await backend.compile(traced, { name: 'reference step' });
  const compileMs = performance.now() - from - traceMs;
  let state = await uploadState(backend, dims);
  const keep = Object.keys(state);
  return {
    traceMs,
    compileMs,
    explain: executable.explain(),
    /** @returns {Promise<number>} the loss */
    async run(step, { ids, targets }) {
      const key = { dtype: 'i32', shape: [2], data: Int32Array.of(0, step) };
      const { outputs, kept } = await executable.run(
        { ...state, ...scalarFeeds(step), 'batch.ids': ids, 'batch.targets': targets, key },
        { keep },
      );
      for (const t of Object.values(state)) t.close();
      state = kept;
      return outputs.loss.data[0];
    },
    async close() {
      for (const t of Object.values(state)) t.close();
      await executable.close();
    },
  };
}

/** Runs so many steps, for whoever wants only their losses and times. @public */
export async function run(backend, dims, steps, onStep = () => {}) {
  const step = await openStep(backend, dims);
  const losses = [];
  const times = [];
  for (let i = 0; i < steps; i++) {
    const data = batch(dims, i);
    const from = performance.now();
    losses.push(await step.run(i, data));
    times.push(performance.now() - from);
    onStep(i, times.at(-1), losses.at(-1));
  }
  await step.close();
  return { losses, times, traceMs: step.traceMs, compileMs: step.compileMs, explain: step.explain };
}
