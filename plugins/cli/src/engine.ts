/** Opening an engine, and saying which one it is and what became of the others. */

import { BACKENDS, type Backend, type BackendOffer, type Host } from '@heddle/core';

export interface Engine {
  readonly backend: Backend;
  /** The others that `auto` could have taken, each with the reason why it does not run. */
  readonly others: readonly { readonly name: string; readonly reason: string }[];
}

/** @param options of the engine, such as `{ threads: 1 }` */
export async function openEngine(
  host: Host,
  wanted: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<Engine> {
  const { backend, passedOver } = await host.openBackend(wanted, options);
  if (wanted !== 'auto') return { backend, others: [] };
  const reasons = new Map(passedOver.map(({ name, reason }) => [name, reason]));
  const names = offersInOrder(host).map(({ name }) => name);
  const others = names
    .filter(name => name !== backend.name)
    .map(name => ({ name, reason: reasons.get(name) ?? `comes after ${backend.name}; --backend ${name} chooses it` }));
  return { backend, others };
}

export const engineLines = ({ backend, others }: Engine): readonly string[] => [
  `Engine: ${backend.name}`,
  ...others.map(({ name, reason }) => `  not ${name}: ${reason.split('\n')[0]!}`),
];

/** As `auto` tries them: the reference last. */
export const offersInOrder = (host: Host): readonly BackendOffer[] => {
  const offers = host.all(BACKENDS);
  const isLast = ({ name }: BackendOffer): boolean => name === 'reference';
  return [...offers.filter(offer => !isLast(offer)), ...offers.filter(isLast)];
};
