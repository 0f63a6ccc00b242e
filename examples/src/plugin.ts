/** A plugin with an op, its meaning in tensors, and a layer on it. Run: node examples/dist/plugin.js */

import {
  bind,
  contribute,
  createHost,
  defineLayer,
  defineOp,
  definePlugin,
  f32,
  FFN,
  grad,
  host,
  initialise,
  linear,
  nodesOf,
  OPS,
  parameterTypes,
  trace,
  type AnyLayer,
  type Attrs,
  type Tensor,
} from '@heddle/core';

/** x * |x|: its meaning is enough; gradient, every engine and every test follow from it. */
const signedSquare = defineOp<Attrs>({
  name: 'example.signedSquare',
  version: 1,
  infer: ([x]) => [x!],
  decompose: ([x]) => [x!.mul(x!.square().sqrt())],
});

/** A feed-forward on it. @shape x [..., width] -> [..., width] */
const squaring = ({ width, hidden }: { readonly width: number; readonly hidden: number }) =>
  defineLayer({
    name: 'squaring',
    params: { up: linear(width, hidden), down: linear(hidden, width) },
    apply: ({ up, down }, x: Tensor): Tensor => down(signedSquare([up(x)], {})[0]!),
  });

const plugin = definePlugin({
  name: 'example-squaring',
  version: '1.0.0',
  register(container) {
    contribute(container, OPS, signedSquare);
    contribute(container, FFN, {
      name: 'squaring',
      create: config => squaring(config as { width: number; hidden: number }) as AnyLayer,
    });
  },
});

// Whoever builds a model asks for the part by name, and knows nothing of the package.
const app = createHost({ plugins: [plugin] });
const layer = app.find(FFN, 'squaring').create({ width: 4, hidden: 8 });
const graph = trace({ ...parameterTypes(layer), x: f32(2, 4) }, ({ x, ...parameters }) => {
  const y = (bind(layer, parameters, { training: false }) as (x: Tensor) => Tensor)(x!);
  return { y, dx: grad(y.square().sum(), [x!])[0]! };
});
console.log('parameters:', Object.keys(parameterTypes(layer)).join(', '));
console.log(
  'ops in the graph:',
  [...new Set(nodesOf(Object.values(graph.outputs)).map(node => String(node.attrs['op'] ?? node.op)))].sort().join(' '),
);

const { backend } = await app.openBackend('reference');
const run = await backend.compile(graph, { kernels: app.kernels });
const { outputs } = await run.run({ ...initialise(layer, 1), x: host([2, 4], [1, -1, 2, -2, 0.5, 0, -0.5, 1]) });
for (const [name, { shape, data }] of Object.entries(outputs))
  console.log(`${name} [${shape.join(', ')}]`, [...data].map(n => n.toFixed(3)).join(' '));
await app.close();
