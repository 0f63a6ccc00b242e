import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { interpret, openReference } from '../backend/reference.js';
import { census, makeGraph } from '../ir/graph.js';
import { f32, i32, type Graph, type HostTensor, type Node } from '../ir/types.js';
import { primitive } from '../ir/table.js';
import { defineOp } from '../tensor/op.js';
import { host } from '../tensor/evaluate.js';
import { constant, full, random, where, type Tensor } from '../tensor/tensor.js';
import { gelu, layerNorm, softmax } from '../tensor/index.js';
import { grad, trace } from '../tensor/trace.js';
import { randomGraph } from '../testing/fixtures.js';
import { check } from './check.js';
import { expandOps } from './expand-ops.js';
import { fold } from './fold.js';
import { drawHoisted, hoistRandom } from './hoist-random.js';

const run = (graph: Graph, feeds: Readonly<Record<string, HostTensor>>) =>
  interpret(expandOps(check(graph)), feeds, 'f32');

/** Names of outputs whose bits differ; -0 counts as 0, as folding may turn it. */
function differing(one: Readonly<Record<string, HostTensor>>, other: Readonly<Record<string, HostTensor>>): string[] {
  expect(Object.keys(one)).toEqual(Object.keys(other));
  return Object.keys(one).filter(name => !one[name]!.data.every((x, i) => Object.is(x + 0, other[name]!.data[i]! + 0)));
}

const seeds = fc.integer({ min: 0, max: 1_000_000 });

describe('passes on random graphs', () => {
  it('the graphs cover the table', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++)
      for (const op of Object.keys(census(expandOps(randomGraph(seed).graph)))) seen.add(op);
    const all =
      'input constant iota random exp log sqrt tanh erf sin cos floor stopGradient cast add sub mul div less equal where reduceSum reduceMax matmul reshape transpose broadcast slice pad concat gather scatterAdd';
    expect(all.split(' ').filter(op => !seen.has(op))).toEqual([]);
  });

  it('fold changes no bit, and never adds a node', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const { graph, feeds } = randomGraph(seed);
        const folded = fold(graph);
        expect(folded.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
        expect(differing(run(graph, feeds), run(folded, feeds))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('fold after expandOps changes no bit, and folding again changes nothing', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const { graph, feeds } = randomGraph(seed);
        const folded = fold(expandOps(graph));
        expect(differing(run(graph, feeds), run(folded, feeds))).toEqual([]);
        expect(fold(folded).nodes.length).toBe(folded.nodes.length);
      }),
      { numRuns: 40 },
    );
  });

  it('hoistRandom gives the bits that the node gives', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const { graph, feeds } = randomGraph(seed);
        const { graph: hoisted, hidden } = hoistRandom(graph);
        expect(hoisted.nodes.some(node => node.op === 'random')).toBe(false);
        const drawn = Object.fromEntries(hidden.map(one => [one.name, drawHoisted(one, feeds[one.key]!)]));
        expect(differing(run(graph, feeds), run(hoisted, { ...feeds, ...drawn }))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('fold', () => {
  const nodes = (graph: Graph): number => fold(graph).nodes.length;

  it('takes away what does nothing', () => {
    const plain = nodes(trace({ x: f32(2, 3) }, ({ x }) => ({ y: x.exp() })));
    const idle: Readonly<Record<string, (x: Tensor) => Tensor>> = {
      'x + 0': x => x.add(0),
      '0 + x': x => full([2, 3], 0).add(x),
      'x - 0': x => x.sub(0),
      'x * 1': x => x.mul(1),
      '1 * x': x => full([2, 3], 1).mul(x),
      'x / 1': x => x.div(1),
      'reshape there and back': x => x.reshape(6).reshape(2, 3),
      'transpose twice': x => x.transpose(1, 0).transpose(1, 0),
      stopGradient: x => x.stopGradient(),
      'where both sides are one': x => where(x.less(0), x, x),
      'constants times constants': x => x.mul(full([], 4).mul(full([], 0.25))),
    };
    for (const [what, fn] of Object.entries(idle))
      expect(nodes(trace({ x: f32(2, 3) }, ({ x }) => ({ y: fn(x).exp() }))), what).toBe(plain);
  });

  it('takes a transpose that moves only axes of size 1 for a reshape, and no other', () => {
    const seen = (shape: readonly number[], ...order: number[]) =>
      census(fold(trace({ x: f32(...shape) }, ({ x }) => ({ y: x!.transpose(...order) }))));
    expect(seen([2, 1, 3, 4], 0, 2, 1, 3)).toEqual({ input: 1, reshape: 1 });
    expect(seen([1, 1, 3], 2, 0, 1)).toEqual({ input: 1, reshape: 1 });
    expect(seen([2, 1, 3], 2, 1, 0)).toEqual({ input: 1, transpose: 1 });
    expect(seen([2, 2, 1], 1, 2, 0)).toEqual({ input: 1, transpose: 1 });
  });

  it('makes equal subgraphs once, calls too', () => {
    expect(census(fold(trace({ x: f32(2) }, ({ x }) => ({ y: x.exp().sin().add(x.exp().sin()) }))))).toEqual({
      input: 1,
      exp: 1,
      sin: 1,
      add: 1,
    });
    expect(
      census(fold(trace({ x: f32(2) }, ({ x }) => ({ a: gelu(x), b: gelu(x), c: gelu(x, 'tanh') })))),
    ).toMatchObject({ 'call gelu': 2 });
  });

  it('keeps apart nodes that it made itself while folding', () => {
    const graph = trace({ x: f32(2, 3), z: f32(2, 3) }, ({ x, z }) => ({
      a: x.reshape(6).reshape(3, 2).exp(),
      b: z.reshape(6).reshape(3, 2).exp(),
    }));
    const feeds = {
      x: { dtype: 'f32', shape: [2, 3], data: new Float32Array(6).fill(1) },
      z: { dtype: 'f32', shape: [2, 3], data: new Float32Array(6) },
    } as const;
    expect(differing(run(graph, feeds), run(fold(graph), feeds))).toEqual([]);
  });

  it('keeps apart what JSON would take for one', () => {
    const limit = defineOp<{ readonly limit: number }>({
      name: 'limit',
      version: 1,
      infer: ([x]) => [x!],
      decompose: ([x], { limit: at }) => [where(x!.less(at), x!, 0)],
    });
    const graph = trace({ x: f32(2) }, ({ x }) => ({
      a: limit([x], { limit: Infinity })[0]!,
      b: limit([x], { limit: NaN })[0]!,
      c: limit([x], { limit: -0 })[0]!,
      d: limit([x], { limit: 0 })[0]!,
    }));
    expect(census(fold(graph))['call limit']).toBe(4);
  });

  it('does not merge random numbers of different streams, shapes or keys', () => {
    const graph = trace({ key: i32(2), other: i32(2) }, ({ key, other }) => ({
      a: random(key, [2], 0),
      b: random(key, [2], 1),
      c: random(other, [2], 0),
      d: random(key, [3], 0),
      e: random(key, [2], 0),
    }));
    expect(census(fold(graph))['random']).toBe(4);
  });

  it('rounds folded constants as engines hold them', () => {
    const graph = trace({ x: f32() }, ({ x }) => ({ y: x.add(constant([0.1], []).add(constant([0.2], []))) }));
    const feeds = { x: { dtype: 'f32', shape: [], data: Float32Array.of(0) } } as const;
    expect(run(graph, feeds)['y']!.data[0]).toBe(Math.fround(Math.fround(0.1) + Math.fround(0.2)));
    expect(run(fold(graph), feeds)['y']!.data[0]).toBe(Math.fround(Math.fround(0.1) + Math.fround(0.2)));
  });
});

describe('expandOps', () => {
  it('leaves primitives only, several levels down, and keeps what it is asked to', () => {
    const graph = trace({ q: f32(2, 4), g: f32(4), b: f32(4) }, ({ q, g, b }) => ({
      y: softmax(layerNorm(q, g, b)).add(gelu(q)),
    }));
    expect(expandOps(graph).nodes.every(node => primitive(node.op) !== null)).toBe(true);
    expect(
      Object.keys(census(expandOps(graph, ({ op }) => op.name === 'gelu'))).filter(name => name.startsWith('call')),
    ).toEqual(['call gelu']);
  });

  it('refuses an op whose decomposition disagrees with its shape rule', () => {
    const wrong = defineOp({ name: 'wrong', version: 1, infer: ([x]) => [x!], decompose: ([x]) => [x!.sum()] });
    const graph = trace({ x: f32(2, 3) }, ({ x }) => ({ y: wrong([x], {})[0]! }));
    expect(() => expandOps(graph)).toThrow(
      expect.objectContaining({
        code: 'E_OP',
        message: expect.stringContaining('wrong: decompose: expected output 0 of type f32[2, 3], received f32[]'),
      }),
    );
    const none = defineOp({ name: 'none', version: 1, infer: ([x]) => [x!, x!], decompose: ([x]) => [x!] });
    expect(() => expandOps(trace({ x: f32(2) }, ({ x }) => ({ y: none([x], {})[1]! })))).toThrow(
      expect.objectContaining({ code: 'E_OP' }),
    );
  });

  it('refuses an op that decomposes into itself instead of running for ever', () => {
    const loop = defineOp({
      name: 'loop',
      version: 1,
      infer: ([x]) => [x!],
      decompose: ([x]): Tensor[] => [...loop([x!], {})],
    });
    expect(() => expandOps(trace({ x: f32(2) }, ({ x }) => ({ y: loop([x], {})[0]! })))).toThrow(
      expect.objectContaining({ code: 'E_OP', message: expect.stringContaining('into itself') }),
    );
  });
});

describe('hoistRandom', () => {
  it('refuses a key that the graph computes', () => {
    const graph = trace({ key: i32(2) }, ({ key }) => ({ y: random(key.add(1), [2], 0) }));
    expect(() => hoistRandom(graph)).toThrow(
      expect.objectContaining({ code: 'E_RANDOM_KEY', message: expect.stringContaining("received one from 'add'") }),
    );
  });

  it('gives each node an input of its own', () => {
    const { graph, hidden } = hoistRandom(
      trace({ key: i32(2) }, ({ key }) => ({ a: random(key, [2], 7), b: random(key, [2, 3], 8) })),
    );
    expect(hidden).toEqual([
      { name: '$random.0', key: 'key', stream: 7, shape: [2] },
      { name: '$random.1', key: 'key', stream: 8, shape: [2, 3] },
    ]);
    expect(Object.keys(graph.inputs)).toEqual(['key', '$random.0', '$random.1']);
  });

  it('asks for bools where numbers are only compared with a constant, once', () => {
    const graph = trace({ key: i32(2), bound: f32() }, ({ key, bound }) => {
      const twice = random(key, [40], 3);
      return {
        dropped: where(random(key, [5, 8], 1).less(0.3), 0, 1),
        above: full([6], 0.3).less(random(key, [6], 2)),
        twice: twice.less(0.5),
        itself: twice,
        varying: random(key, [7], 4).less(bound),
      };
    });
    const { graph: lowered, hidden } = hoistRandom(graph);
    expect(hidden.map(({ stream, below }) => [stream, below])).toEqual([
      [1, Math.fround(0.3)],
      [2, undefined],
      [3, undefined],
      [4, undefined],
    ]);
    expect(lowered.nodes.some(node => node.op === 'random')).toBe(false);
    for (const bits of [
      [1, 2],
      [7, -3],
    ]) {
      // prettier-ignore
      const feeds = { key: host([2], bits, 'i32'), bound: host([], [0.6]) };
      const drawn = Object.fromEntries(hidden.map(one => [one.name, drawHoisted(one, feeds.key)]));
      expect(interpret(lowered, { ...feeds, ...drawn }, 'f32')).toEqual(interpret(graph, feeds, 'f32'));
    }
  });
});

describe('check', () => {
  const sound = (): Graph => trace({ x: f32(2, 3), z: f32(3, 2) }, ({ x, z }) => ({ y: x.matmul(z).add(1) }));
  /** The graph with one node changed; readers keep reading the old values, as a careless pass would leave them. */
  const bent = (graph: Graph, op: string, change: (node: Node) => Partial<Node>): Graph => {
    const nodes = graph.nodes.map(node => {
      if (node.op !== op) return node;
      Object.assign(node, change(node));
      return node;
    });
    return { ...graph, nodes };
  };
  const refuses = (graph: Graph, code: string, words: RegExp): void => {
    expect(() => check(graph)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(words) }));
  };

  it('lets whole graphs through, unchanged', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { graph } = randomGraph(seed);
      expect(check(graph)).toBe(graph);
    }
  });

  it('finds a node before what it reads', () => {
    const graph = sound();
    refuses({ ...graph, nodes: graph.nodes.toReversed() }, 'E_GRAPH', /inputs to stand before it/);
    refuses(
      { ...graph, nodes: graph.nodes.filter(node => node.op !== 'matmul') },
      'E_GRAPH',
      /inputs to stand before it/,
    );
  });
  it('finds a type that the rule does not give', () => {
    refuses(
      bent(sound(), 'add', node => ({ outputs: [{ ...node.outputs[0]!, type: f32(3, 3) }] })),
      'E_GRAPH',
      /add: expected f32\[2, 2\], received f32\[3, 3\]/,
    );
    refuses(
      bent(sound(), 'add', node => ({ outputs: [node.outputs[0]!, node.outputs[0]!] })),
      'E_GRAPH',
      /add: expected f32\[2, 2\], received f32\[2, 2\], f32\[2, 2\]/,
    );
  });
  it('finds a missing input and an unknown op', () => {
    refuses(
      bent(sound(), 'add', node => ({ inputs: node.inputs.slice(0, 1) })),
      'E_GRAPH',
      /add: expected 2 inputs, received 1/,
    );
    refuses(
      bent(sound(), 'add', () => ({ op: 'subtract' })),
      'E_GRAPH',
      /primitive or a call, received 'subtract'/,
    );
  });
  it('finds attributes that do not fit, and says where', () => {
    const graph = bent(sound(), 'matmul', () => ({
      attrs: { transposeLeft: true, transposeRight: false },
      path: 'blocks.2',
    }));
    refuses(graph, 'E_SHAPE', /^blocks\.2: matmul: expected equal inner sizes/);
  });
  it('finds a value that lies about its type, and an output of another graph', () => {
    const graph = sound();
    const y = graph.outputs['y']!;
    refuses(
      { ...graph, outputs: { y: { ...y, type: f32(1) } } },
      'E_GRAPH',
      /output 'y': expected a value of type f32\[2, 2\], received f32\[1\]/,
    );
    refuses(
      { ...graph, outputs: { y: sound().outputs['y']! } },
      'E_GRAPH',
      /output 'y': expected a value of a node of the graph/,
    );
  });

  it('names the limit of an engine', () => {
    const limits = { maxRank: 2, maxElements: 100, exactIntegers: 50, dtypes: ['f32', 'i32'] as const };
    const within = (graph: Graph) => () => check(graph, limits, 'tiny');
    const refusal = (words: RegExp) =>
      expect.objectContaining({ code: 'E_LIMIT', message: expect.stringMatching(words) });
    expect(within(trace({ x: f32(2, 3) }, ({ x }) => ({ y: x.exp() })))).not.toThrow();
    expect(within(trace({ x: f32(2, 3) }, ({ x }) => ({ y: x.reshape(1, 2, 3) })))).toThrow(
      refusal(/tiny takes at most 2 axes, received f32\[1, 2, 3\]/),
    );
    expect(within(trace({ x: f32(2, 3) }, ({ x }) => ({ y: x.reshape(6, 1).broadcastTo([6, 20]) })))).toThrow(
      refusal(/at most 100 elements/),
    );
    expect(within(trace({ x: f32(2, 3) }, ({ x }) => ({ y: x.less(0) })))).toThrow(
      refusal(/tiny takes f32, i32, received bool/),
    );
    expect(within(trace({ x: f32(51), i: i32(2) }, ({ x, i }) => ({ y: x.gather(i) })))).toThrow(
      refusal(/counts exactly up to 50, received 51 rows/),
    );
    expect(within(trace({ x: f32(2), i: i32(2) }, ({ x, i }) => ({ y: x.scatterAdd(i, 0, 51) })))).toThrow(
      refusal(/51 rows/),
    );
  });
});

describe('gradients of folded and expanded graphs', () => {
  it('no vjp leaves the table: every op of a second derivative is a primitive or a call', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 25; seed++) {
      const { graph } = randomGraph(seed, { steps: 8 });
      const inputs = Object.values(graph.inputs).filter(v => v.type.dtype === 'f32');
      const wrap = trace({}, () => ({}));
      expect(wrap.nodes).toEqual([]);
      const slopes = Object.entries(graph.outputs)
        .filter(([name]) => name.startsWith('g'))
        .map(([, v]) => v);
      const twice = makeGraph(graph.inputs, Object.fromEntries(slopes.map((v, i) => [`g${i}`, v])));
      for (const node of expandOps(twice).nodes) seen.add(node.op);
      expect(inputs.length).toBeGreaterThan(0);
    }
    expect([...seen].filter(op => primitive(op) === null)).toEqual([]);
  });

  it('runs the same on the reference backend, which expands by itself', async () => {
    const backend = openReference();
    const { graph, feeds } = randomGraph(5);
    const { outputs } = await (await backend.compile(graph)).run(feeds);
    expect(differing(outputs, run(fold(expandOps(graph)), feeds))).toEqual([]);
    await backend.close();
  });

  it('a gradient of a gradient is a graph like any other', () => {
    const graph = trace({ x: f32(3) }, ({ x }) => {
      const [once] = grad(gelu(x).sum(), [x]) as [Tensor];
      const [again] = grad(once.square().sum(), [x]) as [Tensor];
      return { again };
    });
    expect(expandOps(fold(graph)).nodes.every(node => primitive(node.op) !== null)).toBe(true);
  });
});
