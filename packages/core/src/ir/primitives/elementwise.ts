/** Primitives that work cell by cell. Both inputs of a binary one have the same shape: broadcasting is explicit. */

import { refuse } from '../path.js';
import { definePrimitive } from '../primitive.js';
import { sameShape, showTypes } from '../shape.js';
import type { Dtype, Value } from '../types.js';
import { erf as erfOf } from './erf.js';
import { expectDtype, expectSameDtypes, expectSameShapes } from './rules.js';
import { fullLike } from './source.js';

type NoAttrs = Readonly<Record<string, never>>;

interface Unary {
  readonly name: string;
  readonly gradient: string;
  readonly cell: (x: number) => number;
  readonly vjp: (ct: Value, x: Value, y: Value) => Value | null;
  readonly dtypes?: readonly Dtype[];
}

function unary({ name, gradient, cell, vjp, dtypes = ['f32'] }: Unary) {
  return definePrimitive<NoAttrs>({
    name,
    arity: 1,
    shape: '[...s] -> [...s]',
    gradient,
    infer([x]) {
      expectDtype(name, x!, dtypes);
      return x!;
    },
    vjp: ({ ct, inputs: [x], out }) => [vjp(ct, x!, out)],
    evaluate([x], _attrs, { data }) {
      const from = x!.data;
      for (let i = 0; i < data.length; i++) data[i] = cell(from[i]!);
    },
  });
}

export const expNode = unary({ name: 'exp', gradient: 'ct * y', cell: Math.exp, vjp: (ct, _x, y) => mul(ct, y) });
export const logNode = unary({ name: 'log', gradient: 'ct / x', cell: Math.log, vjp: (ct, x) => div(ct, x) });
export const sqrtNode = unary({
  name: 'sqrt',
  gradient: '(ct * 0.5) / y',
  cell: Math.sqrt,
  vjp: (ct, _x, y) => div(scale(ct, 0.5), y),
});

/**
 * A primitive, not sugar: written with `exp` the gradient of large inputs is 0 * inf = NaN,
 * and sigmoid, SiLU and GELU(tanh) are all built on this one.
 */
export const tanhNode = unary({
  name: 'tanh',
  gradient: 'ct * (1 - y * y)',
  cell: Math.tanh,
  vjp: (ct, _x, y) => mul(ct, sub(fullLike(y, 1), mul(y, y))),
});
export const erfNode = unary({
  name: 'erf',
  gradient: 'ct * exp(-x * x) * 2 / sqrt(pi)',
  cell: erfOf,
  vjp: (ct, x) => mul(ct, scale(exp(scale(mul(x, x), -1)), 2 / Math.sqrt(Math.PI))),
});
export const sinNode = unary({ name: 'sin', gradient: 'ct * cos(x)', cell: Math.sin, vjp: (ct, x) => mul(ct, cos(x)) });
export const cosNode = unary({
  name: 'cos',
  gradient: '-(ct * sin(x))',
  cell: Math.cos,
  vjp: (ct, x) => scale(mul(ct, sin(x)), -1),
});
export const floorNode = unary({ name: 'floor', gradient: '-', cell: Math.floor, vjp: () => null });
export const stopGradientNode = unary({
  name: 'stopGradient',
  gradient: '-',
  cell: x => x,
  vjp: () => null,
  dtypes: ['f32', 'i32', 'bool'],
});

export const castNode = definePrimitive<{ readonly dtype: Dtype }>({
  name: 'cast',
  arity: 1,
  shape: '[...s] -> [...s], another dtype',
  gradient: 'ct between floats, else -',
  infer: ([x], { dtype }) => ({ dtype, shape: x!.shape }),
  vjp: ({ ct, inputs: [x], attrs }) => [x!.type.dtype === 'f32' && attrs.dtype === 'f32' ? ct : null],
  evaluate([x], { dtype }, { data }) {
    const from = x!.data;
    for (let i = 0; i < data.length; i++) {
      const v = from[i]!;
      data[i] = dtype === 'bool' ? Number(v !== 0) : dtype === 'i32' ? Math.trunc(v) : v;
    }
  },
});

interface Binary {
  readonly name: string;
  readonly gradient: string;
  readonly cell: (x: number, z: number) => number;
  readonly vjp: (ct: Value, x: Value, z: Value, y: Value) => readonly (Value | null)[];
  readonly dtypes?: readonly Dtype[];
  readonly result?: Dtype;
}

function binary({ name, gradient, cell, vjp, dtypes = ['f32', 'i32'], result }: Binary) {
  return definePrimitive<NoAttrs>({
    name,
    arity: 2,
    shape: result === undefined ? '[...s], [...s] -> [...s]' : `[...s], [...s] -> ${result}[...s]`,
    gradient,
    infer(types) {
      expectSameShapes(name, types);
      expectSameDtypes(name, types);
      expectDtype(name, types[0]!, dtypes);
      return result === undefined ? types[0]! : { dtype: result, shape: types[0]!.shape };
    },
    vjp: ({ ct, inputs: [x, z], out }) => vjp(ct, x!, z!, out),
    evaluate([x, z], _attrs, { data }) {
      const left = x!.data;
      const right = z!.data;
      for (let i = 0; i < data.length; i++) data[i] = cell(left[i]!, right[i]!);
    },
  });
}

const noFlow = (): readonly null[] => [null, null];

export const addNode = binary({ name: 'add', gradient: 'ct, ct', cell: (x, z) => x + z, vjp: ct => [ct, ct] });
export const subNode = binary({
  name: 'sub',
  gradient: 'ct, -ct',
  cell: (x, z) => x - z,
  vjp: ct => [ct, scale(ct, -1)],
});
export const mulNode = binary({
  name: 'mul',
  gradient: 'ct * z, ct * x',
  cell: (x, z) => x * z,
  vjp: (ct, x, z) => [mul(ct, z), mul(ct, x)],
});
/** i32 division truncates towards zero, as ONNX and WGSL do. */
export const divNode = binary({
  name: 'div',
  gradient: 'ct / z, -(ct * y) / z',
  cell: (x, z) => x / z,
  vjp: (ct, _x, z, y) => [div(ct, z), scale(div(mul(ct, y), z), -1)],
});
export const lessNode = binary({
  name: 'less',
  gradient: '-, -',
  cell: (x, z) => Number(x < z),
  vjp: noFlow,
  result: 'bool',
});
export const equalNode = binary({
  name: 'equal',
  gradient: '-, -',
  cell: (x, z) => Number(x === z),
  vjp: noFlow,
  dtypes: ['f32', 'i32', 'bool'],
  result: 'bool',
});

export const whereNode = definePrimitive<NoAttrs>({
  name: 'where',
  arity: 3,
  shape: 'bool[...s], [...s], [...s] -> [...s]',
  gradient: '-, where(c, ct, 0), where(c, 0, ct)',
  infer(types) {
    const [c, x, z] = types;
    if (!types.every(t => sameShape(t.shape, c!.shape))) expectSameShapes('where', types);
    if (c!.dtype !== 'bool')
      refuse('where', 'E_DTYPE', `expected a bool condition, received ${showTypes([c!])}. Compare first.`, {
        condition: c,
      });
    expectSameDtypes('where', [x!, z!]);
    return x!;
  },
  vjp: ({ ct, inputs: [c] }) => [null, where(c!, ct, fullLike(ct, 0)), where(c!, fullLike(ct, 0), ct)],
  evaluate([c, x, z], _attrs, { data }) {
    for (let i = 0; i < data.length; i++) data[i] = c!.data[i] ? x!.data[i]! : z!.data[i]!;
  },
});

const none: NoAttrs = {};
export const exp = (x: Value): Value => expNode([x], none);
export const log = (x: Value): Value => logNode([x], none);
export const sqrt = (x: Value): Value => sqrtNode([x], none);
export const tanh = (x: Value): Value => tanhNode([x], none);
export const erf = (x: Value): Value => erfNode([x], none);
export const sin = (x: Value): Value => sinNode([x], none);
export const cos = (x: Value): Value => cosNode([x], none);
export const floor = (x: Value): Value => floorNode([x], none);
export const stopGradient = (x: Value): Value => stopGradientNode([x], none);
export const cast = (x: Value, dtype: Dtype): Value => (x.type.dtype === dtype ? x : castNode([x], { dtype }));
export const add = (x: Value, z: Value): Value => addNode([x, z], none);
export const sub = (x: Value, z: Value): Value => subNode([x, z], none);
export const mul = (x: Value, z: Value): Value => mulNode([x, z], none);
export const div = (x: Value, z: Value): Value => divNode([x, z], none);
export const less = (x: Value, z: Value): Value => lessNode([x, z], none);
export const equal = (x: Value, z: Value): Value => equalNode([x, z], none);
export const where = (c: Value, x: Value, z: Value): Value => whereNode([c, x, z], none);
/** `x * factor`. */
export const scale = (x: Value, factor: number): Value => mul(x, fullLike(x, factor));
