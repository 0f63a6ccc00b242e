/** Parameters by patterns of their paths. */

import { fail } from '../errors.js';

/**
 * Whether a path is one of those that some patterns name; `*` stands for any text, dots too.
 *
 * @example selectPaths(['*Norm.weight', 'blocks.0.*'], Object.keys(parameterTypes(model)))
 * @param paths all there are
 * @throws E_CONFIG for a pattern that names none of them: it is misspelt, or of another model
 */
export function selectPaths(patterns: readonly string[], paths: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const parts = pattern.split('*').map(part => part.replaceAll(/[\\^$.+?()[\]{}|/-]/g, '\\$&'));
    const whole = new RegExp(`^${parts.join('[^]*')}$`);
    const named = paths.filter(path => whole.test(path));
    if (named.length === 0)
      fail('E_CONFIG', `pattern '${pattern}': expected a pattern of some parameter, received one of none. There are ${paths.slice(0, 6).join(', ')}${paths.length > 6 ? ' and others' : ''}.`, { pattern }); // prettier-ignore
    for (const path of named) found.add(path);
  }
  return found;
}
