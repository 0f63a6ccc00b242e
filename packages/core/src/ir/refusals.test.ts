import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { defineLayer, param } from '../model/layer.js';
import { zeros } from '../model/initialisers.js';
import { bind } from '../model/tree.js';
import { concat, constant, iota, random, where, type Tensor } from '../tensor/tensor.js';
import { placeholder } from '../tensor/trace.js';
import { attend, layerNorm, pick } from '../tensor/index.js';
import { at } from './path.js';
import { grad } from './grad.js';
import * as p from './primitives/index.js';
import { builder, primitives } from './table.js';
import { bool, f32, i32, type TensorType } from './types.js';

const hole = (type: TensorType): Tensor => placeholder('x', type);
const x = hole(f32(2, 3));
const flag = hole(bool(2, 3));
const ids = hole(i32(2, 3));

/** Wrong use, the code it must give, and the words that must stand in the message. */
const cases: readonly (readonly [string, () => unknown, string, readonly string[]])[] = [
  ['exp of integers', () => ids.exp(), 'E_DTYPE', ['exp', 'i32[2, 3]', 'f32']],
  ['add of two dtypes', () => x.add(ids), 'E_DTYPE', ['add', 'f32[2, 3]', 'i32[2, 3]']],
  ['add of bools', () => flag.add(flag), 'E_DTYPE', ['add', 'bool[2, 3]']],
  ['add of shapes that do not broadcast', () => x.add(hole(f32(2, 4))), 'E_SHAPE', ['add', 'f32[2, 3]', 'f32[2, 4]']],
  [
    'add in the graph without a broadcast',
    () => p.add(x.value, hole(f32(3)).value),
    'E_SHAPE',
    ['add', 'f32[2, 3]', 'f32[3]'],
  ],
  ['half an integer', () => ids.add(0.5), 'E_DTYPE', ['constant', 'i32', '0.5']],
  ['mean of integers', () => ids.mean(), 'E_DTYPE', ['constant', 'i32']],
  ['where on floats', () => where(x, x, x), 'E_DTYPE', ['where', 'f32[2, 3]', 'bool']],
  ['where of two dtypes', () => where(flag, x, ids), 'E_DTYPE', ['where', 'f32[2, 3]', 'i32[2, 3]']],
  ['sum of bools', () => flag.sum(), 'E_DTYPE', ['reduceSum', 'bool[2, 3]']],
  ['sum over an axis that is not there', () => x.sum(2), 'E_ATTRIBUTE', ['reduce', '-2 and 1', '2']],
  ['sum twice over one axis', () => x.sum([0, 0]), 'E_ATTRIBUTE', ['reduceSum', '[0, 0]', '[2, 3]']],
  ['a reduction over nothing', () => p.reduceSum(x.value, []), 'E_ATTRIBUTE', ['reduceSum']],
  ['matmul of other inner sizes', () => x.matmul(hole(f32(2, 3))), 'E_SHAPE', ['matmul', '3 and 2', 'f32[2, 3]']],
  ['matmul of a vector', () => x.matmul(hole(f32(3))), 'E_RANK', ['matmul', 'f32[2, 3]', 'f32[3]']],
  ['matmul of integers', () => ids.matmul(hole(i32(3, 2))), 'E_DTYPE', ['matmul', 'i32']],
  [
    'matmul of batches that differ',
    () => hole(f32(2, 2, 3)).matmul(hole(f32(3, 3, 2))),
    'E_SHAPE',
    ['matmul', 'f32[2, 2, 3]', 'f32[3, 3, 2]'],
  ],
  ['reshape to another size', () => x.reshape(4, 2), 'E_SHAPE', ['reshape', '8', '6', '[2, 3]']],
  ['reshape with no whole rest', () => x.reshape(4, -1), 'E_SHAPE', ['reshape', '1.5']],
  ['an axis of size 0', () => p.input('x', f32(2, 0)), 'E_SHAPE', ['input', 'f32[2, 0]']],
  ['seven axes', () => x.reshape(1, 1, 1, 1, 1, 2, 3), 'E_RANK', ['reshape', '6']],
  ['a permutation that is none', () => x.transpose(0, 0), 'E_ATTRIBUTE', ['transpose', '[0, 0]', '[2, 3]']],
  ['broadcast to fewer cells', () => x.broadcastTo([2, 1]), 'E_SHAPE', ['broadcast', '[2, 3]', '[2, 1]']],
  ['an empty slice', () => x.slice(1, 2, 2), 'E_ATTRIBUTE', ['slice', '[2, 3]']],
  ['a slice past the end', () => p.slice(x.value, [0, 0], [2, 4]), 'E_ATTRIBUTE', ['slice', '[2, 4]', '[2, 3]']],
  ['a negative pad', () => x.pad(0, -1, 0), 'E_ATTRIBUTE', ['pad', '-1']],
  ['concat of other widths', () => concat([x, hole(f32(2, 2))], 0), 'E_SHAPE', ['concat', 'f32[2, 3]', 'f32[2, 2]']],
  ['concat of two dtypes', () => concat([x, ids], 0), 'E_DTYPE', ['concat', 'f32[2, 3]', 'i32[2, 3]']],
  ['gather by floats', () => x.gather(hole(f32(2))), 'E_DTYPE', ['gather', 'f32[2]', 'i32']],
  ['gather along an axis that is not there', () => x.gather(hole(i32(2)), 2), 'E_ATTRIBUTE', ['gather', '2']],
  [
    'scatter with an index of another shape',
    () => x.scatterAdd(hole(i32(3)), 0, 4),
    'E_SHAPE',
    ['scatterAdd', 'f32[2, 3]', 'i32[3]'],
  ],
  ['scatter into nothing', () => x.scatterAdd(hole(i32(2)), 0, 0), 'E_ATTRIBUTE', ['scatterAdd', '0']],
  ['random from a float key', () => random(hole(f32(2)), [2], 0), 'E_DTYPE', ['random', 'f32[2]', 'i32[2]']],
  ['random from a negative stream', () => random(hole(i32(2)), [2], -1), 'E_ATTRIBUTE', ['random', '-1']],
  ['constant of another length', () => constant([1, 2], [3]), 'E_SHAPE', ['constant', '3', '2']],
  ['counting along an axis that is not there', () => iota([2], 1), 'E_ATTRIBUTE', ['iota', '1']],
  ['gradient of a matrix', () => grad(x.value, [x.value]), 'E_GRAD', ['grad', 'f32[2, 3]', 'f32[]']],
  [
    'gains of another width',
    () => layerNorm(x, hole(f32(2)), hole(f32(3))),
    'E_SHAPE',
    ['layerNorm', 'f32[2, 3]', 'f32[2]'],
  ],
  [
    'heads that do not divide',
    () => attend(hole(f32(1, 3, 2, 4)), hole(f32(1, 2, 2, 4)), hole(f32(1, 2, 2, 4))),
    'E_SHAPE',
    ['attend', 'f32[1, 3, 2, 4]', 'f32[1, 2, 2, 4]'],
  ],
  ['pick by floats', () => pick(x, hole(f32(2))), 'E_SHAPE', ['pick', 'f32[2, 3]', 'f32[2]']],
];

describe('refusals', () => {
  it.each(cases)('%s', (_what, act, code, words) => {
    const found = attempt(() => at('blocks.3.attention', act));
    expect(found).toMatchObject({ code, details: { path: 'blocks.3.attention' } });
    expect(found.message).toMatch(/^blocks\.3\.attention: \w+: .*\.$/s);
    for (const word of words) expect(found.message).toContain(word);
  });

  it('every primitive refuses another number of inputs, naming both numbers', () => {
    for (const { name, arity } of primitives()) {
      const given = Array.from({ length: arity === null ? 0 : arity + 1 }, () => x.value);
      const found = attempt(() => builder(name)!(given, {}));
      expect(found, name).toMatchObject({ code: 'E_ARITY' });
      expect(found.message).toContain(`${name}: expected ${arity ?? 'at least 1'} inputs, received ${given.length}.`);
    }
  });

  it('binary primitives refuse unequal shapes whatever they are', () => {
    const shape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(shape, shape, (a, b) => {
        fc.pre(a.join() !== b.join());
        const [left, right] = [hole({ dtype: 'f32', shape: a }).value, hole({ dtype: 'f32', shape: b }).value];
        for (const make of [p.add, p.sub, p.mul, p.div, p.less, p.equal])
          expect(attempt(() => make(left, right)).code).toBe('E_SHAPE');
      }),
    );
  });

  it('names the layer in which a shape was refused', () => {
    const inner = defineLayer({
      name: 'inner',
      params: { weight: param([3, 2], zeros) },
      apply: ({ weight }, t: Tensor) => t.matmul(weight),
    });
    const model = defineLayer({
      name: 'model',
      params: { blocks: [inner, inner] },
      apply: ({ blocks }, t: Tensor) => blocks.reduce((y, block) => block(y), t),
    });
    const tensors = { 'blocks.0.weight': hole(f32(3, 2)), 'blocks.1.weight': hole(f32(3, 2)) };
    const found = attempt(() => bind(model, tensors, { training: false })(x));
    expect(found).toMatchObject({ code: 'E_SHAPE', details: { op: 'matmul', path: 'blocks.1' } });
    expect(found.message).toMatch(/^blocks\.1: matmul: expected equal inner sizes, received 2 and 3/);
  });
});

interface Failure {
  readonly code: string;
  readonly message: string;
}

function attempt(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    return error as Failure;
  }
  return { code: 'none', message: 'nothing was thrown' };
}
