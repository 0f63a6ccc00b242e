/** The host: plugins registered in order, their contributions found by name, and everything opened closed again. */

import { ReplaySubject, type Observable } from 'rxjs';
import type { KernelSource } from '../backend/contract.js';
import { fail, isHeddleError } from '../errors.js';
import type { FlowPlan } from '../pipeline/executor.js';
import type { Flow } from '../pipeline/flow.js';
import type { HeddleEvent } from '../train/events.js';
import { everyName, openBackend, type BackendOptions, type OpenedBackend } from './backends.js';
import { builtIn } from './builtin.js';
import { checkPlugins } from './checks.js';
import {
  createContainer,
  get,
  hold,
  refuseClosed,
  registrar,
  scopeOf,
  type Closable,
  type Container,
  type Scope,
  type Token,
} from './container.js';
import { execute, plan, type ExecuteOptions } from './execute.js';
import { coreStamp, titleOf, type Plugin } from './plugin.js';
import { BACKENDS, KERNELS, kernelKey } from './points.js';
import { contributions, find, lookup, type Point } from './registry.js';

export interface HostOptions {
  /** In any order: what a plugin needs registers before it. */
  readonly plugins?: readonly Plugin[];
  /** What `openBackend()` opens: `auto` (the default), a name, or the preference list of `auto`. */
  readonly backend?: string | readonly string[];
  /** Accept plugins that were made with another copy of core. Contracts are plain data, so this works where versions agree. */
  readonly allowCopies?: boolean;
}

export interface ForkOptions {
  /** Beside those of the parent. */
  readonly plugins?: readonly Plugin[];
  /** For messages. */
  readonly name?: string;
}

/** Something worth telling that is no failure. */
export type Notice = Extract<HeddleEvent, { readonly type: 'notice' }>;

export interface Host {
  readonly name: string;
  readonly container: Container;
  /** In the order of registration, those of the parents first. */
  readonly plugins: readonly Plugin[];
  /** Engines passed over, and the like; the last hundred are repeated to a late listener. */
  readonly notices: Observable<Notice>;
  /** Kernels by format and op: nearest host first, latest registration first. */
  readonly kernels: KernelSource;
  /** Everything contributed to a point, shadowed items left out. */
  all<T>(point: Point<T>): readonly T[];
  /** @throws E_UNKNOWN with the closest names */
  find<T>(point: Point<T, 'unique-by-name' | 'all'>, name: string): T;
  get<T>(token: Token<T>): T;
  /** A child for one pipeline, trial or request: it sees this host, and this host does not see what it adds. */
  fork(options?: ForkOptions): Host;
  /** Opens an engine and closes it with the host. */
  openBackend(name?: string, options?: BackendOptions): Promise<OpenedBackend>;
  /** Opens anything that can be closed, and closes it with the host, last opened first. */
  open<T extends Closable>(make: () => T | Promise<T>): Promise<T>;
  /** What `execute` would do: stages, keys, what is cached. Runs nothing. */
  plan<I, O>(flow: Flow<I, O>, input: I, options?: ExecuteOptions): Promise<FlowPlan>;
  /** Cold: subscribing starts the flow, unsubscribing aborts it. */
  execute<I, O>(flow: Flow<I, O>, input: I, options?: ExecuteOptions): Observable<HeddleEvent>;
  /** Closes children, then what was opened, last first. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * Registers plugins and makes their contributions available. Opens nothing.
 *
 * @throws E_PLUGIN, E_API, E_CORE_COPIES, E_DUPLICATE, E_NEEDS, E_CYCLE before any plugin registers
 * @throws E_REGISTER when a plugin does more than record
 *
 * @example
 * const host = createHost({ plugins: [onnx, transformer, text] });
 * const { backend } = await host.openBackend();
 * await host.close();
 */
export function createHost({ plugins = [], backend = 'auto', allowCopies = false }: HostOptions = {}): Host {
  // What core itself brings lies one container further up, so that a plugin may provide or replace it.
  const base = createContainer('');
  registerAll(base, [builtIn]);
  return buildHost({ name: 'host', above: base, present: [], plugins, backend, allowCopies, closed: () => undefined });
}

interface Build {
  readonly name: string;
  readonly above: Container;
  readonly present: readonly Plugin[];
  readonly plugins: readonly Plugin[];
  readonly backend: string | readonly string[];
  readonly allowCopies: boolean;
  /** Tells the parent that it has one child less. */
  readonly closed: (host: Host) => void;
}

function buildHost({ name, above, present, plugins, backend, allowCopies, closed }: Build): Host {
  const ordered = checkPlugins(plugins, { present: [builtIn, ...present], core: coreStamp, allowCopies });
  const container = createContainer(name, above);
  registerAll(container, ordered);

  const scope = scopeOf(container);
  const registered = [...present, ...ordered];
  const notices = new ReplaySubject<Notice>(100);
  const children = new Set<Host>();
  let forks = 0;
  const opening = new Set<Promise<unknown>>();
  const running = new Set<Closable>();
  let closing: Promise<void> | null = null;

  const say = (code: string, message: string): void => notices.next({ type: 'notice', code, message });

  async function open<T extends Closable>(make: () => T | Promise<T>): Promise<T> {
    refuseClosed(scope, 'open');
    const made = Promise.resolve().then(make);
    opening.add(made);
    try {
      const thing = await made;
      if (scope.closed) {
        await thing.close();
        refuseClosed(scope, 'open');
      }
      hold(scope, thing);
      return thing;
    } finally {
      opening.delete(made);
    }
  }

  const host: Host = {
    name: container.name,
    container,
    plugins: registered,
    notices: notices.asObservable(),
    kernels: { find: (format, op) => lookup(container, KERNELS, kernelKey(format, op)).map(({ item }) => item) },
    all: point => contributions(container, point).map(({ item }) => item),
    find: (point, wanted) => find(container, point, wanted),
    get: token => get(container, token),

    fork({ plugins: added = [], name: childName = `fork-${++forks}` } = {}) {
      refuseClosed(scope, 'fork');
      const child = buildHost({
        name: childName,
        above: container,
        present: registered,
        plugins: added,
        backend,
        allowCopies,
        closed: gone => children.delete(gone),
      });
      children.add(child);
      return child;
    },

    async openBackend(wanted, options = {}) {
      refuseClosed(scope, 'openBackend');
      const offers = contributions(container, BACKENDS).map(({ item }) => item);
      const preference = typeof backend === 'string' ? everyName(offers) : backend;
      const choice = wanted ?? (typeof backend === 'string' ? backend : 'auto');
      let passedOver: OpenedBackend['passedOver'] = [];
      const opened = await open(async () => {
        const result = await openBackend(offers, choice, preference, options);
        passedOver = result.passedOver;
        return result.backend;
      });
      for (const { name: other, reason } of passedOver)
        say('backend.passedOver', `${other} was passed over: ${reason}`);
      say('backend.opened', `${opened.name} runs`);
      return { backend: opened, passedOver };
    },

    open,
    plan: (flow, input, options = {}) => plan(host, flow, input, options),
    execute: (flow, input, options = {}) => execute(host, running, flow, input, options),

    close() {
      closing ??= closeAll();
      return closing;
    },
  };

  async function closeAll(): Promise<void> {
    scope.closed = true; // nothing new from here on
    const failures: unknown[] = [];
    const attempt = async (thing: Closable): Promise<void> => {
      try {
        await thing.close();
      } catch (error) {
        failures.push(error); // the rest must be closed all the same
      }
    };
    await Promise.all([...running].map(attempt)); // a run ends before what it uses
    for (const child of [...children].reverse()) await attempt(child);
    await Promise.allSettled(opening);
    await closeOpened(scope, attempt);
    if (scope.parent !== null && scope.parent.name === '') await closeOpened(scope.parent, attempt);
    notices.complete();
    closed(host);
    if (failures.length > 0) {
      const words = failures.map(error => (error instanceof Error ? error.message : String(error))).join('; ');
      fail(
        'E_CLOSE',
        `${container.name}: closed, but ${failures.length} of the things it had opened failed to close: ${words}. Mend their close().`,
        { failures },
        failures[0],
      );
    }
  }

  return host;
}

async function closeOpened(scope: Scope, attempt: (thing: Closable) => Promise<void>): Promise<void> {
  for (let last = scope.opened.pop(); last !== undefined; last = scope.opened.pop()) await attempt(last);
}

function registerAll(container: Container, plugins: readonly Plugin[]): void {
  for (const plugin of plugins) register(container, plugin);
}

/** Runs one `register` and checks that it only recorded. */
function register(container: Container, plugin: Plugin): void {
  const title = titleOf(plugin);
  const { view, seal } = registrar(container, title);
  let returned: unknown;
  try {
    returned = plugin.register(view) as unknown;
  } catch (error) {
    if (isHeddleError(error)) throw error;
    const words = error instanceof Error ? error.message : String(error);
    fail(
      'E_REGISTER',
      `plugin ${title}: register threw: ${words}. It should only call contribute() and provide().`,
      { plugin: plugin.name },
      error,
    );
  }
  const asked = seal();
  if (asked.length > 0) {
    fail(
      'E_REGISTER',
      `plugin ${title}: register only records, but it asked for token ${asked.join(', ')}. Ask inside a factory given to provide().`,
      {
        plugin: plugin.name,
        asked,
      },
    );
  }
  if (typeof returned === 'object' && returned !== null && 'then' in returned) {
    void Promise.resolve(returned).catch(() => undefined); // its failure would only repeat this one, later and unhandled
    fail(
      'E_REGISTER',
      `plugin ${title}: expected register to return nothing, received a promise. Make it synchronous; load things inside factories.`,
      {
        plugin: plugin.name,
      },
    );
  }
}
