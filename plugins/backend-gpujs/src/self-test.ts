/** A start-up test: a device that computes wrongly must not train anything. */

import { f32, fail, i32, interpret, trace, type Graph, type HostTensor, type Tensor } from '@heddle/core';
import type { GpujsBackend } from './backend.js';

const cells = (n: number, at: (i: number) => number): Float32Array => Float32Array.from({ length: n }, (_, i) => at(i));

/** Products with edges, a row reduction, places by division, an index, transcendental functions. */
function program(): { readonly graph: Graph; readonly feeds: Readonly<Record<string, HostTensor>> } {
  const graph = trace({ a: f32(19, 33), b: f32(33, 21), i: i32(5) }, ({ a, b, i }) => {
    const product: Tensor = a.matmul(b); // [19, 21]
    return {
      rows: product
        .sub(product.max(1, { keep: true }))
        .exp()
        .sum(1)
        .log()
        .add(product.tanh().sum(1)),
      picked: product.transpose().reshape(3, 133).slice(1, 7, 120).gather(i, 1).pad(0, 1, 0),
    };
  });
  return {
    graph,
    feeds: {
      a: { dtype: 'f32', shape: [19, 33], data: cells(627, i => Math.sin(i)) },
      b: { dtype: 'f32', shape: [33, 21], data: cells(693, i => Math.cos(1.3 * i)) },
      i: { dtype: 'i32', shape: [5], data: Int32Array.of(0, 112, 7, 7, 63) },
    },
  };
}

/** @throws E_DEVICE_WRONG naming the first number that differs from the interpreter's */
export async function selfTest(backend: GpujsBackend): Promise<void> {
  const { graph, feeds } = program();
  const executable = await backend.compile(graph, { name: 'self-test' });
  try {
    const { outputs } = await executable.run(feeds);
    for (const [name, expected] of Object.entries(interpret(graph, feeds, 'f32'))) {
      expected.data.forEach((x: number, i: number) => {
        const found = outputs[name]!.data[i]!;
        if (!(Math.abs(x - found) <= 1e-3 * Math.max(1, Math.abs(x)))) {
          fail(
            'E_DEVICE_WRONG',
            `${backend.name}: expected ${x} in cell ${i} of '${name}' of the self-test, received ${found}. Update the driver, or choose another engine.`,
            { backend: backend.name, expected: x, received: found },
          );
        }
      });
    }
  } finally {
    await executable.close();
  }
}
