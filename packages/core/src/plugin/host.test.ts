import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Backend, BackendOffer } from '../backend/contract.js';
import { get, provide, token, type Container } from './container.js';
import { createHost } from './host.js';
import { definePlugin, type Plugin } from './plugin.js';
import { BACKENDS, KERNELS, NORM, REWARDS } from './points.js';
import { contribute } from './registry.js';

const nothing = (): void => undefined;
const plugin = (name: string, version = '1.0.0', more: Partial<Plugin> = {}): Plugin => ({
  ...definePlugin({ name, version, register: nothing }),
  ...more,
});
const reward = (name: string) => ({ name, score: async () => [] });
const CLOCK = token<{ now(): number }>('clock');

/** Something that notes when it was closed. */
const closable = (log: string[], name: string) => ({ close: async () => void log.push(name) });

const backend = (name: string, log: string[] = []): Backend => ({
  name,
  format: null,
  limits: {
    maxRank: 6,
    maxElements: 1,
    exactIntegers: 1,
    dtypes: ['f32'],
    deterministic: true,
    resident: false,
    tolerance: 0,
  },
  compile: () => Promise.reject(new Error('not here')),
  upload: () => Promise.reject(new Error('not here')),
  download: () => Promise.reject(new Error('not here')),
  live: () => 0,
  close: async () => void log.push(name),
});

const offer = (
  name: string,
  reason: string | null,
  open = async (): Promise<Backend> => backend(name),
): BackendOffer => ({ name, unavailable: async () => reason, open });
const offering = (...offers: readonly BackendOffer[]): Plugin =>
  plugin('engines', '1.0.0', { register: container => contribute(container, BACKENDS, ...offers) });

describe('what is checked before any plugin registers', () => {
  const untouched = plugin('untouched', '1.0.0', { register: () => expect.unreachable() });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /plugins\[1\]: expected a plugin.*received undefined/],
    ['null', null, /received null/],
    ['a module', { default: plugin('a') }, /received a whole module\. Pass its default export/],
    ['no name', { ...plugin('a'), name: '' }, /received name ""/],
    ['no version', { ...plugin('a'), version: 'newest' }, /received version "newest" in 'a'/],
    ['no register', { ...plugin('a'), register: 7 }, /received register 7 in 'a'/],
    ['no api', { ...plugin('a'), api: '1' }, /received api "1" in 'a'/],
    ['needs that are no list', { ...plugin('a'), needs: 'b' }, /received needs "b" in 'a'/],
  ])('%s is no plugin', (_, bad, message) => {
    expect(() => createHost({ plugins: [untouched, bad as Plugin] })).toThrow(
      expect.objectContaining({ code: 'E_PLUGIN', message: expect.stringMatching(message) }),
    );
  });

  it.each([
    [
      2,
      'plugin new-one 3.0.0: expected plugin api 1, which @heddle/core 0.1.0 understands, received api 2. Upgrade core: npm install @heddle/core@latest',
    ],
    [
      0,
      'plugin new-one 3.0.0: expected plugin api 1, which @heddle/core 0.1.0 understands, received api 0. Upgrade the plugin: npm install new-one@latest',
    ],
  ])('api %i is named with what is supported and what to do', (api, message) => {
    const other = { ...plugin('new-one', '3.0.0'), api } as unknown as Plugin;
    expect(() => createHost({ plugins: [untouched, other] })).toThrow(
      expect.objectContaining({ code: 'E_API', message, details: expect.objectContaining({ supported: [1] }) }),
    );
  });

  it('two plugins of one name are named with both versions', () => {
    expect(() => createHost({ plugins: [untouched, plugin('a', '1.0.0'), plugin('a', '2.0.0')] })).toThrow(
      expect.objectContaining({
        code: 'E_DUPLICATE',
        message: expect.stringContaining('received a 1.0.0 and a 2.0.0. List it once.'),
      }),
    );
    expect(() => createHost({ plugins: [plugin('a')] }).fork({ plugins: [plugin('a')] })).toThrow(
      expect.objectContaining({
        code: 'E_DUPLICATE',
        message: expect.stringContaining('The parent host has it already'),
      }),
    );
  });

  it('a missing need names both plugins, the range, and a near name', () => {
    const needy = plugin('needy', '1.0.0', { needs: ['@heddle/eval-math@^0.2'] });
    expect(() => createHost({ plugins: [untouched, needy, plugin('eval-math', '0.2.0')] })).toThrow(
      expect.objectContaining({
        code: 'E_NEEDS',
        message:
          "plugin needy 1.0.0: needs @heddle/eval-math ^0.2, which the host does not have. Install it (npm install @heddle/eval-math) and add it to plugins. Did you mean 'eval-math'?",
      }),
    );
  });

  it('a need out of range names both versions', () => {
    const needy = plugin('needy', '1.0.0', { needs: ['other@^0.2'] });
    expect(() => createHost({ plugins: [untouched, needy, plugin('other', '0.3.0')] })).toThrow(
      expect.objectContaining({
        code: 'E_NEEDS',
        message: expect.stringContaining('plugin needy 1.0.0: needs other ^0.2, the host has other 0.3.0.'),
      }),
    );
  });

  it('an unreadable range names the plugin', () => {
    expect(() =>
      createHost({ plugins: [plugin('needy', '1.0.0', { needs: ['other@newest'] }), plugin('other')] }),
    ).toThrow(
      expect.objectContaining({
        code: 'E_RANGE',
        message: expect.stringContaining("plugin needy 1.0.0: needs 'other@newest': expected a range"),
      }),
    );
  });

  it('plugins that need each other are refused with the whole circle', () => {
    const circle = [
      plugin('a', '1.0.0', { needs: ['b'] }),
      plugin('b', '1.0.0', { needs: ['c@*'] }),
      plugin('c', '1.0.0', { needs: ['b'] }),
    ];
    expect(() => createHost({ plugins: [untouched, ...circle] })).toThrow(
      expect.objectContaining({
        code: 'E_CYCLE',
        message: expect.stringContaining('plugin b 1.0.0: needs itself: b -> c -> b.'),
      }),
    );
  });

  it('another copy of core is named with both places and how to have one', () => {
    const foreign = plugin('foreign', '1.0.0', {
      core: {
        version: '0.1.4',
        url: 'file:///app/node_modules/foreign/node_modules/@heddle/core/dist/plugin/plugin.js',
      },
    });
    expect(() => createHost({ plugins: [untouched, foreign] })).toThrow(
      expect.objectContaining({
        code: 'E_CORE_COPIES',
        message: expect.stringMatching(
          /plugin foreign 1\.0\.0: .*0\.1\.0 at file:.*plugin\.ts.*0\.1\.4 at file:\/\/\/app\/node_modules\/foreign\/.*npm dedupe.*allowCopies/,
        ),
      }),
    );
    expect(createHost({ plugins: [foreign], allowCopies: true }).plugins).toEqual([foreign]);
  });

  it('contracts are plain data: what another copy contributes and provides is found, asked for and closed', async () => {
    vi.resetModules();
    const other = await import('./index.js'); // the same files, loaded a second time
    expect(other.contribute).not.toBe(contribute);
    const log: string[] = [];
    const foreign = other.definePlugin({
      name: 'foreign',
      version: '1.0.0',
      register(container) {
        other.contribute(container, other.REWARDS, reward('math'));
        other.provide(
          container,
          other.token<object>('thing'),
          c => ({ ...closable(log, 'thing'), clock: other.get(c, other.token('clock')) }),
          'host',
        );
      },
    });
    const host = createHost({ plugins: [foreign], allowCopies: true });
    provide(host.container, CLOCK, () => ({ now: () => 1 }), 'host');
    expect(host.find(REWARDS, 'math').name).toBe('math');
    expect(host.get(token<{ clock: { now(): number } }>('thing')).clock.now()).toBe(1);
    await host.close();
    expect(log).toEqual(['thing']);
  });

  it('a plugin written by hand, without a stamp, is welcome', () => {
    const { core: _, ...byHand } = plugin('by-hand');
    expect(createHost({ plugins: [byHand] }).plugins).toEqual([byHand]);
  });
});

describe('registration', () => {
  it('follows needs and not the order of the list; a parent may meet a need', () => {
    const order: string[] = [];
    const noting = (name: string, needs: readonly string[] = []): Plugin =>
      plugin(name, '1.0.0', { needs, register: () => void order.push(name) });
    const host = createHost({ plugins: [noting('c', ['b']), noting('b', ['a@^1', '@heddle/core']), noting('a')] });
    host.fork({ plugins: [noting('d', ['b@1.x'])] });
    expect(order).toEqual(['a', 'b', 'c', 'd']);
    expect(host.plugins.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('asking the container is refused, even when the plugin swallows the error', () => {
    const asks = (container: Container): unknown => get(container, CLOCK);
    const swallows = (container: Container): void => {
      try {
        asks(container);
      } catch {
        // a plugin that looks whether something is there
      }
    };
    for (const register of [(c: Container) => void asks(c), swallows]) {
      expect(() => createHost({ plugins: [plugin('eager', '1.0.0', { register })] })).toThrow(
        expect.objectContaining({
          code: 'E_REGISTER',
          message: expect.stringMatching(
            /^plugin eager 1\.0\.0: register only records, but it asked for token clock@1/,
          ),
        }),
      );
    }
  });

  it('an asynchronous register is refused', () => {
    const late = plugin('late', '1.0.0', { register: async () => Promise.reject(new Error('later')) });
    expect(() => createHost({ plugins: [late] })).toThrow(
      expect.objectContaining({ code: 'E_REGISTER', message: expect.stringContaining('received a promise') }),
    );
  });

  it('a register that throws is named, with its cause', () => {
    const broken = plugin('broken', '2.0.0', { register: () => expect.fail('boom') });
    expect(() => createHost({ plugins: [broken] })).toThrow(
      expect.objectContaining({
        code: 'E_REGISTER',
        message: expect.stringMatching(/plugin broken 2\.0\.0: register threw: boom/),
        cause: expect.anything(),
      }),
    );
  });

  it('contributions after register are refused', () => {
    let later: Container | null = null;
    createHost({ plugins: [plugin('late', '1.0.0', { register: container => void (later = container) })] });
    expect(() => contribute(later!, REWARDS, reward('a'))).toThrow(
      expect.objectContaining({
        code: 'E_REGISTER',
        message: expect.stringMatching(
          /plugin late 1\.0\.0: a contribution to rewards was added after register had returned/,
        ),
      }),
    );
    expect(() => provide(later!, CLOCK, () => ({ now: () => 1 }), 'host')).toThrow(
      expect.objectContaining({ code: 'E_REGISTER' }),
    );
  });

  it('a factory may use the container that its plugin registered with', () => {
    const A = token<number>('a');
    const B = token<number>('b');
    const host = createHost({
      plugins: [
        plugin('numbers', '1.0.0', {
          register(container) {
            provide(container, A, () => get(container, B) + 1, 'host');
            provide(container, B, () => 1, 'host');
          },
        }),
      ],
    });
    expect(host.get(A)).toBe(2);
  });
});

describe('contributions of a host', () => {
  it('are found by name, with the nearest suggested', () => {
    const host = createHost({
      plugins: [plugin('a', '1.0.0', { register: container => contribute(container, REWARDS, reward('math')) })],
    });
    expect(host.find(REWARDS, 'math').name).toBe('math');
    expect(host.all(REWARDS)).toHaveLength(1);
    expect(() => host.find(REWARDS, 'maths')).toThrow(
      expect.objectContaining({ code: 'E_UNKNOWN', message: expect.stringContaining("Did you mean 'math'?") }),
    );
  });

  it('of a fork stay in the fork', () => {
    const host = createHost();
    const child = host.fork({
      plugins: [
        plugin('a', '1.0.0', {
          register: container => contribute(container, NORM, { name: 'n', create: () => expect.unreachable() }),
        }),
      ],
    });
    expect([host.all(NORM).length, child.all(NORM).length, host.fork().all(NORM).length]).toEqual([0, 1, 0]);
  });

  it('kernels come nearest host first, latest first', () => {
    const kernels = (name: string, ...marks: readonly string[]): Plugin =>
      plugin(name, '1.0.0', {
        register: container =>
          contribute(
            container,
            KERNELS,
            ...marks.map(mark => ({ op: 'attend', format: 'onnx', accepts: () => true, build: () => mark })),
          ),
      });
    const child = createHost({ plugins: [kernels('a', 'a1', 'a2'), kernels('b', 'b1')] }).fork({
      plugins: [kernels('c', 'c1')],
    });
    expect(child.kernels.find('onnx', 'attend').map(kernel => kernel.build([], {}))).toEqual(['c1', 'b1', 'a2', 'a1']);
    expect(child.kernels.find('gpujs', 'attend')).toEqual([]);
  });
});

describe('engines', () => {
  it("'auto' takes the first that runs and says why others were passed over", async () => {
    const plugins = [
      offering(
        offer('gone', 'no adapter'),
        offer('unsure', null, () => Promise.reject(new Error('driver too old'))),
        { ...offer('asks-badly', null), unavailable: () => Promise.reject(new Error('probe crashed')) },
        offer('good', null),
        offer('late', null),
      ),
    ];
    const host = createHost({ plugins });
    const { backend: opened, passedOver } = await host.openBackend();
    expect(opened.name).toBe('good');
    expect(passedOver).toEqual([
      { name: 'gone', reason: 'no adapter' },
      { name: 'unsure', reason: 'opening failed: driver too old' },
      { name: 'asks-badly', reason: 'its check failed: probe crashed' },
    ]);
    await host.close();
    const notices = await lastValueFrom(host.notices.pipe(toArray())); // a late listener hears them too
    expect(notices.map(({ code }) => code)).toEqual([
      ...Array.from({ length: 3 }, () => 'backend.passedOver'),
      'backend.opened',
    ]);
    expect(notices[0]!.message).toBe('gone was passed over: no adapter');
  });

  it('follows the preference of the host and ends with the reference', async () => {
    const plugins = [offering(offer('a', null), offer('b', null))];
    const preferring = createHost({ plugins, backend: ['absent', 'b'] });
    const chosen = await preferring.openBackend();
    expect([chosen.backend.name, chosen.passedOver]).toEqual([
      'b',
      [{ name: 'absent', reason: 'no plugin of the host offers it' }],
    ]);
    const { backend: last } = await createHost({ plugins: [offering(offer('a', 'not here'))] }).openBackend('auto');
    expect(last.name).toBe('reference');
  });

  it('by name: unknown and unavailable are told apart', async () => {
    const host = createHost({
      plugins: [offering(offer('onnx:cpu', null), offer('onnx:webgpu', 'no adapter found'))],
      backend: 'onnx:cpu',
    });
    expect((await host.openBackend()).backend.name).toBe('onnx:cpu');
    await expect(host.openBackend('onnx:cpp')).rejects.toMatchObject({
      code: 'E_UNKNOWN',
      message: expect.stringContaining("Did you mean 'onnx:cpu'?"),
    });
    await expect(host.openBackend('onnx:webgpu')).rejects.toMatchObject({
      code: 'E_UNAVAILABLE',
      message: expect.stringContaining('no adapter found'),
    });
  });

  it('passes options on', async () => {
    const seen: unknown[] = [];
    const noting: BackendOffer = { ...offer('a', null), open: async options => (seen.push(options), backend('a')) };
    await createHost({ plugins: [offering(noting)] }).openBackend('a', { threads: 2 });
    expect(seen).toEqual([{ threads: 2 }]);
  });
});

describe('closing', () => {
  it('goes children first, last opened first, and once', async () => {
    const log: string[] = [];
    const host = createHost({ plugins: [offering(offer('engine', null, async () => backend('engine', log)))] });
    const child = host.fork();
    const grandchild = child.fork();
    await host.open(() => closable(log, 'host 1'));
    await host.openBackend('engine');
    await child.open(() => closable(log, 'child 1'));
    await grandchild.open(() => closable(log, 'grandchild 1'));
    await child.open(async () => closable(log, 'child 2'));
    await Promise.all([host.close(), host.close()]);
    await host.close();
    await child.close();
    expect(log).toEqual(['grandchild 1', 'child 2', 'child 1', 'engine', 'host 1']);
  });

  it('closes what factories made, where it lives; not what the caller owns', async () => {
    const log: string[] = [];
    const tokens = {
      host: token<object>('for-host'),
      pipeline: token<object>('for-pipeline'),
      fresh: token<object>('for-caller'),
    };
    const host = createHost();
    for (const lifetime of ['host', 'pipeline', 'fresh'] as const)
      provide(host.container, tokens[lifetime], () => closable(log, lifetime), lifetime);
    const child = host.fork();
    provide(child.container, token<object>('alias'), c => get(c, tokens.host), 'host'); // not the child's, though made through it
    for (const wanted of [...Object.values(tokens), token<object>('alias')]) child.get(wanted);
    await child.close();
    expect(log).toEqual(['pipeline']);
    await host.close();
    expect(log).toEqual(['pipeline', 'host']);
  });

  it('goes on past a failing close and reports it', async () => {
    const log: string[] = [];
    const host = createHost();
    await host.open(() => closable(log, 'first'));
    await host.open(() => ({ close: () => Promise.reject(new Error('stuck')) }));
    await host.open(() => closable(log, 'last'));
    await expect(host.close()).rejects.toMatchObject({ code: 'E_CLOSE', message: expect.stringContaining('stuck') });
    expect(log).toEqual(['last', 'first']);
  });

  it('closes what was still being opened', async () => {
    const log: string[] = [];
    const host = createHost();
    let ready = nothing;
    const late = host.open(async () => {
      await new Promise<void>(resolve => void (ready = resolve));
      return closable(log, 'late');
    });
    const refused = expect(late).rejects.toMatchObject({ code: 'E_CLOSED' });
    await Promise.resolve();
    const closed = host.close();
    ready();
    await Promise.all([closed, refused]);
    expect(log).toEqual(['late']);
  });

  it('ends every use with E_CLOSED, in children too, but not in parents', async () => {
    const root = createHost();
    const host = root.fork({ name: 'trial' });
    const child = host.fork();
    await host.close();
    const closed = expect.objectContaining({ code: 'E_CLOSED', message: expect.stringContaining('host/trial') });
    for (const one of [host, child]) {
      expect(() => one.get(CLOCK)).toThrow(closed);
      expect(() => one.find(REWARDS, 'a')).toThrow(closed);
      expect(() => one.all(REWARDS)).toThrow(closed);
      expect(() => one.fork()).toThrow(closed);
      expect(() => one.kernels.find('onnx', 'attend')).toThrow(closed);
      expect(() => contribute(one.container, REWARDS, reward('a'))).toThrow(closed);
      expect(() => provide(one.container, CLOCK, () => ({ now: () => 1 }), 'host')).toThrow(closed);
      await expect(one.openBackend()).rejects.toEqual(closed);
      await expect(one.open(() => closable([], 'x'))).rejects.toEqual(closed);
    }
    expect(root.all(REWARDS)).toEqual([]);
  });
});
