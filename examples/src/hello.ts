/** Trace a function, take its gradient, run both. Run: node examples/dist/hello.js */

import { createHost, evaluate, f32, grad, host, trace, type Tensor } from '@heddle/core';

/** How far a line `w x + b` is from points: an ordinary function of tensors. */
const miss = (w: Tensor, b: Tensor, x: Tensor, y: Tensor): Tensor => x.mul(w).add(b).sub(y).square().mean();

// Points on y = 3 x - 1.
const x = host([4], [0, 1, 2, 3]);
const y = host([4], [-1, 2, 5, 8]);

// One call: trace, run on the reference engine, numbers out.
console.log('miss of y = x:', evaluate(miss, host([], [1]), host([], [0]), x, y).data[0]); // 7.5

// The same as a graph: gradients are nodes like any other, so one descent step is one graph.
const scalar = f32();
const step = trace({ w: scalar, b: scalar, x: f32(4), y: f32(4) }, ({ w, b, x, y }) => {
  const loss = miss(w, b, x, y);
  const [dw, db] = grad(loss, [w, b]);
  return { w: w.sub(dw!.mul(0.1)), b: b.sub(db!.mul(0.1)), loss };
});
console.log(`one step is ${step.nodes.length} nodes`);

// Compile once, run often. Another engine is another name.
const app = createHost();
const { backend } = await app.openBackend('reference');
const run = await backend.compile(step);
let [w, b] = [host([], [1]), host([], [0])];
for (let n = 0; n < 200; n++) {
  const { outputs } = await run.run({ w, b, x, y });
  [w, b] = [outputs['w']!, outputs['b']!];
}
console.log(`found y = ${w.data[0]!.toFixed(2)} x + ${b.data[0]!.toFixed(2)} on ${backend.name}`);
await app.close();
