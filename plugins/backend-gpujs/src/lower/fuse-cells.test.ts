import {
  expandOps,
  f32,
  fold,
  hoistRandom,
  drawHoisted,
  i32,
  interpret,
  sizeOf,
  trace,
  type Graph,
  type HostTensor,
  type Value,
} from '@heddle/core';
import { graphOf, opSamples, primitiveSamples, randomGraph } from '@heddle/core/testing';
import { describe, expect, it } from 'vitest';
import { evaluateCells } from './cell.js';
import { fuseCells, type Fused, type Operand } from './fuse-cells.js';
import { drawPlan } from './plan-scatter.js';

/** The error function from the interpreter, so that both sides have the same. */
function erf(x: number): number {
  const graph = trace({ x: f32() }, ({ x: v }) => ({ y: v.erf() }));
  return interpret(
    graph,
    { x: { dtype: 'f32', shape: [], data: Float64Array.of(x) as unknown as Float32Array } },
    'f64',
  )['y']!.data[0]!;
}

const doubled = (t: HostTensor): HostTensor =>
  t.dtype === 'f32' ? { ...t, data: Float64Array.from(t.data) as unknown as Float32Array } : t;

/** Runs fused steps in double precision. */
function run(
  { steps, outputs, scatters, hidden }: Fused,
  feeds: Readonly<Record<string, HostTensor>>,
): Record<string, ArrayLike<number>> {
  const memory = new Map<Value, ArrayLike<number>>();
  const drawn = Object.assign({}, ...scatters.map(plan => drawPlan(plan, feeds[plan.index]!))) as Record<
    string,
    HostTensor
  >;
  for (const [name, v] of Object.entries(hidden)) memory.set(v, drawn[name]!.data);
  const read = (v: Value): ArrayLike<number> => {
    if (v.node.op === 'constant') return v.node.attrs['data'] as ArrayLike<number>;
    return memory.get(v) ?? feeds[v.node.attrs['name'] as string]!.data;
  };
  const at = ({ from, offset, row, column, batch }: Operand, b: number, i: number, j: number): number => {
    const digits = batch.map(
      ({ factor, divisor, modulus }) =>
        factor * (modulus === null ? Math.floor(b / divisor) : Math.floor(b / divisor) % modulus),
    );
    return read(from)[digits.reduce((a, n) => a + n, offset + i * row + j * column)]!;
  };
  for (const step of steps) {
    if (step.kind === 'cells') memory.set(step.output, evaluateCells(step.kernel, read, erf));
    if (step.kind === 'matmul') {
      const { batch, m, n, k, left, right, output } = step;
      const out = new Float64Array(sizeOf(output.type.shape));
      for (let b = 0; b < batch; b++)
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++)
            for (let q = 0; q < k; q++) out[(b * m + i) * n + j]! += at(left, b, i, q) * at(right, b, q, j);
      memory.set(output, out);
    }
    if (step.kind === 'call') throw new Error('calls are expanded here');
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, v]) => [name, read(v)]));
}

function expectSame(graph: Graph, given: Readonly<Record<string, HostTensor>>, what: string, maxReads = 7): Fused {
  const { graph: hoisted, hidden } = hoistRandom(fold(expandOps(graph)));
  const feeds: Record<string, HostTensor> = Object.fromEntries(Object.entries(given).map(([n, t]) => [n, doubled(t)]));
  for (const random of hidden) feeds[random.name] = doubled(drawHoisted(random, given[random.key]!));
  const expected = interpret(hoisted, feeds, 'f64');
  const fused = fuseCells(hoisted, { maxReads });
  const found = run(fused, feeds);
  for (const [name, { data }] of Object.entries(expected)) {
    const scale = Math.max(1e-9, ...Array.from(data, Math.abs));
    data.forEach((x: number, i: number) => {
      if (!(Math.abs(x - found[name]![i]!) <= 1e-12 * scale) && !Object.is(x + 0, found[name]![i]! + 0)) {
        expect.fail(`${what}: ${name}[${i}]: expected ${x}, received ${found[name]![i]}`);
      }
    });
  }
  return fused;
}

describe('fuseCells', () => {
  it('leaves the meaning of every primitive and op as it is, and of their gradients', () => {
    for (const [seed, sample] of [...primitiveSamples, ...opSamples].entries()) {
      const { graph, feeds } = graphOf(sample, seed);
      expectSame(graph, feeds, sample.name);
    }
  });

  it('leaves the meaning of random graphs as it is, for any number of arrays that a kernel may read', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { graph, feeds } = randomGraph(seed, { steps: 6 + (seed % 20) });
      expectSame(graph, feeds, `seed ${seed}`, [5, 7, 11][seed % 3]!);
    }
  });

  it('makes one kernel of a chain, with its reduction and what follows it', () => {
    const graph = trace({ x: f32(4, 6), b: f32(6) }, ({ x, b }) => ({
      y: x.add(b).tanh().transpose().sum(0).mul(2).add(1),
    }));
    const { steps } = fuseCells(fold(graph), { maxReads: 7 });
    expect(steps.map(({ kind }) => kind)).toEqual(['cells']);
  });

  it('reads operands of products where they lie: no transposed copies', () => {
    const graph = trace({ x: f32(2, 5, 12), w: f32(12, 12) }, ({ x, w }) => {
      const q = x.reshape(10, 12).matmul(w).reshape(2, 5, 3, 4).transpose(0, 2, 1, 3); // [B, H, T, d]
      return { y: q.matmul(q, { transposeRight: true }) };
    });
    const { steps } = fuseCells(fold(graph), { maxReads: 7 });
    expect(steps.map(({ kind }) => kind)).toEqual(['matmul', 'matmul']);
    expectSame(
      graph,
      {
        x: { dtype: 'f32', shape: [2, 5, 12], data: Float32Array.from({ length: 120 }, (_, i) => Math.sin(i)) },
        w: { dtype: 'f32', shape: [12, 12], data: Float32Array.from({ length: 144 }, (_, i) => Math.cos(i)) },
      },
      'heads',
    );
  });

  it('splits long reductions in two, also where the length does not divide', () => {
    for (const length of [512, 1021, 4096]) {
      const graph = trace({ x: f32(3, length) }, ({ x }) => ({
        sum: x.square().sum(1).sqrt(),
        max: x.max(1),
        all: x.sum(),
      }));
      const data = Float32Array.from({ length: 3 * length }, (_, i) => Math.sin(i * 1.7) - 2);
      const { steps } = expectSame(graph, { x: { dtype: 'f32', shape: [3, length], data } }, String(length));
      expect(steps).toHaveLength(6);
    }
  });

  it('plans a scatter whose index is fed, and compares indices where it is computed', () => {
    const index = { dtype: 'i32' as const, shape: [5], data: Int32Array.of(2, 0, 2, 2, 1) };
    const x = { dtype: 'f32' as const, shape: [5, 3], data: Float32Array.from({ length: 15 }, (_, i) => i) };
    const fed = trace({ x: f32(5, 3), i: i32(5) }, ({ x: rows, i }) => ({ y: rows.scatterAdd(i, 0, 4).mul(2) }));
    expect(expectSame(fed, { x, i: index }, 'fed').scatters).toHaveLength(1);
    const computed = trace({ x: f32(5, 3), i: i32(5) }, ({ x: rows, i }) => ({ y: rows.scatterAdd(i.add(1), 0, 4) }));
    const { scatters, notes } = expectSame(computed, { x, i: index }, 'computed');
    expect(scatters).toHaveLength(0);
    expect(notes.join()).toMatch(/the index is computed, so each of 4 rows looks at each of 5 indices/);
  });
});
