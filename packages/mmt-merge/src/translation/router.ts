/** All adapters of a routing table at once: texts of several directions in one batch, each by the adapter of its own. */

import { fail, type HostTensor } from '@heddle/core';
import { stackLora, type Parameters } from '../lora/lora.js';
import { moduleFor, type DirectionName, type Routing } from './strategies.js';

export interface Router {
  /** By path [K, ...]: what `createGenerator` and `createBeamSearch` of `@heddle/transformer` take as `variants`. */
  readonly variants: Readonly<Record<string, HostTensor>>;
  /** Which of them translates a direction. @throws E_DIRECTION, E_ROUTE */
  variantOf(direction: DirectionName): number;
}

/**
 * @param adapters by module, all of one rank and of the same layers, with one scale
 * @throws E_ROUTE for a module of the table that is not there; E_ADAPTER for adapters of different layers or ranks
 */
export function routerOf(routing: Routing, adapters: Readonly<Record<string, Parameters>>): Router {
  const names = [...new Set(Object.values(routing))];
  const missing = names.find(name => !Object.hasOwn(adapters, name));
  if (missing !== undefined)
    fail('E_ROUTE', `routing: expected an adapter '${missing}', received ${Object.keys(adapters).join(', ') || 'none'}. Load it, or route its directions to another.`, { module: missing }); // prettier-ignore
  const variants = stackLora(names.map(name => adapters[name]!));
  return { variants, variantOf: direction => names.indexOf(moduleFor(routing, direction)) };
}
