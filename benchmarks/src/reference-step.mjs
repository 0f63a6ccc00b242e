/**
 * The reference training step: a GPT of width 256, 4 layers, 4 heads, vocabulary 2048, batch 16 x 128, Adam. The same
 * weights and data as its PyTorch twin, from a linear congruential generator, so that losses can be compared.
 */

import { adam, attend, causalMask, defineLayer, gelu, layerNorm, param, splitHeads, joinHeads, i32, trainStep, zeros, logProbability, full } from '@heddle/core';

export const shape = { V: 2048, D: 256, L: 4, H: 4, B: 16, T: 128 };
export const rate = 1e-3;

/** Parameters in the order in which the twin draws them. */
export function parameters({ V, D, L, T }) {
  const specs = [['wte', [V, D]], ['wpe', [T, D]]];
  for (let l = 0; l < L; l++) {
    specs.push([`ln1g${l}`, [D]], [`ln1b${l}`, [D]], [`wqkv${l}`, [D, 3 * D]], [`wo${l}`, [D, D]]);
    specs.push([`ln2g${l}`, [D]], [`ln2b${l}`, [D]], [`w1${l}`, [D, 4 * D]], [`w2${l}`, [4 * D, D]]);
  }
  return [...specs, ['lnfg', [D]], ['lnfb', [D]], ['head', [D, V]]];
}

const generator = seed => {
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
      let x = p.wte.gather(ids.reshape(B * T)).reshape(B, T, D).add(p.wpe);
      const mask = causalMask(T);
      for (let l = 0; l < L; l++) {
        const qkv = layerNorm(x, p[`ln1g${l}`], p[`ln1b${l}`]).matmul(p[`wqkv${l}`]);
        const [q, k, v] = [0, 1, 2].map(i => splitHeads(qkv.slice(-1, i * D, (i + 1) * D), H));
        x = x.add(joinHeads(attend(q, k, v, mask)).matmul(p[`wo${l}`]));
        x = x.add(gelu(layerNorm(x, p[`ln2g${l}`], p[`ln2b${l}`]).matmul(p[`w1${l}`])).matmul(p[`w2${l}`]));
      }
      return layerNorm(x, p.lnfg, p.lnfb).matmul(p.head).reshape(B * T, V);
    },
  });
}

const objective = {
  name: 'crossEntropy',
  batch: () => ({}),
  loss(apply, { ids, targets }) {
    const N = ids.size;
    return { sum: logProbability(apply(ids), targets.reshape(N)).sum().neg(), count: full([], N) };
  },
};

export const optimizer = adam({ betas: [0.9, 0.999], epsilon: 1e-8 });

/** The whole step as one graph. */
export const graph = dims =>
  trainStep({ model: model(dims), objective, optimizer, batch: { ids: i32(dims.B, dims.T), targets: i32(dims.B, dims.T) }, clip: null });

/** Runs steps on a backend; state stays where the backend keeps it. */
export async function run(backend, dims, steps, onStep = () => {}) {
  const t0 = performance.now();
  const g = graph(dims);
  const t1 = performance.now();
  const executable = await backend.compile(g, { name: 'reference step' });
  const t2 = performance.now();
  let state = {};
  for (const [name, t] of Object.entries(weights(dims))) {
    const zero = { ...t, data: new Float32Array(t.data.length) };
    state[`params.${name}`] = await backend.upload(t);
    state[`state.${name}.m`] = await backend.upload(zero);
    state[`state.${name}.v`] = await backend.upload(zero);
  }
  const keep = Object.keys(state);
  const losses = [];
  const times = [];
  for (let step = 0; step < steps; step++) {
    const { ids, targets } = batch(dims, step);
    const scalars = Object.fromEntries(Object.entries(optimizer.scalars(step + 1, rate)).map(([n, x]) => [`scalars.${n}`, { dtype: 'f32', shape: [], data: Float32Array.of(x) }]));
    const from = performance.now();
    const { outputs, kept } = await executable.run({ ...state, ...scalars, 'batch.ids': ids, 'batch.targets': targets, key: { dtype: 'i32', shape: [2], data: Int32Array.of(0, step) } }, { keep });
    for (const t of Object.values(state)) t.close();
    state = kept;
    times.push(performance.now() - from);
    losses.push(outputs.loss.data[0]);
    onStep(step, times.at(-1), losses.at(-1));
  }
  const explain = executable.explain();
  for (const t of Object.values(state)) t.close();
  await executable.close();
  return { losses, times, traceMs: t1 - t0, compileMs: t2 - t1, explain };
}
