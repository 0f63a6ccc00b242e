/** Values of parameters that may change over depth and differ between tensors, as mergekit's recipes write them. */

export type Scalar = number | boolean | string;

/**
 * - a scalar: the same everywhere;
 * - a list of numbers: a gradient over depth, linear between its points;
 * - a list of other scalars: the one whose place comes nearest from below;
 * - a list of conditions: the first whose `filter` is part of the tensor's name; without a filter, or with `*`, always.
 */
export type Setting = Scalar | readonly Scalar[] | readonly Condition[];

export interface Condition {
  readonly filter?: string;
  readonly value: Scalar | readonly Scalar[];
}

/**
 * What a setting says for one tensor.
 *
 * @param t depth from 0, the first layer, to 1, the last
 * @returns undefined where no condition holds
 */
export function evaluateSetting(setting: Setting, tensor: string, t: number): Scalar | undefined {
  if (!isList(setting)) return setting;
  const [first] = setting;
  if (first === undefined) return undefined;
  if (typeof first === 'object') {
    const found = (setting as readonly Condition[]).find(
      ({ filter }) => filter === undefined || filter === '*' || tensor.includes(filter),
    );
    return found && evaluateSetting(found.value, tensor, t);
  }
  const points = setting as readonly Scalar[];
  const place = t * (points.length - 1);
  if (!points.every(point => typeof point === 'number')) return points[Math.trunc(place)];
  const below = Math.floor(place);
  const low = points[below] as number;
  const high = (points[Math.min(below + 1, points.length - 1)] ?? low) as number;
  return low + (high - low) * (place - below);
}

const isList = (setting: Setting): setting is readonly Scalar[] | readonly Condition[] => Array.isArray(setting);
