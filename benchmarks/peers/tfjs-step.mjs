/** The reference step in TensorFlow.js. It has no gradient of gather on wasm, so the embedding is a product with one-hot rows. */

import { batch, parameters, rate, weights } from '../src/reference-step.mjs';
import { serve } from '../src/serve.mjs';
import { openTensorFlow } from './tfjs.mjs';

await serve(async ({ dims }) => {
  const tf = await openTensorFlow();
  const { V, D, L, H, B, T } = dims;
  const drawn = weights(dims);
  const p = Object.fromEntries(
    parameters(dims).map(([name, shape]) => [name, tf.variable(tf.tensor(drawn[name].data, shape))]),
  );
  const hidden = tf.tensor2d(
    Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e9 : 0)),
    [T, T],
  );

  const norm = (x, gain, bias) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x
      .sub(mean)
      .mul(tf.rsqrt(variance.add(1e-5)))
      .mul(gain)
      .add(bias);
  };
  const gelu = x => x.mul(tf.erf(x.mul(Math.SQRT1_2)).add(1)).mul(0.5);
  const oneHot = x => tf.oneHot(x, V).toFloat();
  const attention = (x, l) => {
    const parts = tf.split(tf.matMul(x, p[`wqkv${l}`]), 3, 1);
    const [q, k, v] = parts.map(t => t.reshape([B, T, H, D / H]).transpose([0, 2, 1, 3]));
    const shares = tf.softmax(
      tf
        .matMul(q, k, false, true)
        .div(Math.sqrt(D / H))
        .add(hidden),
    );
    return tf.matMul(
      tf
        .matMul(shares, v)
        .transpose([0, 2, 1, 3])
        .reshape([B * T, D]),
      p[`wo${l}`],
    );
  };
  const loss = (ids, targets) => {
    let x = tf
      .matMul(oneHot(ids), p.wte)
      .reshape([B, T, D])
      .add(p.wpe)
      .reshape([B * T, D]);
    for (let l = 0; l < L; l++) {
      x = x.add(attention(norm(x, p[`ln1g${l}`], p[`ln1b${l}`]), l));
      x = x.add(tf.matMul(gelu(tf.matMul(norm(x, p[`ln2g${l}`], p[`ln2b${l}`]), p[`w1${l}`])), p[`w2${l}`]));
    }
    const logs = tf.logSoftmax(tf.matMul(norm(x, p.lnfg, p.lnfb), p.head));
    return logs.mul(oneHot(targets)).sum(-1).mean().neg();
  };
  const optimizer = tf.train.adam(rate, 0.9, 0.999, 1e-8);
  return {
    info: { tfjs: tf.version.tfjs },
    prepare(i) {
      const { ids, targets } = batch(dims, i % 12);
      return [ids, targets].map(({ data }) => tf.tensor1d(data, 'int32'));
    },
    async step([ids, targets]) {
      const cost = optimizer.minimize(() => loss(ids, targets), true);
      const [value] = await cost.data();
      tf.dispose([cost, ids, targets]);
      return value;
    },
  };
});
