/** Merges of factors: the graph against the pieces, on many random tensors. */

import { uniforms } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeArrays, mergeByGraph } from '../apply/tensors.js';
import { factorMethods } from './by-factor.js';

describe.each(Object.entries(factorMethods))('%s', (_, method) => {
  it('as a graph is what it is in pieces', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(99),
        fc.boolean(),
        (n, rows, columns, seed, alike) => {
          const draw = uniforms(seed, 1);
          const array = (): Float32Array => Float32Array.from({ length: rows * columns }, () => Math.round(8 * draw() - 4) / 2); // prettier-ignore
          const call = {
            shape: [rows, columns],
            models: Array.from({ length: n }, array), // with zeros and equal magnitudes
            base: null,
            options: {},
            each: Array.from({ length: n }, () => (alike ? { weight: 0.75, density: 0.5 } : { weight: 2 * draw(), density: 0.2 + draw() })), // prettier-ignore
            ...(method.random === true ? { uniforms: Array.from({ length: n }, () => Float32Array.from({ length: rows * columns }, () => draw())) } : {}), // prettier-ignore
          };
          const [graph, pieces] = [mergeByGraph(method, call), mergeArrays(method, call)];
          for (let i = 0; i < graph.length; i++) expect(pieces[i]).toBeCloseTo(graph[i]!, 4);
        },
      ),
      { numRuns: 60 },
    );
  });
});
