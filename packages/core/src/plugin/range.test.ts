import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, parseVersion, satisfies } from './range.js';

describe('ranges', () => {
  // Every row was compared with npm's own `semver`.
  it.each<[range: string, inside: readonly string[], outside: readonly string[]]>([
    ['^1.2.3', ['1.2.3', '1.2.4', '1.9.0'], ['1.2.2', '2.0.0', '2.0.0-beta', '1.3.0-beta']],
    ['^0.2.3', ['0.2.3', '0.2.9'], ['0.2.2', '0.3.0', '1.0.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4', '0.0.2', '0.1.0']],
    ['^0.2', ['0.2.0', '0.2.7'], ['0.1.9', '0.3.0']],
    ['^0.0', ['0.0.0', '0.0.9'], ['0.1.0']],
    ['^0', ['0.0.0', '0.9.9'], ['1.0.0']],
    ['^1', ['1.0.0', '1.9.9'], ['0.9.9', '2.0.0']],
    ['^1.x', ['1.0.0', '1.9.9'], ['2.0.0']],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0', '1.2.2']],
    ['~1.2', ['1.2.0', '1.2.9'], ['1.3.0', '1.1.9']],
    ['~1', ['1.0.0', '1.9.9'], ['2.0.0']],
    ['>=1.2', ['1.2.0', '9.0.0'], ['1.1.9', '1.3.0-beta']],
    ['>= 1.2.3 <2', ['1.2.3', '1.99.0'], ['2.0.0', '1.2.2']],
    ['>1.2', ['1.3.0', '2.0.0'], ['1.2.0', '1.2.9']],
    ['>1.2.3', ['1.2.4'], ['1.2.3']],
    ['<=1.2', ['1.2.9', '0.1.0'], ['1.3.0']],
    ['<=1.2.3', ['1.2.3'], ['1.2.4']],
    ['<1.2', ['1.1.9'], ['1.2.0', '1.2.0-beta']],
    ['1.2.3', ['1.2.3', '1.2.3+build'], ['1.2.4', '1.2.3-beta']],
    ['=1.2.3', ['1.2.3'], ['1.2.4']],
    ['1.2.x', ['1.2.0', '1.2.9'], ['1.3.0']],
    ['1.x', ['1.0.0', '1.9.9'], ['2.0.0']],
    ['1', ['1.0.0', '1.9.9'], ['2.0.0']],
    ['*', ['0.0.0', '9.9.9'], ['1.0.0-beta']],
    ['', ['1.0.0'], ['1.0.0-beta']],
    ['<*', [], ['0.0.0', '1.0.0']],
    ['^1 || ^3', ['1.5.0', '3.0.0'], ['2.0.0', '4.0.0']],
    [
      '^1.0.0-beta.2',
      ['1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc', '1.0.0', '1.1.0'],
      ['1.0.0-beta.1', '1.0.0-alpha', '1.1.0-beta.3'],
    ],
  ])('%s', (range, inside, outside) => {
    for (const version of inside) expect(satisfies(version, range), `${version} in ${range}`).toBe(true);
    for (const version of outside) expect(satisfies(version, range), `${version} not in ${range}`).toBe(false);
  });

  it.each(['1.2 - 2', 'latest', 'workspace:^', '^^1', '1.2.3.4', '^1.02', '>=', '^1.2.3-', '1.x.3', 'xxx'])(
    'refuses %j, saying whose it is',
    range => {
      expect(() => satisfies('1.0.0', range, "plugin a 1.0.0: needs 'b'")).toThrow(
        expect.objectContaining({
          code: 'E_RANGE',
          message: expect.stringContaining(`plugin a 1.0.0: needs 'b': expected a range`),
        }),
      );
    },
  );

  it('refuses what is no version', () => {
    expect(() => satisfies('1.0', '*')).toThrow(
      expect.objectContaining({ code: 'E_RANGE', message: expect.stringContaining("received '1.0'") }),
    );
  });
});

describe('versions', () => {
  const version = fc.tuple(
    fc.nat(30),
    fc.nat(30),
    fc.nat(30),
    fc.option(fc.constantFrom('alpha', 'beta.2', 'beta.11', '0', '7.x'), { nil: null }),
  );
  const text = version.map(([a, b, c, before]) => `${a}.${b}.${c}${before === null ? '' : `-${before}`}`);

  it('stand in one order', () => {
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const [x, y, z] = [parseVersion(a)!, parseVersion(b)!, parseVersion(c)!];
        expect(Math.sign(compareVersions(x, y))).toBe(-Math.sign(compareVersions(y, x)) + 0);
        if (compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0)
          expect(compareVersions(x, z)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('a version is in its own caret, tilde and exact range, and its next major in none', () => {
    fc.assert(
      fc.property(text, own => {
        const { major } = parseVersion(own)!;
        for (const sign of ['^', '~', '=', '>=', '<=', '']) expect(satisfies(own, sign + own)).toBe(true);
        for (const sign of ['^', '~', '=', '']) expect(satisfies(`${major + 1}.0.0`, sign + own)).toBe(false);
      }),
    );
  });
});
