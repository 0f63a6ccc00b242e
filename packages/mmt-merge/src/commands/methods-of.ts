/** Methods of all plugins of a host; ours where there is no host that has them. */

import { MERGES, type Host, type MergeMethod } from '@heddle/core';
import { methods as own } from '../methods/index.js';

export function methodsOf(host: Host): readonly MergeMethod[] {
  const found = host.all(MERGES);
  return [...found, ...own.filter(({ name }) => !found.some(other => other.name === name))];
}
