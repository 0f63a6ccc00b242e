/** Models that are compared are about equally large: the feed-forward of the others is as wide as makes them so. */

import { countParameters, type Model } from '@heddle/core';
import type { TaskModel } from './settings.js';

/**
 * @param names all that are compared; `partial`, whose size its own heads decide, is what the others follow
 * @param make a model by name, with a width of the feed-forward where one is given
 */
export function ofEqualSize<M extends Model>(
  name: TaskModel,
  names: readonly TaskModel[],
  make: (of: TaskModel, more?: Readonly<Record<string, number>>) => M,
): M {
  if (name === 'partial' || !names.includes('partial')) return make(name);
  const goal = countParameters(make('partial'));
  const [one, two] = [1, 2].map(hidden => countParameters(make(name, { hidden }))) as [number, number];
  return make(name, { hidden: Math.max(1, Math.round((goal - one) / (two - one)) + 1) });
}
