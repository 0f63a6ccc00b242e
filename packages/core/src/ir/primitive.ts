/** What a primitive is, and how one becomes a node. */

import { currentPath, refuse } from './path.js';
import { showType } from './shape.js';
import { maxRank, type Attrs, type HostData, type Node, type TensorType, type Value } from './types.js';

/** A tensor while the reference runs: f32 is held in Float32Array, or in Float64Array when gradients are checked. */
export interface Cells {
  readonly type: TensorType;
  readonly data: HostData | Float64Array;
}

export interface Gradient<A extends Attrs = Attrs> {
  /** Cotangent of the output. */
  readonly ct: Value;
  readonly out: Value;
  readonly inputs: readonly Value[];
  readonly attrs: A;
}

export interface Primitive<A extends Attrs = Attrs> {
  readonly name: string;
  /** Number of inputs; null for any number of at least one. */
  readonly arity: number | null;
  /** Shapes in words, for the table in `docs/primitives.md`. */
  readonly shape: string;
  /** The gradient in words; `-` where none flows. */
  readonly gradient: string;
  /** @throws E_SHAPE, E_DTYPE, E_RANK, E_ATTRIBUTE, each naming the types received */
  readonly infer: (inputs: readonly TensorType[], attrs: A) => TensorType;
  /** Cotangents of the inputs, made of primitives; null where none flows. */
  readonly vjp: (at: Gradient<A>) => readonly (Value | null)[];
  /** The meaning: fills `out.data`, which starts as zeros. */
  readonly evaluate: (inputs: readonly Cells[], attrs: A, out: Cells) => void;
}

/** A function that makes a node of one primitive, with the rules beside it. */
export interface Builder<A extends Attrs> {
  (inputs: readonly Value[], attrs: A): Value;
  readonly primitive: Primitive<A>;
}

export function definePrimitive<A extends Attrs>(primitive: Primitive<A>): Builder<A> {
  const { name, arity, infer } = primitive;
  const build = (inputs: readonly Value[], attrs: A): Value => {
    if (arity === null ? inputs.length === 0 : inputs.length !== arity) {
      refuse(name, 'E_ARITY', `expected ${arity ?? 'at least 1'} inputs, received ${inputs.length}.`, {
        inputs: inputs.length,
      });
    }
    return makeNode(name, inputs, attrs, [
      infer(
        inputs.map(v => v.type),
        attrs,
      ),
    ]).outputs[0]!;
  };
  return Object.assign(build, { primitive });
}

/** Makes a node after checking that its output types are lawful. */
export function makeNode(
  op: string,
  inputs: readonly Value[],
  attrs: Attrs,
  types: readonly TensorType[],
  path = currentPath(),
): Node {
  const outputs: Value[] = [];
  const node: Node = { op, inputs, attrs, outputs, path };
  types.forEach((type, index) => {
    checkType(op, type);
    outputs.push({ node, index, type });
  });
  return node;
}

function checkType(op: string, type: TensorType): void {
  if (type.shape.length > maxRank) {
    refuse(
      op,
      'E_RANK',
      `expected at most ${maxRank} axes, received ${showType(type)}. Fold axes with reshape first.`,
      { type },
    );
  }
  if (!type.shape.every(d => Number.isSafeInteger(d) && d >= 1)) {
    refuse(
      op,
      'E_SHAPE',
      `expected axes of whole numbers from 1 up, received ${showType(type)}. Axes of size 0 do not exist here; leave the tensor out.`,
      { type },
    );
  }
}
