/** One decoding step as an ONNX graph written by hand: weights as constants, plain operators, the cache on the host. */

import { angles, decoderWeights } from '../decoder-shape.mjs';
import { Model } from './onnx.mjs';

/** @returns {Uint8Array} */
export function buildDecoder(dims, B) {
  const { V, D, L, H, G, S } = dims;
  const d = D / H;
  const m = new Model();
  for (const [name, { shape, data }] of Object.entries(decoderWeights(dims))) m.constant(name, 'f32', shape, data);
  const { cos, sin, half } = angles(dims);
  m.constant('cos', 'f32', [S, half], cos);
  m.constant('sin', 'f32', [S, half], sin);
  m.input('ids', 'i64', [B, 1]);
  m.input('position', 'i64', [B, 1]);
  m.input('mask', 'f32', [1, 1, 1, S + 1]);

  const norm = (x, gain) => {
    const attributes = { axis: -1, epsilon: { float: 1e-6 }, stash_type: 1 };
    return m.node('SimplifiedLayerNormalization', [x, gain], { attributes });
  };
  const matmul = (x, w) => m.node('MatMul', [x, w]);
  const reshape = (x, shape, names) => m.node('Reshape', [x, m.ints(shape)], names ? { names } : {});
  const rotate = (x, heads, names) =>
    m.node('RotaryEmbedding', [reshape(x, [B, heads, 1, d]), 'position', 'cos', 'sin'], {
      domain: 'com.microsoft',
      ...(names ? { names } : {}),
    });

  /** Old keys and the new one are scored apart, so that the cache is only read. */
  const attention = (x, l) => {
    const keys = m.input(`keys${l}`, 'f32', [B, G, S, d]);
    const values = m.input(`values${l}`, 'f32', [B, G, S, d]);
    const q = reshape(rotate(matmul(x, `q${l}`), H), [B, G, H / G, d]);
    const k = rotate(matmul(x, `k${l}`), G, [`key${l}`]);
    const v = reshape(matmul(x, `v${l}`), [B, G, 1, d], [`value${l}`]);
    const alpha = 1 / Math.sqrt(d);
    const scores = [m.product(q, keys, { transB: 1, alpha }), m.product(q, k, { transB: 1, alpha })];
    const all = m.node('Add', [m.node('Concat', scores, { attributes: { axis: 3 } }), 'mask']);
    const shares = m.node('Softmax', [all], { attributes: { axis: -1 } });
    const [old, own] = m.many('Split', [shares, m.ints([S, 1])], { outputs: 2, attributes: { axis: 3 } });
    for (const name of [`key${l}`, `value${l}`]) m.output(name, 'f32', [B, G, 1, d]);
    return reshape(m.node('Add', [matmul(old, values), matmul(own, v)]), [B, 1, H * d]);
  };
  const feedForward = (x, l) => {
    const gate = m.node('QuickGelu', [matmul(x, `gate${l}`)], {
      domain: 'com.microsoft',
      attributes: { alpha: { float: 1 } },
    });
    return matmul(m.node('Mul', [gate, matmul(x, `up${l}`)]), `down${l}`);
  };

  let x = m.node('Gather', ['embedding', 'ids'], { attributes: { axis: 0 } });
  for (let l = 0; l < L; l++) {
    x = m.node('Add', [x, matmul(attention(norm(x, `norm1_${l}`), l), `o${l}`)]);
    x = m.node('Add', [x, feedForward(norm(x, `norm2_${l}`), l)]);
  }
  const logits = m.product(norm(x, 'norm'), 'embedding', { transB: 1 });
  m.many('Identity', [logits], { names: ['logits'] });
  m.output('logits', 'f32', [B, 1, V]);
  return m.finish();
}
