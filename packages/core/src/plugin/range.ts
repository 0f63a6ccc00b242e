/**
 * Version ranges as plugins write them in `needs`: `^0.2`, `~1.4.0`, `>=1.2 <3`, `1.x`, `2.0.1`, `^1 || ^2`.
 *
 * The rules are npm's, prereleases included. Not supported: hyphen ranges and npm's tags; they are refused.
 */

import { fail } from '../errors.js';

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `['beta', 2]` in `1.0.0-beta.2`. */
  readonly before: readonly (string | number)[];
}

type Test = '<' | '<=' | '>' | '>=' | '=';

interface Bound {
  readonly test: Test;
  readonly version: Version;
}

/** Any one of the lists must hold; a list holds when all its bounds do. */
export type Range = readonly (readonly Bound[])[];

const number = '(?:0|[1-9]\\d{0,15})';
const identifier = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)';
const suffix = `(?:-(${identifier}(?:\\.${identifier})*))?(?:\\+[0-9A-Za-z.-]+)?`;
const full = new RegExp(`^v?(${number})\\.(${number})\\.(${number})${suffix}$`);
const part = `(${number}|[xX*])`;
const partial = new RegExp(`^(\\^|~|>=|<=|>|<|=)?v?${part}(?:\\.${part}(?:\\.${part}${suffix})?)?$`);

/** @returns null for what is no version */
export function parseVersion(text: string): Version | null {
  const match = full.exec(text.trim());
  if (match === null) return null;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]), before: parseBefore(match[4]) };
}

/**
 * @param owner who wrote the range, for the message
 * @throws E_RANGE for a range that cannot be read
 */
function parseRange(text: string, owner = 'range'): Range {
  return text.split('||').map(alternative => {
    // `>= 1.2` is written with a space now and then.
    const words = alternative
      .trim()
      .replace(/(\^|~|>=|<=|>|<|=)\s+/g, '$1')
      .split(/\s+/)
      .filter(word => word !== '');
    return words.flatMap(word => bounds(word) ?? refuse(text, word, owner));
  });
}

/**
 * Whether a version lies in a range, by npm's rules: a prerelease only counts where the range names a prerelease of the
 * same release.
 *
 * @throws E_RANGE when either cannot be read
 */
export function satisfies(version: string, range: string, owner = 'range'): boolean {
  const candidate = parseVersion(version);
  if (candidate === null)
    fail('E_RANGE', `${owner}: expected a version such as 1.2.3, received '${version}'. Correct it.`, { version });
  return parseRange(range, owner).some(list => {
    if (!list.every(bound => holds(candidate, bound))) return false;
    if (candidate.before.length === 0) return true;
    return list.some(({ version: named }) => named.before.length > 0 && sameRelease(named, candidate));
  });
}

/** Negative when `left` comes before `right`. */
export function compareVersions(left: Version, right: Version): number {
  return (
    left.major - right.major ||
    left.minor - right.minor ||
    left.patch - right.patch ||
    compareBefore(left.before, right.before)
  );
}

function refuse(range: string, word: string, owner: string): never {
  fail(
    'E_RANGE',
    `${owner}: expected a range such as ^1.2, ~1.2.3, >=1 <3, 1.x or 1.2.3, received '${range}' ('${word}' is not one). Correct it.`,
    { range, word },
  );
}

/** `^1.2` -> `>=1.2.0 <2.0.0-0`: everything is said with five comparisons. */
function bounds(word: string): readonly Bound[] | null {
  const match = partial.exec(word);
  if (match === null) return null;
  const sign = match[1] ?? '=';
  const numbers = known(match.slice(2, 5));
  if (numbers === null) return null;
  const [major, minor, patch] = numbers;
  const before = patch === undefined ? [] : parseBefore(match[5]);
  const low = release(major ?? 0, minor ?? 0, patch ?? 0, before);
  const open = major === undefined || minor === undefined || patch === undefined;
  const above =
    major === undefined ? null : minor === undefined ? release(major + 1, 0, 0) : release(major, minor + 1, 0);

  switch (sign) {
    case '^':
      if (above === null) return [];
      return between(
        low,
        low.major > 0 || minor === undefined
          ? release(low.major + 1, 0, 0)
          : low.minor > 0 || patch === undefined
            ? above
            : release(0, 0, low.patch + 1),
      );
    case '~':
      return above === null ? [] : between(low, above);
    case '=':
      if (above === null) return [];
      return open ? between(low, above) : [{ test: '=', version: low }];
    case '>':
      if (above === null) return [nothing];
      return [open ? { test: '>=', version: above } : { test: '>', version: low }];
    case '<':
      return [above === null ? nothing : { test: '<', version: open ? floor(low) : low }];
    case '<=':
      if (above === null) return [];
      return [open ? { test: '<', version: floor(above) } : { test: '<=', version: low }];
    default:
      return above === null ? [] : [{ test: '>=', version: low }];
  }
}

/** The leading numbers of `1.2.x`: `[1, 2]`; null when a number follows an `x`. */
function known(parts: readonly (string | undefined)[]): readonly number[] | null {
  const numbers = parts.map(text => (text === undefined || /^[xX*]$/.test(text) ? null : Number(text)));
  const wild = numbers.indexOf(null);
  if (wild === -1) return numbers.map(Number);
  return numbers.slice(wild).every(one => one === null) ? numbers.slice(0, wild).map(Number) : null;
}

const release = (major: number, minor: number, patch: number, before: Version['before'] = []): Version => ({
  major,
  minor,
  patch,
  before,
});

/** The very first prerelease of a version: `<2.0.0` in a caret range must not admit `2.0.0-beta`. */
const floor = (version: Version): Version => ({ ...version, before: [0] });

const nothing: Bound = { test: '<', version: floor(release(0, 0, 0)) };

const between = (low: Version, high: Version): readonly Bound[] => [
  { test: '>=', version: low },
  { test: '<', version: floor(high) },
];

function holds(candidate: Version, { test, version }: Bound): boolean {
  const order = compareVersions(candidate, version);
  switch (test) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '=':
      return order === 0;
  }
}

const sameRelease = (left: Version, right: Version): boolean =>
  left.major === right.major && left.minor === right.minor && left.patch === right.patch;

const parseBefore = (text: string | undefined): Version['before'] =>
  text === undefined ? [] : text.split('.').map(word => (/^\d+$/.test(word) ? Number(word) : word));

function compareBefore(left: Version['before'], right: Version['before']): number {
  if (left.length === 0 || right.length === 0) return right.length - left.length; // 1.0.0 comes after 1.0.0-beta
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [a, b] = [left[index], right[index]];
    if (a === undefined) return -1;
    if (b === undefined) return 1;
    if (a === b) continue;
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
    return a < b ? -1 : 1;
  }
  return 0;
}
