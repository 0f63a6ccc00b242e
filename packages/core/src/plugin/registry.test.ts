import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContainer, registrar, type Container } from './container.js';
import { kernelKey, KERNELS, REWARDS, TRACKERS } from './points.js';
import { contribute, contributions, definePoint, find, lookup } from './registry.js';

interface Item {
  readonly name: string;
  readonly from?: string;
}

const NAMED = definePoint<Item, 'unique-by-name'>({ name: 'things', rule: 'unique-by-name', key: ({ name }) => name });
const EVERY = definePoint<Item, 'all'>({ name: 'listeners', rule: 'all', key: ({ name }) => name });

const as = (container: Container, owner: string): Container => registrar(container, owner).view;
const names = (container: Container, point = NAMED): readonly string[] =>
  contributions(container, point).map(({ item }) => item.name);

describe('unique-by-name', () => {
  it('a second item of a name is refused, naming both contributors', () => {
    const host = createContainer('host');
    contribute(as(host, '@heddle/eval-math 0.2.0'), REWARDS, { name: 'math', score: async () => [] });
    expect(() => contribute(as(host, 'reward-math 1.0.0'), REWARDS, { name: 'math', score: async () => [] })).toThrow(
      expect.objectContaining({
        code: 'E_DUPLICATE',
        message:
          "rewards 'math': comes from @heddle/eval-math 0.2.0 and from reward-math 1.0.0. Register one of them in a child host (host.fork), or rename.",
      }),
    );
  });

  it('a child shadows on purpose only, and nobody else sees it', () => {
    const host = createContainer('host');
    const [one, two] = [createContainer('one', host), createContainer('two', host)];
    contribute(as(host, 'base 1.0.0'), NAMED, { name: 'a', from: 'host' }, { name: 'b' });
    expect(() => contribute(as(one, 'mine 1.0.0'), NAMED, { name: 'a' })).toThrow(
      expect.objectContaining({
        code: 'E_DUPLICATE',
        message: expect.stringMatching(/base 1\.0\.0 and from mine 1\.0\.0\. Set `replace: true`/),
      }),
    );
    contribute(as(one, 'mine 1.0.0'), NAMED, { name: 'a', from: 'one', replace: true }, { name: 'c' });
    expect(find(one, NAMED, 'a').from).toBe('one');
    expect(find(two, NAMED, 'a').from).toBe('host');
    expect(names(one)).toEqual(['a', 'b', 'c']);
    expect(names(host)).toEqual(['a', 'b']);
    expect(names(two)).toEqual(['a', 'b']);
  });

  it('`replace` does not excuse two of a name in one container', () => {
    const host = createContainer('host');
    contribute(host, NAMED, { name: 'a' });
    expect(() => contribute(host, NAMED, { name: 'a', replace: true })).toThrow(
      expect.objectContaining({ code: 'E_DUPLICATE' }),
    );
  });

  it('an unknown name comes with the nearest, those of the parent included', () => {
    const host = createContainer('host');
    contribute(host, NAMED, { name: 'adamw' });
    expect(() => find(createContainer('trial', host), NAMED, 'adam')).toThrow(
      expect.objectContaining({
        code: 'E_UNKNOWN',
        message: expect.stringMatching(/^things: expected a registered name, received 'adam'\. Did you mean 'adamw'\?/),
      }),
    );
  });

  it('lookup agrees with a plain model of nested scopes', () => {
    const level = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
    fc.assert(
      fc.property(fc.array(level, { minLength: 1, maxLength: 4 }), levels => {
        let container: Container | null = null;
        const expected = new Map<string, string>();
        for (const [depth, items] of levels.entries()) {
          container = createContainer(`level-${depth}`, container);
          for (const name of items) {
            contribute(container, NAMED, { name, from: `level-${depth}`, replace: true });
            expected.set(name, `level-${depth}`);
          }
        }
        expect(new Map(contributions(container!, NAMED).map(({ item }) => [item.name, item.from]))).toEqual(expected);
      }),
    );
  });
});

describe('all', () => {
  it('keeps everything, parents first', () => {
    const host = createContainer('host');
    const child = createContainer('child', host);
    contribute(child, EVERY, { name: 'x', from: 'child' });
    contribute(host, EVERY, { name: 'x', from: 'host' }, { name: 'x', from: 'host again' });
    expect(contributions(child, EVERY).map(({ item }) => item.from)).toEqual(['host', 'host again', 'child']);
    expect(find(child, EVERY, 'x').from).toBe('child');
    expect(contributions(child, TRACKERS)).toEqual([]);
  });
});

describe('per-op-and-format', () => {
  it('is asked nearest first, latest first', () => {
    const host = createContainer('host');
    const child = createContainer('child', host);
    const kernel = (build: string, op = 'attend', format = 'onnx') => ({
      op,
      format,
      accepts: () => true,
      build: () => build,
    });
    contribute(
      host,
      KERNELS,
      kernel('h1'),
      kernel('h2'),
      kernel('other op', 'norm'),
      kernel('other format', 'attend', 'gpujs'),
    );
    contribute(child, KERNELS, kernel('c1'), kernel('c2'));
    const found = lookup(child, KERNELS, kernelKey('onnx', 'attend')).map(({ item }) => item.build([], {}));
    expect(found).toEqual(['c2', 'c1', 'h2', 'h1']);
    expect(lookup(host, KERNELS, kernelKey('onnx', 'nothing'))).toEqual([]);
  });
});

describe('bad items', () => {
  it.each([undefined, null, 'text', {}, { name: '' }, { name: 7 }])(
    '%j is refused, naming point and contributor',
    item => {
      const host = as(createContainer('host'), 'broken 0.1.0');
      expect(() => contribute(host, NAMED, item as Item)).toThrow(
        expect.objectContaining({
          code: 'E_CONTRIBUTION',
          message: expect.stringMatching(/^things: expected an object with a name, received .* from broken 0\.1\.0/),
        }),
      );
    },
  );

  it('a kernel needs op and format', () => {
    expect(() => contribute(createContainer('host'), KERNELS, { op: 'attend' } as never)).toThrow(
      expect.objectContaining({
        code: 'E_CONTRIBUTION',
        message: expect.stringContaining('an op and a format, received an object with op'),
      }),
    );
  });
});
