/** Every engine gives what the reference gives, within what the engine itself states. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bool,
  census,
  dropout,
  bind,
  expandOps,
  f32,
  host,
  i32,
  interpret,
  initialise,
  primitives,
  stateTypes,
  trace,
  trainStep,
  adamW,
  nextToken,
  where,
  type Backend,
  type Graph,
  type HostTensor,
} from '@heddle/core';
import { everyBackend, present } from './support/backends.js';
import { bits, widest } from './support/compare.js';
import { opCases, opNames } from './support/op-cases.js';
import { primitiveCases, type Case } from './support/primitive-cases.js';
import { randomGraph } from './support/random-graphs.js';
import { sampleFeeds } from './support/samples.js';
import { counted, outcome, tinyDecoder, tinyPlan } from './support/training.js';

type Tensors = Record<string, HostTensor>;

const meaning = (graph: Graph, feeds: Tensors): Tensors => interpret(expandOps(graph), feeds, 'f32');

it('has cases for every primitive and every op of core, each holding what it is named after', () => {
  expect(Object.keys(primitiveCases).sort()).toEqual(
    primitives()
      .map(({ name }) => name)
      .sort(),
  );
  for (const [name, cases] of Object.entries(primitiveCases)) {
    expect(cases.length, name).toBeGreaterThan(2);
    for (const { what, graph } of cases) expect(census(graph), `${name} of ${what}`).toHaveProperty(name);
  }
  expect(opNames().length).toBeGreaterThan(10);
  expect(opNames().filter(name => !(name in opCases))).toEqual([]);
});

describe.each(present(everyBackend))('$name', ({ open }) => {
  let backend: Backend;
  beforeAll(async () => void (backend = await open()));
  afterAll(async () => {
    expect(backend.live()).toBe(0);
    await backend.close();
  });

  async function computed(graph: Graph, feeds: Tensors): Promise<Tensors> {
    const executable = await backend.compile(graph);
    try {
      return { ...(await executable.run(feeds)).outputs };
    } finally {
      await executable.close();
    }
  }

  async function agrees(graph: Graph, feeds: Tensors, what: string): Promise<void> {
    const worst = widest(meaning(graph, feeds), await computed(graph, feeds));
    expect(worst.gap, `${what}: output ${worst.name}`).toBeLessThanOrEqual(backend.limits.tolerance);
  }

  it.each(Object.entries(primitiveCases))('computes %s', async (_name, cases: readonly Case[]) => {
    for (const { what, graph, feeds } of cases) await agrees(graph, sampleFeeds(graph, feeds), what);
  });

  it.each(Object.entries(opCases))('computes %s and its gradients', async (name, graph) => {
    for (const seed of [1, 2]) await agrees(graph, sampleFeeds(graph, { seed, below: 3 }), name);
  });

  it('computes random graphs', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const graph = randomGraph(seed);
      await agrees(graph, sampleFeeds(graph, { seed }), `seed ${seed}`);
    }
  });

  it('gives back what it was fed: scalars, bools, the edges of integers and floats', async () => {
    const graph = trace({ s: f32(), b: bool(4), i: i32(3), x: f32(5) }, ({ s, b, i, x }) => ({
      s,
      b,
      i,
      x,
      chosen: where(b, 1, s),
    }));
    const feeds = {
      s: host([], [-0.1]),
      b: host([4], [1, 0, 0, 1], 'bool'),
      i: host([3], [2 ** 24 + 1, -(2 ** 31), 2 ** 31 - 1], 'i32'),
      x: host([5], [-0, 1e-45, 3.4028234663852886e38, Infinity, NaN]),
    };
    const { chosen, ...same } = await computed(graph, feeds);
    expect(bits(same)).toEqual(bits(feeds));
    expect([...chosen!.data]).toEqual([1, Math.fround(-0.1), Math.fround(-0.1), 1]);
  });

  it('draws the reference’s bits where dropout draws', async () => {
    const layer = dropout(0.3);
    const graph = trace({ x: f32(33, 7), key: i32(2) }, ({ x, key }) => ({
      y: bind(layer, {}, { training: true, key }, 'drop')(x),
    }));
    const feeds = { x: sampleFeeds(graph)['x']!, key: host([2], [123456, 42], 'i32') };
    const [expected, received] = [meaning(graph, feeds), await computed(graph, feeds)];
    const dropped = ({ y }: Tensors): number => [...y!.data].filter(n => n === 0).length;
    expect(dropped(expected)).toBeGreaterThan(40);
    expect(dropped(expected)).toBeLessThan(100);
    expect(bits(received)).toEqual(bits(expected));
  });

  it('takes inputs as constants to the same numbers', async () => {
    const graph = trace({ x: f32(3, 4), w: f32(4, 5), keep: bool(5) }, ({ x, w, keep }) => ({
      y: where(keep, x.matmul(w).tanh(), 0),
    }));
    const { x, ...constants } = sampleFeeds(graph);
    const executable = await backend.compile(graph, { constants });
    expect(Object.keys(executable.signature.inputs)).toEqual(['x']);
    const { outputs } = await executable.run({ x: x! });
    await executable.close();
    expect(widest(meaning(graph, { x: x!, ...constants }), outputs).gap).toBeLessThanOrEqual(backend.limits.tolerance);
  });

  it('keeps outputs, takes them as inputs, and gives donated memory to the next', async () => {
    const graph = trace({ state: f32(3), step: f32() }, ({ state, step }) => ({
      state: state.mul(2).add(step),
      norm: state.sum(),
    }));
    const executable = await backend.compile(graph);
    let state = await backend.upload(host([3], [1, 2, 3]));
    for (let i = 0; i < 4; i++) {
      const donate = i % 2 === 0;
      const { outputs, kept } = await executable.run(
        { state, step: host([], [i]) },
        { keep: ['state'], ...(donate ? { donate: { state: 'state' } } : {}) },
      );
      expect(Object.keys(outputs)).toEqual(['norm']);
      expect(backend.live()).toBe(donate ? 1 : 2);
      state.close();
      state = kept['state']!;
    }
    expect([...(await backend.download(state)).data]).toEqual([27, 43, 59]);
    state.close();
    await executable.close();
  });

  it('trains a small transformer as the reference does', async () => {
    const run = (on: Backend) => outcome(tinyPlan(on, { model: tinyDecoder({ rate: 0.1 }) }));
    const reference = await everyBackend[0]!.open();
    const [expected, received] = [await run(reference), await run(backend)];
    await reference.close();
    expect(received.losses).toHaveLength(10);
    received.losses.forEach((loss, i) =>
      expect(Math.abs(loss - expected.losses[i]!), `loss of step ${i + 1}`).toBeLessThan(1e-4),
    );
    const worst = widest(expected.end.tensors, received.end.tensors);
    expect(worst.gap, worst.name).toBeLessThan(1e-3);
    expect(expected.losses.at(-1)!).toBeLessThan(expected.losses[0]! - 0.05);
  });

  it('gives the same bits twice', async () => {
    const model = tinyDecoder({ rate: 0.2, width: 32, heads: 4 });
    const { batch } = (await counted({ batch: 4, length: 16 }).next())!;
    const types = Object.fromEntries(Object.entries(batch).map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
    const optimizer = adamW();
    const graph = trainStep({ model, objective: nextToken(), optimizer, batch: types, clip: 1 });
    const named = (prefix: string, tensors: Readonly<Record<string, HostTensor>>): Tensors =>
      Object.fromEntries(Object.entries(tensors).map(([name, t]) => [`${prefix}.${name}`, t]));
    const zeros = Object.entries(stateTypes({ model, optimizer })).map(
      ([name, { shape }]) => [name, host(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))] as const,
    );
    const scalars = Object.entries(optimizer.scalars(1, 1e-3)).map(([name, x]) => [name, host([], [x])] as const);
    const feeds = {
      ...named('params', initialise(model, 3)),
      ...named('state', Object.fromEntries(zeros)),
      ...named('scalars', Object.fromEntries(scalars)),
      ...named('batch', batch),
      key: host([2], [5, 6], 'i32'),
    };
    const [once, again] = [await computed(graph, feeds), await computed(graph, feeds)];
    expect(bits(again)).toEqual(bits(once));
  });
});
