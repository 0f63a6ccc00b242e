import { describe, expect, it } from 'vitest';
import { trace } from '../tensor/trace.js';
import { f32 } from '../ir/types.js';
import type { Tensor } from '../tensor/tensor.js';
import { defineLayer, type AnyLayer } from './layer.js';
import { linear } from './layers.js';
import { bind, parametersOf, parameterTypes } from './tree.js';

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

  it('refuse a parameter called context', () => {
    expect(() => defineLayer({ name: 'bad', params: { context: linear(1, 1) }, apply: (_, x: Tensor) => x })).toThrow(
      expect.objectContaining({ code: 'E_NAME' }),
    );
  });
});
