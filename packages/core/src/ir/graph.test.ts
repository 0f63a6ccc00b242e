import { describe, expect, it } from 'vitest';
import { constant, Tensor, type Tensor as T } from '../tensor/tensor.js';
import { grad, placeholder, trace } from '../tensor/trace.js';
import { randomGraph } from '../testing/fixtures.js';
import { census, makeGraph, nodesOf, rebuild } from './graph.js';
import { f32, i32, type Node } from './types.js';

describe('graphs', () => {
  it('lists every node once, after what it reads', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { graph } = randomGraph(seed);
      const place = new Map(graph.nodes.map((node, i) => [node, i]));
      expect(place.size).toBe(graph.nodes.length);
      for (const node of graph.nodes)
        for (const v of node.inputs) expect(place.get(v.node)!).toBeLessThan(place.get(node)!);
    }
  });

  it('walks a chain of 50,000 nodes without overflowing the stack', () => {
    let x: T = placeholder('x', f32());
    const start = x;
    for (let i = 0; i < 50_000; i++) x = x.tanh();
    expect(nodesOf([x.value])).toHaveLength(50_001);
    expect(grad(x, [start])).toHaveLength(1);
  });

  it('keeps inputs that nobody reads in the signature', () => {
    const graph = trace({ x: f32(2), unread: i32(3) }, ({ x }) => ({ y: x.exp() }));
    expect(Object.keys(graph.inputs)).toEqual(['x', 'unread']);
    expect(graph.nodes.filter(node => node.op === 'input')).toHaveLength(2);
  });

  it('refuses an input that was not declared, and one that shares its name', () => {
    const [x, other] = [placeholder('x', f32(2)), placeholder('x', f32(2))];
    expect(() => makeGraph({}, { y: x.exp().value })).toThrow(
      expect.objectContaining({
        code: 'E_NAME',
        message: expect.stringMatching(/'x' is read but not declared\. Declare it/),
      }),
    );
    expect(() => makeGraph({ x: x.value }, { y: x.add(other).value })).toThrow(
      expect.objectContaining({ code: 'E_NAME', message: expect.stringContaining('another input has its name') }),
    );
  });

  it('rebuilding with nothing to replace keeps the very same nodes', () => {
    const { graph } = randomGraph(3);
    expect(rebuild(graph, () => null).nodes).toEqual(graph.nodes);
    expect(rebuild(graph, () => null).nodes.every((node, i) => node === graph.nodes[i])).toBe(true);
  });

  it('refuses a replacement of another type, naming both', () => {
    const graph = trace({ x: f32(2) }, ({ x }) => ({ y: x.exp() }));
    const wrong = (node: Node) => (node.op === 'exp' ? [constant([1, 2, 3], [3]).value] : null);
    expect(() => rebuild(graph, wrong)).toThrow(
      expect.objectContaining({
        code: 'E_PASS',
        message: expect.stringContaining('expected a replacement of type f32[2], received f32[3]'),
      }),
    );
    expect(() => rebuild(graph, node => (node.op === 'exp' ? [] : null))).toThrow(
      expect.objectContaining({ code: 'E_PASS' }),
    );
  });

  it('counts ops under their names', () => {
    expect(census(trace({ x: f32(2) }, ({ x }) => ({ y: new Tensor(x.value).exp().exp().add(1) })))).toMatchObject({
      input: 1,
      exp: 2,
      add: 1,
    });
  });
});
