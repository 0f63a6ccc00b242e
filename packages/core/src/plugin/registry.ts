/**
 * Contributions: what plugins add, by point, nearest container first.
 *
 * Not built on the container's own lists: those of a child would hide its parent's. Every container has its own record
 * with a link to the parent's, and each point says how several contributions combine.
 */

import { fail } from '../errors.js';
import { recording, refuseClosed, scopeOf, type Container, type Scope } from './container.js';
import { suggest } from './nearest.js';

/**
 * How several contributions to one point combine.
 *
 * - `unique-by-name`: one for each name; a child may shadow its parent's with `replace: true`.
 * - `per-op-and-format`: any number for each op and format; the nearest container's latest is asked first.
 * - `all`: every one is used; names only label them.
 */
export type Rule = 'unique-by-name' | 'per-op-and-format' | 'all';

/** A place where plugins add things of type `T`. */
export interface Point<T, R extends Rule = Rule> {
  /** `rewards`: for messages, and with the version its identity. */
  readonly name: string;
  readonly version: number;
  readonly rule: R;
  /** What the rule goes by: a name, or op and format. */
  readonly key: (item: T) => string;
}

/** An item, and whether it stands in for the one of the same name in a parent. */
export type Contribution<T> = T & { readonly replace?: boolean };

/** An item and who contributed it. */
export interface Contributed<T> {
  readonly item: T;
  /** `@heddle/eval-math 0.2.0`, or `the application`. */
  readonly from: string;
  /** The container it was contributed to. */
  readonly where: string;
}

interface Entry {
  readonly key: string;
  readonly item: unknown;
  readonly from: string;
}

interface Entries {
  readonly rule: Rule;
  /** In the order of registration. */
  readonly list: Entry[];
}

/** Declares a contribution point. A plugin may have its own: write its package's name into the point's. */
export const definePoint = <T, const R extends Rule = Rule>(point: {
  readonly name: string;
  readonly version?: number;
  readonly rule: R;
  readonly key: (item: T) => string;
}): Point<T, R> => ({ version: 1, ...point });

/**
 * Adds items to a point; nothing runs.
 *
 * @throws E_DUPLICATE naming both contributors when the point's rule allows one of a name
 * @throws E_CONTRIBUTION for an item without the name that the point goes by
 * @throws E_CLOSED, E_REGISTER
 */
export function contribute<T>(
  container: Container,
  point: Point<T>,
  ...items: readonly Contribution<NoInfer<T>>[]
): void {
  const scope = recording(container, `a contribution to ${point.name}`);
  for (const item of items) {
    const key = keyOf(point, item, container.owner);
    if (point.rule === 'unique-by-name') refuseDuplicate(scope, point, key, item.replace === true, container.owner);
    entriesOf(scope, point).list.push({ key, item, from: container.owner });
  }
}

/**
 * Everything contributed to a point that this container sees.
 *
 * @returns for `unique-by-name` and `all` in the order of registration, parents first, without what a child shadows; for
 *   `per-op-and-format` nearest container first, latest first: the order in which they are asked
 */
export function contributions<T>(container: Container, point: Point<T>): readonly Contributed<T>[] {
  const scope = scopeOf(container);
  refuseClosed(scope, `point ${point.name}`);
  const levels = [...chain(scope)].map(at => readable<T>(at, point)); // nearest first
  if (point.rule === 'per-op-and-format') return levels.flatMap(level => level.reverse());
  const rootFirst = levels.reverse().flat();
  if (point.rule === 'all') return rootFirst;
  const latest = new Map<string, Contributed<T>>(); // a child's entry takes the place of the one that it shadows
  for (const one of rootFirst) latest.set(point.key(one.item), one);
  return [...latest.values()];
}

/**
 * What goes by this key, in the order in which it is asked: nearest container first, latest first.
 *
 * @returns for `unique-by-name` one item at most
 */
export function lookup<T>(container: Container, point: Point<T>, key: string): readonly Contributed<T>[] {
  const scope = scopeOf(container);
  refuseClosed(scope, `point ${point.name}`);
  const found = [...chain(scope)].flatMap(at =>
    readable<T>(at, point)
      .filter(one => point.key(one.item) === key)
      .reverse(),
  );
  return point.rule === 'unique-by-name' ? found.slice(0, 1) : found;
}

/**
 * The item of this name.
 *
 * @throws E_UNKNOWN with the closest names there are
 */
export function find<T>(container: Container, point: Point<T, 'unique-by-name' | 'all'>, name: string): T {
  const [first] = lookup(container, point, name);
  if (first !== undefined) return first.item;
  const known = contributions(container, point).map(({ item }) => point.key(item));
  fail(
    'E_UNKNOWN',
    `${point.name}: expected a registered name, received '${name}'. ${suggest(name, known)} A plugin that adds it must be among the host's plugins.`,
    { point: point.name, name, known },
  );
}

/** What was contributed to one container itself, in order: for tests and for `inspect`. */
export const keysOf = (
  container: Container,
): readonly { readonly point: string; readonly key: string; readonly from: string }[] =>
  [...scopeOf(container).entries].flatMap(([point, entries]) =>
    (entries as Entries).list.map(({ key, from }) => ({ point, key, from })),
  );

function keyOf<T>(point: Point<T>, item: T, owner: string): string {
  // An op is a function that can be called, with its definition on it.
  const key: unknown =
    (typeof item === 'object' && item !== null) || typeof item === 'function' ? point.key(item) : undefined;
  if (typeof key === 'string' && key !== '') return key;
  fail(
    'E_CONTRIBUTION',
    `${point.name}: expected an object with ${point.rule === 'per-op-and-format' ? 'an op and a format' : 'a name'}, received ${describe(item)} from ${owner}. Check what is passed to contribute().`,
    { point: point.name, owner },
  );
}

function describe(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  return `an object with ${Object.keys(item).length === 0 ? 'nothing in it' : Object.keys(item).join(', ')}`;
}

function refuseDuplicate<T>(scope: Scope, point: Point<T>, key: string, replace: boolean, owner: string): void {
  for (const at of chain(scope)) {
    const before = at.entries.get(idOf(point)) as Entries | undefined;
    const other = before?.list.find(entry => entry.key === key);
    if (other === undefined) continue;
    if (replace && at !== scope) return; // a shadow, on purpose
    const advice =
      at === scope
        ? 'Register one of them in a child host (host.fork), or rename.'
        : 'Set `replace: true` on the second to shadow the first in this child, or rename.';
    fail('E_DUPLICATE', `${point.name} '${key}': comes from ${other.from} and from ${owner}. ${advice}`, {
      point: point.name,
      name: key,
      first: other.from,
      second: owner,
    });
  }
}

function entriesOf(scope: Scope, point: Point<never>): Entries {
  const known = scope.entries.get(idOf(point)) as Entries | undefined;
  if (known !== undefined) return known;
  const entries: Entries = { rule: point.rule, list: [] };
  scope.entries.set(idOf(point), entries);
  return entries;
}

/** What one container holds for a point. The point's id promises the type. */
function readable<T>(scope: Scope, point: Point<T>): Contributed<T>[] {
  const entries = scope.entries.get(idOf(point)) as Entries | undefined;
  return (entries?.list ?? []).map(({ item, from }) => ({ item: item as T, from, where: scope.name }));
}

function* chain(scope: Scope): Iterable<Scope> {
  for (let at: Scope | null = scope; at !== null; at = at.parent) yield at;
}

const idOf = (point: Pick<Point<never>, 'name' | 'version'>): string => `${point.name}@${point.version}`;
