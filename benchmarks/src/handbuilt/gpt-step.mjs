/**
 * The reference training step as an ONNX graph written by hand, with a tape for its gradients. What it costs less
 * than Heddle's graph is what Heddle's layers cost.
 */

import { parameters } from '../reference-step.mjs';
import { Model } from './onnx.mjs';

const beta1 = 0.9;
const beta2 = 0.999;

/** Forward functions that remember how to go back. */
class Tape {
  model = new Model();
  gradients = new Map();
  #back = [];

  /** Runs `forward`, and on the way back `backward` with the gradient of what it returned. */
  step(forward, backward) {
    const y = forward();
    this.#back.push(() => this.gradients.has(y) && backward(this.gradients.get(y)));
    return y;
  }

  accumulate(x, gradient) {
    const known = this.gradients.get(x);
    this.gradients.set(x, known === undefined ? gradient : this.model.node('Add', [known, gradient]));
  }

  backward() {
    for (const back of this.#back.toReversed()) back();
  }
}

const sumOver = (m, x, axis, keepdims = 0) => m.node('ReduceSum', [x, m.ints([axis])], { attributes: { keepdims } });
const meanOfRow = (m, x) => m.node('ReduceMean', [x, m.ints([-1])], { attributes: { keepdims: 1 } });

function add(tape, a, b) {
  return tape.step(
    () => tape.model.node('Add', [a, b]),
    dy => {
      tape.accumulate(a, dy);
      tape.accumulate(b, dy);
    },
  );
}

function linear(tape, x, w) {
  const m = tape.model;
  return tape.step(
    () => m.node('MatMul', [x, w]),
    dy => {
      tape.accumulate(x, m.product(dy, w, { transB: 1 }));
      tape.accumulate(w, m.product(x, dy, { transA: 1 }));
    },
  );
}

function gelu(tape, x) {
  const m = tape.model;
  let passed;
  return tape.step(
    () => {
      const erf = m.node('Erf', [m.node('Mul', [x, m.number(Math.SQRT1_2)])]);
      passed = m.node('Mul', [m.node('Add', [erf, m.number(1)]), m.number(0.5)]);
      return m.node('Mul', [x, passed]);
    },
    dy => {
      const exponent = m.node('Mul', [m.node('Mul', [x, x]), m.number(-0.5)]);
      const density = m.node('Mul', [m.node('Exp', [exponent]), m.number(1 / Math.sqrt(2 * Math.PI))]);
      const slope = m.node('Add', [passed, m.node('Mul', [x, density])]);
      tape.accumulate(x, m.node('Mul', [dy, slope]));
    },
  );
}

function layerNorm(tape, x, gain, bias) {
  const m = tape.model;
  let mean;
  let inverse;
  return tape.step(
    () => {
      const attributes = { axis: -1, epsilon: { float: 1e-5 } };
      const [y, ...rest] = m.many('LayerNormalization', [x, gain, bias], { outputs: 3, attributes });
      [mean, inverse] = rest;
      return y;
    },
    dy => {
      const unit = m.node('Mul', [m.node('Sub', [x, mean]), inverse]);
      tape.accumulate(gain, sumOver(m, m.node('Mul', [dy, unit]), 0));
      tape.accumulate(bias, sumOver(m, dy, 0));
      const scaled = m.node('Mul', [dy, gain]);
      const centred = m.node('Sub', [scaled, meanOfRow(m, scaled)]);
      const along = m.node('Mul', [unit, meanOfRow(m, m.node('Mul', [scaled, unit]))]);
      tape.accumulate(x, m.node('Mul', [m.node('Sub', [centred, along]), inverse]));
    },
  );
}

/** @shape qkv [N, 3D] -> [N, D] */
function attention(tape, qkv, { B, T, H, D }) {
  const m = tape.model;
  const alpha = 1 / Math.sqrt(D / H);
  const swap = { attributes: { perm: [0, 2, 1, 3] } };
  const split = x => m.node('Transpose', [m.node('Reshape', [x, m.ints([B, T, H, D / H])])], swap);
  const join = x => m.node('Reshape', [m.node('Transpose', [x], swap), m.ints([B * T, D])]);
  let q;
  let k;
  let v;
  let weights;
  return tape.step(
    () => {
      const parts = m.many('Split', [qkv, m.ints([D, D, D])], { outputs: 3, attributes: { axis: 1 } });
      [q, k, v] = parts.map(split);
      const scores = m.node('Add', [m.product(q, k, { transB: 1, alpha }), 'mask']);
      weights = m.node('Softmax', [scores], { attributes: { axis: -1 } });
      return join(m.node('MatMul', [weights, v]));
    },
    dy => {
      const dOut = split(dy);
      const weighted = m.node('Mul', [weights, m.product(dOut, v, { transB: 1 })]);
      const dScores = m.node('Sub', [weighted, m.node('Mul', [weights, sumOver(m, weighted, -1, 1)])]);
      const dq = m.product(dScores, k, { alpha });
      const dk = m.product(dScores, q, { transA: 1, alpha });
      const dv = m.product(weights, dOut, { transA: 1 });
      tape.accumulate(qkv, m.node('Concat', [dq, dk, dv].map(join), { attributes: { axis: 1 } }));
    },
  );
}

/** Token and position vectors. @shape -> [N, D] */
function embed(tape, { V, D, B, T }) {
  const m = tape.model;
  const flat = m.ints([B * T, D]);
  const blocks = m.ints([B, T, D]);
  return tape.step(
    () => {
      const tokens = m.node('Reshape', [m.node('Gather', ['wte', 'ids'], { attributes: { axis: 0 } }), blocks]);
      return m.node('Reshape', [m.node('Add', [tokens, 'wpe']), flat]);
    },
    dy => {
      const nothing = m.node('ConstantOfShape', [m.ints([V, D])]);
      const rows = m.node('Reshape', ['ids', m.ints([B * T, 1])]);
      tape.accumulate('wte', m.node('ScatterND', [nothing, rows, dy], { attributes: { reduction: 'add' } }));
      tape.accumulate('wpe', sumOver(m, m.node('Reshape', [dy, blocks]), 0));
    },
  );
}

/** Mean cross-entropy as the output `loss`; starts the way back. */
function crossEntropy(tape, logits, { B, T }) {
  const m = tape.model;
  const N = B * T;
  const logs = m.node('LogSoftmax', [logits], { attributes: { axis: -1 } });
  const column = m.node('Reshape', ['targets', m.ints([N, 1])]);
  const picked = m.node('GatherElements', [logs, column], { attributes: { axis: 1 } });
  const mean = m.node('ReduceMean', [picked, m.ints([0, 1])], { attributes: { keepdims: 0 } });
  m.many('Neg', [mean], { names: ['loss'] });
  m.output('loss', 'f32', []);
  const minus = m.constant('minus', 'f32', [N, 1], new Float32Array(N).fill(-1));
  const attributes = { axis: 1, reduction: 'add' };
  const difference = m.node('ScatterElements', [m.node('Exp', [logs]), column, minus], { attributes });
  tape.accumulate(logits, m.node('Mul', [difference, m.number(1 / N)]));
}

/** Adam with both bias corrections in two scalars, so that the graph never changes. */
function adam(tape, name, shape) {
  const m = tape.model;
  const gradient = tape.gradients.get(name);
  const mean = m.input(`m_${name}`, 'f32', shape);
  const square = m.input(`v_${name}`, 'f32', shape);
  const mix = (old, beta, fresh, out) =>
    m.many('Add', [m.node('Mul', [old, m.number(beta)]), m.node('Mul', [fresh, m.number(1 - beta)])], {
      names: [out],
    })[0];
  const mean2 = mix(mean, beta1, gradient, `m_${name}_next`);
  const square2 = mix(square, beta2, m.node('Mul', [gradient, gradient]), `v_${name}_next`);
  const root = m.node('Add', [m.node('Sqrt', [square2]), 'epsilon']);
  const change = m.node('Mul', ['rate', m.node('Div', [mean2, root])]);
  m.many('Sub', [name, change], { names: [`${name}_next`] });
  for (const prefix of ['', 'm_', 'v_']) m.output(`${prefix}${name}_next`, 'f32', shape);
}

/** Scalars of step `t`, counted from 1. */
export const adamScalars = (t, rate, epsilon = 1e-8) => {
  const root = Math.sqrt(1 - beta2 ** t);
  return { rate: (rate * root) / (1 - beta1 ** t), epsilon: epsilon * root };
};

/** @returns {{ bytes: Uint8Array, nodes: number }} */
export function buildStep(dims) {
  const { L, B, T } = dims;
  const tape = new Tape();
  const m = tape.model;
  const specs = parameters(dims);
  for (const [name, shape] of specs) m.input(name, 'f32', shape);
  for (const name of ['ids', 'targets']) m.input(name, 'i64', [B * T]);
  for (const name of ['rate', 'epsilon']) m.input(name, 'f32', []);
  const cells = Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e9 : 0));
  m.constant('mask', 'f32', [T, T], cells);
  let x = embed(tape, dims);
  for (let l = 0; l < L; l++) {
    const qkv = linear(tape, layerNorm(tape, x, `ln1g${l}`, `ln1b${l}`), `wqkv${l}`);
    x = add(tape, x, linear(tape, attention(tape, qkv, dims), `wo${l}`));
    const hidden = gelu(tape, linear(tape, layerNorm(tape, x, `ln2g${l}`, `ln2b${l}`), `w1${l}`));
    x = add(tape, x, linear(tape, hidden, `w2${l}`));
  }
  crossEntropy(tape, linear(tape, layerNorm(tape, x, 'lnfg', 'lnfb'), 'head'), dims);
  tape.backward();
  for (const [name, shape] of specs) adam(tape, name, shape);
  return { bytes: m.finish(), nodes: m.nodes };
}
