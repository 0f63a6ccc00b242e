/** The closed set of primitives. A `call` is not among them: it is an op with a meaning made of these. */

import type { Attrs } from './types.js';
import type { Builder, Primitive } from './primitive.js';
import { matmulNode } from './primitives/contract.js';
import {
  addNode,
  castNode,
  cosNode,
  divNode,
  equalNode,
  erfNode,
  expNode,
  floorNode,
  lessNode,
  logNode,
  mulNode,
  sinNode,
  sqrtNode,
  stopGradientNode,
  subNode,
  tanhNode,
  whereNode,
} from './primitives/elementwise.js';
import { gatherNode, scatterAddNode } from './primitives/indexed.js';
import { broadcastNode, concatNode, padNode, reshapeNode, sliceNode, transposeNode } from './primitives/movement.js';
import { reduceMaxNode, reduceSumNode } from './primitives/reduce.js';
import { constantNode, inputNode, iotaNode, randomNode } from './primitives/source.js';

let table: ReadonlyMap<string, Builder<Attrs>> | null = null;

// Built at first use: the families refer to each other, so no order of loading may be assumed.
const builders = (): ReadonlyMap<string, Builder<Attrs>> =>
  (table ??= new Map(
    (
      [
        inputNode,
        constantNode,
        iotaNode,
        randomNode,
        expNode,
        logNode,
        sqrtNode,
        tanhNode,
        erfNode,
        sinNode,
        cosNode,
        floorNode,
        stopGradientNode,
        castNode,
        addNode,
        subNode,
        mulNode,
        divNode,
        lessNode,
        equalNode,
        whereNode,
        reduceSumNode,
        reduceMaxNode,
        matmulNode,
        reshapeNode,
        transposeNode,
        broadcastNode,
        sliceNode,
        padNode,
        concatNode,
        gatherNode,
        scatterAddNode,
      ] as unknown as readonly Builder<Attrs>[]
    ).map(b => [b.primitive.name, b]),
  ));

/** Every primitive, in the order of the table. */
export const primitives = (): readonly Primitive[] => [...builders().values()].map(b => b.primitive);

/** null for `call` and for names that do not exist. */
export const primitive = (name: string): Primitive | null => builders().get(name)?.primitive ?? null;

/** Makes a node by the primitive's name, with all its checks. For passes that rebuild graphs. */
export const builder = (name: string): Builder<Attrs> | null => builders().get(name) ?? null;
