/**
 * The reference step in jax-js, under `jit`. Functions take their arguments, so whatever is needed again is passed as
 * `.ref`. The embedding is a product with one-hot rows, as its loss is.
 */

import { batch, parameters, rate, weights } from '../src/reference-step.mjs';
import { serve } from '../src/serve.mjs';
import { openJax } from './jax.mjs';

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

await serve(async ({ dims }) => {
  const { numpy: np, nn, jit, scipySpecial, valueAndGrad, blockUntilReady } = await openJax();
  const { V, D, L, H, B, T } = dims;
  const names = parameters(dims).map(([name]) => name);
  const shapes = Object.fromEntries(parameters(dims));
  const drawn = weights(dims);
  const array = (data, shape) => np.array(data).reshape(shape);
  const hidden = array(
    Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e9 : 0)),
    [T, T],
  );

  const norm = (x, gain, bias) => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(gain)
      .add(bias);
  };
  const gelu = x => x.ref.mul(scipySpecial.erf(x.mul(Math.SQRT1_2)).add(1)).mul(0.5);
  const attention = (x, qkv, out, mask) => {
    const split = t => np.transpose(t.reshape([B, T, H, D / H]), [0, 2, 1, 3]);
    const [q, k, v] = np.split(np.matmul(x, qkv), 3, 1).map(split);
    const scores = np
      .matmul(q, np.transpose(k, [0, 1, 3, 2]))
      .mul((D / H) ** -0.5)
      .add(mask);
    const seen = np.matmul(nn.softmax(scores, -1), v);
    return np.matmul(np.transpose(seen, [0, 2, 1, 3]).reshape([B * T, D]), out);
  };
  const loss = (p, ids, targets, mask) => {
    let x = np
      .matmul(ids, p.wte)
      .reshape([B, T, D])
      .add(p.wpe)
      .reshape([B * T, D]);
    for (let l = 0; l < L; l++) {
      x = x.ref.add(attention(norm(x, p[`ln1g${l}`], p[`ln1b${l}`]), p[`wqkv${l}`], p[`wo${l}`], mask.ref));
      x = x.ref.add(np.matmul(gelu(np.matmul(norm(x, p[`ln2g${l}`], p[`ln2b${l}`]), p[`w1${l}`])), p[`w2${l}`]));
    }
    mask.dispose();
    const logs = nn.logSoftmax(np.matmul(norm(x, p.lnfg, p.lnfb), p.head), -1);
    return np.sum(logs.mul(targets)).mul(-1 / (B * T));
  };
  const gradient = valueAndGrad(loss);
  const each = make => Object.fromEntries(names.map(name => [name, make(name)]));
  const update = jit((p, m, v, ids, targets, mask, scale, tiny) => {
    const [value, g] = gradient(
      each(name => p[name].ref),
      ids,
      targets,
      mask,
    );
    const next = { p: {}, m: {}, v: {} };
    for (const name of names) {
      const mean = m[name].mul(beta1).add(g[name].ref.mul(1 - beta1));
      const square = v[name].mul(beta2).add(np.square(g[name]).mul(1 - beta2));
      next.p[name] = p[name].sub(scale.ref.mul(mean.ref.div(np.sqrt(square.ref).add(tiny.ref))));
      next.m[name] = mean;
      next.v[name] = square;
    }
    scale.dispose();
    tiny.dispose();
    return [value, next.p, next.m, next.v];
  });

  let p = each(name => array(drawn[name].data, shapes[name]));
  let m = each(name => np.zeros(shapes[name]));
  let v = each(name => np.zeros(shapes[name]));
  const oneHot = ({ data }) => {
    const cells = new Float32Array(data.length * V);
    data.forEach((id, row) => (cells[row * V + id] = 1));
    return array(cells, [data.length, V]);
  };
  return {
    prepare(i) {
      const { ids, targets } = batch(dims, i % 12);
      return { i, ids: oneHot(ids), targets: oneHot(targets) };
    },
    async step({ i, ids, targets }) {
      const root = Math.sqrt(1 - beta2 ** (i + 1));
      const scalars = [(rate * root) / (1 - beta1 ** (i + 1)), epsilon * root].map(x => np.array(x));
      const [value, ...state] = update(p, m, v, ids, targets, hidden.ref, ...scalars);
      [p, m, v] = await blockUntilReady(state);
      const [number] = await value.data();
      return number;
    },
  };
});
