import { describe, expect, it } from 'vitest';
import { createContainer, get, has, provide, registrar, token, type Container } from './container.js';

interface Made {
  readonly id: number;
  readonly seen: string;
}

const WHO = token<string>('who');
const MADE = token<Made>('made');

/** A parent and two children, a counter, and the factory of MADE that notes what it sees. */
function family() {
  let made = 0;
  const parent = createContainer('host');
  const make = (container: Container): Made => ({ id: ++made, seen: get(container, WHO) });
  provide(parent, WHO, () => 'parent', 'host');
  return { parent, one: createContainer('one', parent), two: createContainer('two', parent), make };
}

describe('tokens', () => {
  it('are equal by name and version, as in another copy of this package', () => {
    expect(token('clock')).toBe(Symbol.for('@heddle/core:clock@1'));
    expect(token('clock', 2)).not.toBe(token('clock', 1));
  });
});

describe('lifetimes', () => {
  it('host: made once where it was provided, shared with children', () => {
    const { parent, one, two, make } = family();
    provide(one, WHO, () => 'one', 'host');
    provide(parent, MADE, make, 'host');
    const first = get(one, MADE);
    expect(first).toEqual({ id: 1, seen: 'parent' }); // a child that asks first leaves nothing of its own in it
    expect(get(two, MADE)).toBe(first);
    expect(get(parent, MADE)).toBe(first);
  });

  it('pipeline: made once per child, and sees what the child overrides', () => {
    const { parent, one, two, make } = family();
    provide(one, WHO, () => 'one', 'host');
    provide(parent, MADE, make, 'pipeline');
    expect(get(one, MADE).seen).toBe('one');
    expect(get(one, MADE)).toBe(get(one, MADE));
    expect(get(two, MADE)).not.toBe(get(one, MADE));
    expect(get(two, MADE).seen).toBe('parent');
  });

  it('fresh: made each time', () => {
    const { parent, one, make } = family();
    provide(parent, MADE, make, 'fresh');
    expect(get(one, MADE).id).toBe(1);
    expect(get(one, MADE).id).toBe(2);
  });

  it('nothing is made by providing', () => {
    const { parent } = family();
    provide(parent, MADE, () => expect.unreachable(), 'host');
    expect(has(parent, MADE)).toBe(true);
  });
});

describe('failures', () => {
  it('a missing token is named with its version, the versions there are, and the path to it', () => {
    const parent = createContainer('host');
    provide(parent, token<string>('clock', 2), () => 'new', 'host');
    provide(parent, token<string>('lab'), c => get(c, token<string>('clock', 1)), 'host');
    provide(parent, token<string>('study'), c => get(c, token<string>('lab')), 'host');
    expect(() => get(createContainer('trial', parent), token('study'))).toThrow(
      expect.objectContaining({
        code: 'E_MISSING',
        message: expect.stringMatching(
          /token clock@1: expected it in container host .*study@1 -> lab@1 -> clock@1.*found none\. There is version 2/,
        ),
        details: { token: 'clock', version: '1', versions: ['2'], path: ['study@1', 'lab@1', 'clock@1'] },
      }),
    );
  });

  it('a missing token of a name that nobody has comes with the nearest', () => {
    const parent = createContainer('host');
    provide(parent, token('backend'), () => 1, 'host');
    expect(() => get(parent, token('backned'))).toThrow(
      expect.objectContaining({
        code: 'E_MISSING',
        message: expect.stringContaining(
          "Nobody provides it. Add the plugin that does, or provide() it. Did you mean 'backend'?",
        ),
      }),
    );
  });

  it.each(['host', 'pipeline', 'fresh'] as const)('a circle of %s tokens is refused with its whole path', lifetime => {
    const parent = createContainer('host');
    for (const [name, next] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'b'],
    ] as const)
      provide(parent, token<unknown>(name), c => get(c, token(next)), lifetime);
    const child = createContainer('trial', parent);
    for (let again = 0; again < 2; again++) {
      expect(() => get(child, token('a'))).toThrow(
        expect.objectContaining({
          code: 'E_CYCLE',
          message: expect.stringContaining('token b@1: needs itself: b@1 -> c@1 -> b@1.'),
        }),
      );
    }
    expect(() => get(child, token('d'))).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ path: ['d@1'] }) }),
    ); // nothing is left on the path
  });

  it('a child may build on what it overrides: that is no circle', () => {
    const { parent, one } = family();
    provide(one, WHO, () => `${get(parent, WHO)}, one`, 'host');
    expect(get(one, WHO)).toBe('parent, one');
  });

  it('one container has a token once, and the message names both who provide it', () => {
    const parent = createContainer('host');
    provide(registrar(parent, 'clock-a 1.0.0').view, WHO, () => 'a', 'host');
    expect(() => provide(registrar(parent, 'clock-b 2.0.0').view, WHO, () => 'b', 'host')).toThrow(
      expect.objectContaining({
        code: 'E_DUPLICATE',
        message: expect.stringMatching(/token who@1: provided by clock-a 1\.0\.0 and by clock-b 2\.0\.0/),
      }),
    );
  });

  it('a failing factory fails each time and is not remembered', () => {
    const parent = createContainer('host');
    let fine = false;
    provide(parent, WHO, () => (fine ? 'made' : expect.fail('not yet')), 'host');
    expect(() => get(parent, WHO)).toThrow('not yet');
    fine = true;
    expect(get(parent, WHO)).toBe('made');
  });
});
