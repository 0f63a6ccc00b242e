/** What code does to the world outside itself: for the law that importing and registering do nothing. */

type Listeners = {
  listenerCount(event: string | symbol): number;
  eventNames(): readonly (string | symbol)[];
  getActiveResourcesInfo?(): readonly string[];
};

/** Node's process, where there is one. */
const process = (globalThis as { process?: Listeners }).process;

const watchedCalls = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'Worker',
  'WebSocket',
  'XMLHttpRequest',
] as const;
const watchedConsole = ['log', 'info', 'warn', 'error', 'debug'] as const;
const sharedObjects: readonly (readonly [string, object])[] = [
  ['globalThis', globalThis],
  ['Math', Math],
  ['JSON', JSON],
  ['Reflect', Reflect],
  ...[
    Object,
    Function,
    Array,
    String,
    Number,
    Boolean,
    Symbol,
    Promise,
    Map,
    Set,
    Date,
    RegExp,
    Error,
    Float32Array,
    Uint8Array,
  ].flatMap((one): readonly (readonly [string, object])[] => [
    [one.name, one],
    [`${one.name}.prototype`, one.prototype as object],
  ]),
];

/**
 * Runs something and tells what it did beside returning: timers, network, workers, output, new or changed properties of
 * shared objects, listeners on the process.
 */
export async function effectsOf(act: () => unknown): Promise<readonly string[]> {
  const seen: string[] = [];
  const before = sharedObjects.map(([, object]) => propertiesOf(object));
  const listeners = listenerCounts();
  const restore = [
    ...watchedCalls.map(name => watch(globalThis, name, seen)),
    ...watchedConsole.map(name => watch(console, name, seen, 'console.')),
  ];
  try {
    await act();
  } finally {
    for (const undo of restore) undo();
  }
  for (const [index, [name, object]] of sharedObjects.entries())
    seen.push(...changes(name, before[index]!, propertiesOf(object)));
  for (const [event, count] of listenerCounts()) {
    if (count > (listeners.get(event) ?? 0)) seen.push(`listens to '${String(event)}' of the process`);
  }
  return seen;
}

/** Replaces a function or class by one that notes its use. */
function watch(owner: object, name: string, seen: string[], prefix = ''): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  const original: unknown = Reflect.get(owner, name);
  if (before?.configurable !== true || typeof original !== 'function') return () => undefined;
  const noting = new Proxy(original, {
    apply(target, self, args: unknown[]) {
      seen.push(`calls ${prefix}${name}`);
      return Reflect.apply(target, self, args) as unknown;
    },
    construct(target, args: unknown[], newTarget) {
      seen.push(`makes a ${name}`);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  Object.defineProperty(owner, name, {
    configurable: true,
    writable: true,
    enumerable: before.enumerable ?? true,
    value: noting,
  });
  return () => {
    // What was put over the watch is an effect; it stays, and the comparison of properties finds it.
    if (Reflect.get(owner, name) === noting) Object.defineProperty(owner, name, before);
  };
}

/** Values by name; accessors are not called, their getters stand for them. */
function propertiesOf(object: object): ReadonlyMap<PropertyKey, unknown> {
  return new Map(
    Reflect.ownKeys(object).map(key => {
      const found = Object.getOwnPropertyDescriptor(object, key);
      return [key, found !== undefined && 'value' in found ? (found.value as unknown) : found?.get];
    }),
  );
}

function changes(
  name: string,
  before: ReadonlyMap<PropertyKey, unknown>,
  after: ReadonlyMap<PropertyKey, unknown>,
): readonly string[] {
  const found: string[] = [];
  for (const [key, value] of after) {
    if (!before.has(key)) found.push(`adds ${name}.${String(key)}`);
    else if (!Object.is(before.get(key), value)) found.push(`changes ${name}.${String(key)}`);
  }
  for (const key of before.keys()) if (!after.has(key)) found.push(`removes ${name}.${String(key)}`);
  return found;
}

const listenerCounts = (): ReadonlyMap<string | symbol, number> =>
  new Map(process?.eventNames().map(event => [event, process.listenerCount(event)]) ?? []);

/**
 * Timers, sockets, workers that are alive after something although they were not before. Waits a moment for those that
 * are just ending.
 */
export async function leaksOf(act: () => Promise<void>): Promise<readonly string[]> {
  const before = alive();
  const later = globalThis.setTimeout; // before it is watched
  const timers = watchTimers();
  try {
    await act();
    let found: readonly string[] = [];
    for (let tries = 0; tries < 20; tries++) {
      const more = [...alive()]
        .filter(([kind, count]) => count > (before.get(kind) ?? 0))
        .map(([kind, count]) => `leaves ${count - (before.get(kind) ?? 0)} more ${kind} alive`);
      found = [...timers.running(), ...more];
      if (found.length === 0) return [];
      await new Promise(resolve => later(resolve, 50));
    }
    return found;
  } finally {
    timers.restore();
  }
}

type Repeat = (callback: (...args: unknown[]) => void, delay?: number, ...args: unknown[]) => unknown;

/** Notes timers that are set and neither fire (for once) nor are cleared. */
function watchTimers(): { running(): readonly string[]; restore(): void } {
  const open = new Map<unknown, string>();
  const world = globalThis as unknown as Record<string, Repeat & ((timer: unknown) => void)>;
  const before = new Map<string, (typeof world)[string]>();
  const replace = (
    name: string,
    by: (original: (typeof world)[string]) => Repeat | ((timer: unknown) => void),
  ): void => {
    const original = world[name]!;
    before.set(name, original);
    world[name] = Object.assign(by(original), original) as typeof original;
  };
  replace('setInterval', set => (callback, delay, ...args) => {
    const timer = set(callback, delay, ...args);
    open.set(timer, 'setInterval');
    return timer;
  });
  replace('setTimeout', set => (callback, delay, ...args) => {
    const timer = set((...given) => {
      open.delete(timer);
      callback(...given);
    }, delay, ...args); // prettier-ignore
    open.set(timer, 'setTimeout');
    return timer;
  });
  for (const name of ['clearInterval', 'clearTimeout']) {
    replace(name, clear => (timer: unknown) => {
      open.delete(timer);
      clear(timer);
    });
  }
  return {
    running: () => [...open.values()].map(name => `leaves a ${name} running`),
    restore: () => {
      for (const [name, original] of before) world[name] = original;
    },
  };
}

/** Kinds that say nothing about the code under test: timers, which are watched one by one; what ends by itself; the test runner's channel. */
const passing = /^(Timeout|FSReq|GetAddrInfo|Immediate|TickObject|Pipe|TTY|MessagePort|CloseReq|WriteWrap)/;

function alive(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process?.getActiveResourcesInfo?.() ?? [])
    if (!passing.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
