/**
 * The container: typed tokens, three lifetimes, parents and children.
 *
 * The only file that knows tsyringe. What tsyringe lacks or does unexpectedly is settled here: factories that live as
 * long as a host, circular factories, messages that say which path of tokens led to a missing one.
 */

import '@abraham/reflection'; // tsyringe throws at import without a Reflect polyfill, so this line stays first
import {
  container as root,
  instanceCachingFactory,
  instancePerContainerCachingFactory,
  type DependencyContainer,
} from 'tsyringe';
import { fail } from '../errors.js';
import { suggest } from './nearest.js';

/**
 * Where things are provided and found. Plain data behind an opaque field, so that two copies of this package accept
 * each other's containers.
 */
export interface Container {
  readonly is: 'container';
  /** For messages: `host`, `host/trial-3`. */
  readonly name: string;
  /** Who provides and contributes through this view: `@heddle/text 0.1.0`, or `the application`. */
  readonly owner: string;
  /** Belongs to this folder. */
  readonly inside: object;
}

/** A name that remembers its type. Equal names and versions are equal in every copy of this package. */
export type Token<T> = symbol & { readonly type?: T };

/**
 * How long what a factory makes is kept.
 *
 * - `host`: made once, where it was provided; children share it.
 * - `pipeline`: made once for each container that asks; a parent's factory sees the child it is asked from.
 * - `fresh`: made at each call; the caller closes it.
 */
export type Lifetime = 'host' | 'pipeline' | 'fresh';

/** What a container holds; shared by all views of it. */
export interface Scope {
  readonly tsyringe: DependencyContainer;
  readonly parent: Scope | null;
  readonly name: string;
  /** Tokens provided here, and by whom. */
  readonly provided: Map<symbol, string>;
  /** Contributions, by id of their point: the registry's. */
  readonly entries: Map<string, unknown>;
  /** What is being made right now, in all containers of one host, outermost first. */
  readonly making: Making[];
  /** What was opened for this container, in order. */
  readonly opened: Closable[];
  closed: boolean;
}

interface Making {
  readonly token: symbol;
  readonly scope: Scope;
}

export interface Closable {
  close(): void | Promise<void>;
}

/** The state of one plugin's view: it records while registering, and is silent afterwards. */
interface View {
  readonly scope: Scope;
  phase: 'open' | 'registering' | 'registered';
  /** Tokens asked for while registering. */
  readonly asked: string[];
}

const application = 'the application';
const prefix = '@heddle/core:';

/**
 * A typed token. A version that is not compatible with the last gets a new number: an old asker then meets a clear
 * message instead of a wrong object.
 */
export const token = <T>(name: string, version = 1): Token<T> => Symbol.for(`${prefix}${name}@${version}`) as Token<T>;

/** An empty container, or a child that sees what its parent holds. */
export function createContainer(name: string, parent: Container | null = null): Container {
  const above = parent === null ? null : scopeOf(parent);
  const scope: Scope = {
    tsyringe: (above?.tsyringe ?? root).createChildContainer(),
    parent: above,
    name: above === null || above.name === '' ? name : `${above.name}/${name}`,
    provided: new Map(),
    entries: new Map(),
    making: above?.making ?? [],
    opened: [],
    closed: false,
  };
  const container = viewOf(scope, application, 'open');
  scope.tsyringe.register(self, { useValue: container });
  return container;
}

/**
 * Says how something is made; makes nothing.
 *
 * @throws E_DUPLICATE when this container has the token already (a child may provide it anew)
 * @throws E_CLOSED, E_REGISTER
 */
export function provide<T>(
  container: Container,
  wanted: Token<T>,
  make: (container: Container) => T,
  lifetime: Lifetime,
): void {
  const scope = recording(container, `token ${titleIn(wanted)}`);
  const before = scope.provided.get(wanted);
  if (before !== undefined) {
    fail(
      'E_DUPLICATE',
      `token ${titleIn(wanted)}: provided by ${before} and by ${container.owner} in one container (${scope.name}). Keep one of them, or provide the second in a fork of the host.`,
      { token: titleIn(wanted), first: before, second: container.owner },
    );
  }
  const factory = (scopeOfMaking: Scope) => kept(scopeOfMaking, lifetime, guarded(scopeOfMaking, wanted, make));
  scope.tsyringe.register<T>(wanted, {
    useFactory:
      lifetime === 'host'
        ? instanceCachingFactory(() => factory(scope))
        : lifetime === 'pipeline'
          ? instancePerContainerCachingFactory(from => factory(scopeBehind(from)))
          : from => factory(scopeBehind(from)),
  });
  scope.provided.set(wanted, container.owner);
}

/**
 * What stands behind a token, made if need be.
 *
 * @throws E_MISSING naming the token, its version, the versions there are, and the path that led to it
 * @throws E_CYCLE when making it needs itself, with the whole path
 * @throws E_REGISTER when a plugin asks while it registers; E_CLOSED
 */
export function get<T>(container: Container, wanted: Token<T>): T {
  const { scope, phase, asked } = container.inside as View;
  if (phase === 'registering') {
    asked.push(titleIn(wanted));
    fail(
      'E_REGISTER',
      `plugin ${container.owner}: register only records, but it asked for token ${titleIn(wanted)}. Ask inside a factory given to provide(), or when the thing is used.`,
      { plugin: container.owner, token: titleIn(wanted) },
    );
  }
  refuseClosed(scope, `token ${titleIn(wanted)}`);
  if (!scope.tsyringe.isRegistered(wanted, true)) missing(scope, wanted);
  return scope.tsyringe.resolve<T>(wanted);
}

/** Whether somebody provides it here or above. */
export const has = (container: Container, wanted: Token<unknown>): boolean =>
  scopeOf(container).tsyringe.isRegistered(wanted, true);

/** The view that a plugin registers through; `seal` ends registration and tells what was asked for meanwhile. */
export function registrar(
  container: Container,
  owner: string,
): { readonly view: Container; seal(): readonly string[] } {
  const view = viewOf(scopeOf(container), owner, 'registering');
  const inside = view.inside as View;
  return {
    view,
    seal() {
      inside.phase = 'registered';
      return inside.asked;
    },
  };
}

/** The state behind a container, for this folder. */
export const scopeOf = (container: Container): Scope => (container.inside as View).scope;

/**
 * The state behind a container that something is about to be recorded in.
 *
 * @throws E_CLOSED; E_REGISTER when a plugin comes back after its `register` returned
 */
export function recording(container: Container, what: string): Scope {
  const { scope, phase } = container.inside as View;
  refuseClosed(scope, what);
  if (phase === 'registered') {
    fail(
      'E_REGISTER',
      `plugin ${container.owner}: ${what} was added after register had returned. Register synchronously, without await, promises or timers.`,
      { plugin: container.owner, what },
    );
  }
  return scope;
}

/** @throws E_CLOSED when the container, or one above it, was closed */
export function refuseClosed(scope: Scope, what: string): void {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    if (at.closed) {
      fail('E_CLOSED', `${what}: expected an open host, but ${at.name} was closed. Create a host, or close it later.`, {
        what,
        container: at.name,
      });
    }
  }
}

/** Has a container close something when it closes itself; what it or a parent already holds stays where it is. */
export function hold(scope: Scope, thing: Closable): void {
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.opened.includes(thing)) return;
  scope.opened.push(thing);
}

const self = token<Container>('container');

const viewOf = (scope: Scope, owner: string, phase: View['phase']): Container => ({
  is: 'container',
  name: scope.name,
  owner,
  inside: { scope, phase, asked: [] } satisfies View,
});

const scopeBehind = (tsyringe: DependencyContainer): Scope => scopeOf(tsyringe.resolve<Container>(self));

/** Runs a factory and refuses one that needs itself in the same container, where tsyringe would recurse for ever. */
function guarded<T>(scope: Scope, wanted: Token<T>, make: (container: Container) => T): T {
  const { making } = scope;
  const start = making.findIndex(one => one.token === wanted && one.scope === scope);
  if (start !== -1) {
    const path = [...making.slice(start).map(one => titleIn(one.token)), titleIn(wanted)];
    fail(
      'E_CYCLE',
      `token ${titleIn(wanted)}: needs itself: ${path.join(' -> ')}. Break the circle: let one of them ask when it is used, not when it is made.`,
      {
        path,
      },
    );
  }
  making.push({ token: wanted, scope });
  try {
    return make(scope.tsyringe.resolve<Container>(self));
  } finally {
    making.pop();
  }
}

function kept<T>(scope: Scope, lifetime: Lifetime, made: T): T {
  if (lifetime !== 'fresh' && closable(made)) hold(scope, made);
  return made;
}

const closable = (made: unknown): made is Closable =>
  typeof made === 'object' && made !== null && 'close' in made && typeof made.close === 'function';

function missing(scope: Scope, wanted: symbol): never {
  const { name, version } = parts(wanted);
  const known = [...reachable(scope)].map(parts);
  const versions = known.filter(other => other.name === name).map(other => other.version);
  const path = [...scope.making.map(one => titleIn(one.token)), titleIn(wanted)];
  const there =
    versions.length > 0
      ? `There is ${versions.map(other => `version ${other}`).join(', ')}: the asker and the provider were built for different versions of this contract; upgrade the older.`
      : `Nobody provides it. Add the plugin that does, or provide() it. ${suggest(
          name,
          known.map(other => other.name),
        )}`;
  const asked = path.length > 1 ? ` (asked for by ${path.join(' -> ')})` : '';
  fail('E_MISSING', `token ${titleIn(wanted)}: expected it in container ${scope.name}${asked}, found none. ${there}`, {
    token: name,
    version,
    versions,
    path,
  });
}

function* reachable(scope: Scope): Iterable<symbol> {
  for (let at: Scope | null = scope; at !== null; at = at.parent) yield* at.provided.keys();
}

/** `clock@1`: how messages call a token. */
export const titleIn = (wanted: symbol): string => {
  const { name, version } = parts(wanted);
  return `${name}@${version}`;
};

function parts(wanted: symbol): { readonly name: string; readonly version: string } {
  const text = (wanted.description ?? '').replace(prefix, '');
  const at = text.lastIndexOf('@');
  return at > 0 ? { name: text.slice(0, at), version: text.slice(at + 1) } : { name: text, version: '?' };
}
