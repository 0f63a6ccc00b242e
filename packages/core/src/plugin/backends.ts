/** Choosing an engine: by name, or the first of a preference that runs here. */

import type { Backend, BackendOffer } from '../backend/contract.js';
import { fail, isHeddleError } from '../errors.js';
import { suggest } from './nearest.js';

export interface PassedOver {
  readonly name: string;
  /** Why it was not taken, in words. */
  readonly reason: string;
}

export interface OpenedBackend {
  readonly backend: Backend;
  /** Engines that stood before it in the preference. */
  readonly passedOver: readonly PassedOver[];
}

export type BackendOptions = Readonly<Record<string, unknown>>;

/** The engine that is always there; `auto` ends with it. */
const lastResort = 'reference';

/**
 * Opens one engine.
 *
 * @param name `auto`, or a name that a plugin offers
 * @param preference what `auto` tries, in order; `reference` is added at the end
 * @throws E_UNKNOWN for a name that nobody offers; E_UNAVAILABLE when it cannot run here, with the reason
 */
export async function openBackend(
  offers: readonly BackendOffer[],
  name: string,
  preference: readonly string[],
  options: BackendOptions,
): Promise<OpenedBackend> {
  return name === 'auto'
    ? first(offers, preference, options)
    : { backend: await one(offers, name, options), passedOver: [] };
}

/** Every engine offered, in the order of registration, the reference last. */
export const everyName = (offers: readonly BackendOffer[]): readonly string[] =>
  withLastResort(offers.map(({ name }) => name));

const withLastResort = (names: readonly string[]): readonly string[] => [
  ...new Set(names.filter(name => name !== lastResort)),
  lastResort,
];

async function one(offers: readonly BackendOffer[], name: string, options: BackendOptions): Promise<Backend> {
  const offer = offers.find(candidate => candidate.name === name);
  if (offer === undefined) {
    const known = offers.map(candidate => candidate.name);
    fail(
      'E_UNKNOWN',
      `backends: expected a registered name or 'auto', received '${name}'. ${suggest(name, known)} A plugin that offers it must be among the host's plugins.`,
      {
        point: 'backends',
        name,
        known,
      },
    );
  }
  const reason = await whyNot(offer);
  if (reason !== null) unavailable(name, reason);
  try {
    return await offer.open(options);
  } catch (error) {
    if (isHeddleError(error)) throw error;
    return unavailable(name, `opening failed: ${wordsOf(error)}`, error);
  }
}

async function first(
  offers: readonly BackendOffer[],
  preference: readonly string[],
  options: BackendOptions,
): Promise<OpenedBackend> {
  const passedOver: PassedOver[] = [];
  for (const name of withLastResort(preference)) {
    const offer = offers.find(candidate => candidate.name === name);
    const reason = offer === undefined ? 'no plugin of the host offers it' : await whyNot(offer);
    if (offer === undefined || reason !== null) {
      passedOver.push({ name, reason: reason ?? '' });
      continue;
    }
    try {
      return { backend: await offer.open(options), passedOver };
    } catch (error) {
      passedOver.push({ name, reason: `opening failed: ${wordsOf(error)}` });
    }
  }
  const list = passedOver.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  return fail(
    'E_UNAVAILABLE',
    `backend 'auto': expected one engine that runs here, found none (${list}). Run 'heddle doctor' to see what each of them lacks.`,
    {
      name: 'auto',
      passedOver,
    },
  );
}

function unavailable(name: string, reason: string, cause?: unknown): never {
  fail(
    'E_UNAVAILABLE',
    `backend '${name}': expected it to run here, but: ${reason}. Use 'auto' to take the next best, or run 'heddle doctor'.`,
    { name, reason },
    cause,
  );
}

/** An offer whose own check fails is not available; the failure is the reason. */
async function whyNot(offer: BackendOffer): Promise<string | null> {
  try {
    return await offer.unavailable();
  } catch (error) {
    return `its check failed: ${wordsOf(error)}`;
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
