import { describe, expect, it } from 'vitest';
import { trace } from '../tensor/trace.js';
import { f32 } from '../ir/types.js';
import type { Tensor } from '../tensor/tensor.js';
import { defineLayer, type AnyLayer } from './layer.js';
import { linear } from './layers.js';
import { bind, layersOf, mapLayers, parametersOf, parameterTypes } from './tree.js';

describe('layers of layers', () => {
  it('call their parts with tensors, by name and in lists', () => {
    const pair = defineLayer({
      name: 'pair',
      params: { first: linear(2, 3), rest: [linear(3, 3), linear(3, 4)] },
      apply: ({ first, rest }, x: Tensor): Tensor => rest.reduce((y, layer) => layer(y), first(x)),
    });
    const any: AnyLayer = pair; // a layer of any parameters fits where nothing is known of them
    expect(Object.keys(parametersOf(any))).toEqual(['first.weight', 'rest.0.weight', 'rest.1.weight']);
    const graph = trace({ ...parameterTypes(pair), x: f32(5, 2) }, inputs => {
      const bound = bind(pair, inputs as Readonly<Record<string, Tensor>>, { training: false });
      return { y: bound(inputs.x) };
    });
    expect(graph.outputs['y']!.type).toEqual(f32(5, 4));
  });

  it('are walked with their paths, and replaced where one says so', () => {
    const inner = defineLayer({
      name: 'inner',
      params: { up: linear(2, 3) },
      apply: ({ up }, x: Tensor): Tensor => up(x),
    });
    const outer = defineLayer({
      name: 'outer',
      params: { first: inner, rest: [inner, linear(3, 2)] },
      apply: ({ first, rest: [, last] }, x: Tensor): Tensor => last!(first(x)),
    });
    expect([...layersOf(outer)].map(([path, { name }]) => `${path}:${name}`)).toEqual([
      ':outer', 'first:inner', 'first.up:linear', 'rest.0:inner', 'rest.0.up:linear', 'rest.1:linear',
    ]); // prettier-ignore
    expect(parameterTypes(mapLayers(outer, () => null))).toEqual(parameterTypes(outer));
    const seen: string[] = [];
    const wider = mapLayers(outer, (layer, path) => {
      seen.push(path);
      return path === 'rest.0' ? linear(7, 7) : null;
    });
    // What is replaced is not looked into, and lists stay lists.
    expect(seen).toEqual(['', 'first', 'first.up', 'rest.0', 'rest.1']);
    expect(Object.keys(parameterTypes(wider))).toEqual(['first.up.weight', 'rest.0.weight', 'rest.1.weight']);
    expect(Array.isArray(wider.params.rest)).toBe(true);
    expect(parameterTypes(outer)['rest.0.up.weight']!.shape).toEqual([2, 3]);
  });

  it('refuse a parameter called context', () => {
    expect(() => defineLayer({ name: 'bad', params: { context: linear(1, 1) }, apply: (_, x: Tensor) => x })).toThrow(
      expect.objectContaining({ code: 'E_NAME' }),
    );
  });
});
