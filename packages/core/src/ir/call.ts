/** The node that stands for a custom op. */

import { makeNode } from './primitive.js';
import { refuse } from './path.js';
import { sameType, showType, showTypes } from './shape.js';
import type { Op } from './op.js';
import type { Attrs, Node, Value } from './types.js';

/** The definition travels in the node, so a graph needs no registry to be understood. */
export interface CallAttrs {
  readonly op: Op;
  readonly attrs: Attrs;
  readonly [key: string]: unknown;
}

export const callOf = (node: Node): CallAttrs | null =>
  node.op === 'call' ? (node.attrs as unknown as CallAttrs) : null;

export function callNode(op: Op, inputs: readonly Value[], attrs: Attrs): readonly Value[] {
  const types = op.infer(
    inputs.map(v => v.type),
    attrs,
  );
  return makeNode('call', inputs, { op, attrs } satisfies CallAttrs, types).outputs;
}

/** A decomposition must have the types that the shape rule promised. */
export function expectTypes(op: Op, promised: readonly Value[], made: readonly Value[]): void {
  if (made.length !== promised.length || !made.every((v, i) => sameType(v.type, promised[i]!.type))) {
    const first = promised.findIndex((v, i) => made[i] === undefined || !sameType(v.type, made[i]!.type));
    const detail =
      first < 0
        ? `${promised.length} outputs, received ${made.length}`
        : `output ${first} of type ${showType(promised[first]!.type)}, received ${showTypes(made.slice(first, first + 1).map(v => v.type))}`;
    refuse(op.name, 'E_OP', `decompose: expected ${detail}. Make infer and decompose agree.`, { op: op.name });
  }
}
