/** Graphs for each primitive, on several shapes. `agree.test.ts` proves that none of the table is left out. */

import {
  bool,
  concat,
  constant,
  f32,
  i32,
  iota,
  random,
  trace,
  where,
  type Graph,
  type Tensor,
  type Types,
} from '@heddle/core';
import type { SampleOptions } from './samples.js';

export interface Case {
  readonly what: string;
  readonly graph: Graph;
  readonly feeds?: SampleOptions;
}

type Inputs = Readonly<Record<string, Tensor>>;

const make = (types: Types, body: (inputs: Inputs) => Tensor): Graph => trace(types, inputs => ({ y: body(inputs) }));
const show = (types: Types): string =>
  Object.values(types)
    .map(({ dtype, shape }) => `${dtype}[${shape.join()}]`)
    .join(' ');
const of = (types: Types, body: (inputs: Inputs) => Tensor, feeds?: SampleOptions, note = ''): Case => ({
  what: `${show(types)}${note}`,
  graph: make(types, body),
  ...(feeds ? { feeds } : {}),
});

const shapes = [[], [1], [7], [2, 3], [3, 1, 4], [2, 1, 2, 1, 2, 3]] as const;

const unary = (act: (x: Tensor) => Tensor, range: readonly [number, number] = [-2, 2]): readonly Case[] =>
  shapes.map(shape => of({ x: f32(...shape) }, ({ x }) => act(x!), { range }));

const binary = (act: (x: Tensor, z: Tensor) => Tensor, feeds: SampleOptions = {}): readonly Case[] => [
  ...shapes.map(shape => of({ x: f32(...shape), z: f32(...shape) }, ({ x, z }) => act(x!, z!), feeds)),
  of({ x: f32(2, 3), z: f32(3) }, ({ x, z }) => act(x!, z!), feeds),
  of({ x: f32(2, 1, 4), z: f32(3, 1) }, ({ x, z }) => act(x!, z!), feeds),
  of({ x: f32(4), z: f32() }, ({ x, z }) => act(x!, z!), feeds),
  of({ x: i32(5), z: i32(5) }, ({ x, z }) => act(x!, z!), { below: 9 }),
];

const reductions = (act: (x: Tensor, axes: readonly number[]) => Tensor): readonly Case[] =>
  (
    [
      [[5], [0]],
      [[2, 3], [0]],
      [[2, 3], [1]],
      [
        [2, 3],
        [0, 1],
      ],
      [
        [2, 3, 1, 2],
        [0, 3],
      ],
      [
        [2, 1, 2, 1, 2, 3],
        [1, 4, 5],
      ],
    ] as const
  ).map(([shape, axes]) => of({ x: f32(...shape) }, ({ x }) => act(x!, axes), {}, ` over ${axes.join()}`));

const key = { key: i32(2) };

const products = (): readonly Case[] =>
  [false, true].flatMap(transposeLeft =>
    [false, true].flatMap(transposeRight =>
      ([[], [3], [2, 2]] as const).flatMap(batch =>
        (
          [
            [2, 3, 4],
            [1, 5, 1],
            [4, 1, 2],
          ] as const
        ).map(([m, k, n]) => {
          const types = {
            x: f32(...batch, ...(transposeLeft ? [k, m] : [m, k])),
            z: f32(...batch, ...(transposeRight ? [n, k] : [k, n])),
          };
          return of(
            types,
            ({ x, z }) => x!.matmul(z!, { transposeLeft, transposeRight }),
            {},
            ` ${Number(transposeLeft)}${Number(transposeRight)}`,
          );
        }),
      ),
    ),
  );

/** By name of the primitive; every graph of a list holds that primitive. */
export const primitiveCases: Readonly<Record<string, readonly Case[]>> = {
  input: [
    ...shapes.map(shape => of({ x: f32(...shape) }, ({ x }) => x!)),
    of({ x: i32(3) }, ({ x }) => x!),
    of({ x: bool(2, 2) }, ({ x }) => x!),
  ],
  constant: [
    of({ x: f32(3) }, ({ x }) => x!.add(constant([0.1, -2, 1e-20], [3]))),
    of({}, () => constant([1, 0, 1, 1], [2, 2], 'bool')),
    of({}, () => constant([2 ** 24 + 1, -5], [2], 'i32')),
    of({}, () => constant([3.25], [])),
  ],
  iota: [
    of({}, () => iota([4], 0)),
    of({}, () => iota([2, 3, 2], 1)),
    of({}, () => iota([2, 3], 1, 'f32')),
    of({ x: f32(2, 3) }, ({ x }) => x!.add(iota([2, 3], 0, 'f32'))),
  ],
  random: [
    of(key, ({ key: k }) => random(k!, [3], 1), { below: 1000 }),
    of(key, ({ key: k }) => random(k!, [2, 5], 4_000_000_000), { below: 1000 }),
    of(key, ({ key: k }) => concat([random(k!, [4], 1), random(k!, [4], 2)], 0), { below: 1000 }),
  ],
  exp: unary(x => x.exp()),
  log: unary(x => x.log(), [0.01, 20]),
  sqrt: unary(x => x.sqrt(), [0, 9]),
  tanh: unary(x => x.tanh(), [-12, 12]),
  erf: unary(x => x.erf(), [-4, 4]),
  sin: unary(x => x.sin(), [-9, 9]),
  cos: unary(x => x.cos(), [-9, 9]),
  floor: unary(x => x.floor(), [-5, 5]),
  stopGradient: unary(x => x.stopGradient()),
  cast: [
    ...shapes.map(shape => of({ x: f32(...shape) }, ({ x }) => x!.cast('i32'), { range: [-9, 9] as const }, ' to i32')),
    of({ x: f32(5) }, ({ x }) => x!.floor().cast('bool'), { range: [0, 2] }, ' to bool'),
    of({ x: i32(5) }, ({ x }) => x!.cast('f32'), { below: 2 ** 20 }, ' to f32'),
    of({ x: i32(5) }, ({ x }) => x!.cast('bool'), {}, ' to bool'),
    of({ x: bool(5) }, ({ x }) => x!.cast('f32'), {}, ' to f32'),
    of({ x: bool(2, 2) }, ({ x }) => x!.cast('i32'), {}, ' to i32'),
  ],
  add: binary((x, z) => x.add(z)),
  sub: binary((x, z) => x.sub(z)),
  mul: binary((x, z) => x.mul(z)),
  div: binary((x, z) => x.div(z.add(5))),
  less: binary((x, z) => x.less(z)),
  equal: [
    ...binary((x, z) => x.equal(z)),
    of({ x: bool(6), z: bool(6) }, ({ x, z }) => x!.equal(z!)),
    of({ x: f32(6) }, ({ x }) => x!.equal(x!.add(0))),
  ],
  where: [
    ...shapes.map(shape =>
      of({ c: bool(...shape), x: f32(...shape), z: f32(...shape) }, ({ c, x, z }) => where(c!, x!, z!)),
    ),
    of({ c: bool(4), x: i32(4) }, ({ c, x }) => where(c!, x!, -1), { below: 99 }),
    of({ c: bool(4), x: bool(4), z: bool(4) }, ({ c, x, z }) => where(c!, x!, z!)),
    of({ c: bool(3, 1), x: f32(4) }, ({ c, x }) => where(c!, x!, 0)),
  ],
  reduceSum: [...reductions((x, axes) => x.sum(axes)), of({ x: i32(3, 4) }, ({ x }) => x!.sum(1), { below: 1000 })],
  reduceMax: [...reductions((x, axes) => x.max(axes)), of({ x: i32(3, 4) }, ({ x }) => x!.max(1), { below: 1000 })],
  matmul: products(),
  reshape: [
    of({ x: f32() }, ({ x }) => x!.reshape(1, 1)),
    of({ x: f32(1) }, ({ x }) => x!.reshape()),
    of({ x: f32(2, 6) }, ({ x }) => x!.reshape(3, 2, 2)),
    of({ x: i32(2, 3) }, ({ x }) => x!.reshape(6)),
    of({ x: bool(4) }, ({ x }) => x!.reshape(2, 2)),
  ],
  transpose: [
    of({ x: f32(2, 3) }, ({ x }) => x!.transpose()),
    of({ x: f32(2, 3, 4) }, ({ x }) => x!.transpose(1, 2, 0)),
    of({ x: f32(2, 1, 3, 1, 2, 2) }, ({ x }) => x!.transpose(5, 3, 1, 0, 2, 4)),
    of({ x: i32(2, 3) }, ({ x }) => x!.transpose()),
    of({ x: bool(2, 3) }, ({ x }) => x!.transpose()),
  ],
  broadcast: [
    of({ x: f32() }, ({ x }) => x!.broadcastTo([2, 3])),
    of({ x: f32(1, 3) }, ({ x }) => x!.broadcastTo([4, 3])),
    of({ x: f32(2, 1, 3, 1) }, ({ x }) => x!.broadcastTo([2, 2, 3, 4])),
    of({ x: i32(1) }, ({ x }) => x!.broadcastTo([5])),
    of({ x: bool(1, 2) }, ({ x }) => x!.broadcastTo([3, 2])),
  ],
  slice: [
    of({ x: f32(5) }, ({ x }) => x!.slice(0, 1, 4)),
    of({ x: f32(3, 4) }, ({ x }) => x!.slice(1, 2, 3)),
    of({ x: f32(2, 3, 4) }, ({ x }) => x!.slice(0, 1).slice(2, 1, 3)),
    of({ x: i32(5) }, ({ x }) => x!.slice(0, -2), { below: 9 }),
    of({ x: bool(5) }, ({ x }) => x!.slice(0, 2)),
  ],
  pad: [
    of({ x: f32(3) }, ({ x }) => x!.pad(0, 2, 1)),
    of({ x: f32(2, 3) }, ({ x }) => x!.pad(1, 0, 2)),
    of({ x: f32(2, 1, 3) }, ({ x }) => x!.pad(0, 1, 0).pad(2, 1, 1)),
    of({ x: i32(3) }, ({ x }) => x!.pad(0, 1, 1), { below: 9 }),
  ],
  concat: [
    of({ x: f32(2), z: f32(3) }, ({ x, z }) => concat([x!, z!], 0)),
    of({ x: f32(2, 3), z: f32(2, 1) }, ({ x, z }) => concat([x!, z!, x!], 1)),
    of({ x: f32(2, 1, 3), z: f32(2, 4, 3) }, ({ x, z }) => concat([x!, z!], 1)),
    of({ x: i32(2), z: i32(1) }, ({ x, z }) => concat([x!, z!], 0), { below: 9 }),
    of({ x: bool(2), z: bool(2) }, ({ x, z }) => concat([x!, z!], 0)),
  ],
  gather: [
    of({ x: f32(4), index: i32(3) }, ({ x, index }) => x!.gather(index!), { below: 4 }),
    of({ x: f32(4, 2), index: i32(2, 3) }, ({ x, index }) => x!.gather(index!), { below: 4 }),
    of({ x: f32(2, 4, 3), index: i32(5) }, ({ x, index }) => x!.gather(index!, 1), { below: 4 }),
    of({ x: f32(2, 4), index: i32() }, ({ x, index }) => x!.gather(index!, 1), { below: 4 }),
    of({ x: i32(4), index: i32(3) }, ({ x, index }) => x!.gather(index!), { below: 4 }),
  ],
  scatterAdd: [
    of({ x: f32(3), index: i32(3) }, ({ x, index }) => x!.scatterAdd(index!, 0, 4), { below: 4 }),
    of({ x: f32(6, 2), index: i32(6) }, ({ x, index }) => x!.scatterAdd(index!, 0, 3), { below: 3 }, ' with repeats'),
    of({ x: f32(2, 3, 2), index: i32(2, 3) }, ({ x, index }) => x!.scatterAdd(index!, 0, 4), { below: 4 }),
    of({ x: f32(2, 3, 2), index: i32(3) }, ({ x, index }) => x!.scatterAdd(index!, 1, 5), { below: 5 }),
    of({ x: f32(2), index: i32() }, ({ x, index }) => x!.scatterAdd(index!, 0, 3), { below: 3 }, ' one row'),
  ],
};
