/**
 * Whole-number arithmetic of places in memory: sums of digits, simplified as they are made. A reshape is a division and
 * a remainder, and most of them cancel: what is left is what a kernel must compute.
 */

/** A counter of a kernel: its cell, or the step of its reduction. */
export interface Counter {
  readonly name: string;
  /** It runs from 0 up to, not including, this. */
  readonly below: number;
}

/** Something whole from 0 up to, not including, `below`. */
export type Atom = Digit | Loaded;

/** `floor(of / divisor)`, then its remainder by `modulus` where that is not null. */
export interface Digit {
  readonly kind: 'digit';
  readonly of: Counter | Index;
  readonly divisor: number;
  readonly modulus: number | null;
  readonly below: number;
  readonly key: string;
}

/** A number read from an array while the kernel runs: the row that a gather goes to. */
export interface Loaded {
  readonly kind: 'loaded';
  readonly expression: unknown;
  readonly below: number;
  readonly key: string;
}

export interface Term {
  readonly factor: number;
  readonly atom: Atom;
}

/** `offset + Σ factor * atom` */
export interface Index {
  readonly terms: readonly Term[];
  readonly offset: number;
  readonly key: string;
}

const isCounter = (of: Counter | Index): of is Counter => 'name' in of;

const keyOf = (of: Counter | Index): string => (isCounter(of) ? of.name : `(${of.key})`);

function digit(of: Counter | Index, divisor: number, modulus: number | null): Index {
  const highest = isCounter(of) ? of.below - 1 : range(of)[1];
  const top = Math.floor(highest / divisor) + 1;
  const useless = modulus === null || (modulus >= top && (isCounter(of) || range(of)[0] >= 0));
  const kept = useless ? null : modulus;
  const below = kept ?? Math.max(1, top);
  if (below === 1 && (isCounter(of) || range(of)[0] >= 0)) return number(0);
  const key = `${keyOf(of)}/${divisor}${kept === null ? '' : `%${kept}`}`;
  return sum([{ factor: 1, atom: { kind: 'digit', of, divisor, modulus: kept, below, key } }], 0);
}

export const counter = (of: Counter): Index => digit(of, 1, null);

export const number = (offset: number): Index => ({ terms: [], offset, key: String(offset) });

export const loaded = (expression: unknown, below: number, key: string): Index =>
  below === 1 ? number(0) : sum([{ factor: 1, atom: { kind: 'loaded', expression, below, key } }], 0);

/** Lowest and highest value. */
export function range({ terms, offset }: Index): readonly [number, number] {
  let [low, high] = [offset, offset];
  for (const { factor, atom } of terms) {
    if (factor > 0) high += factor * (atom.below - 1);
    else low += factor * (atom.below - 1);
  }
  return [low, high];
}

function sum(terms: readonly Term[], offset: number): Index {
  const together = new Map<string, Term>();
  for (const { factor, atom } of terms) {
    const before = together.get(atom.key);
    together.set(atom.key, { factor: factor + (before?.factor ?? 0), atom });
  }
  const joined = joinDigits([...together.values()].filter(({ factor }) => factor !== 0));
  joined.sort((a, b) => (a.atom.key < b.atom.key ? -1 : a.atom.key > b.atom.key ? 1 : 0));
  return { terms: joined, offset, key: [...joined.map(t => `${t.factor}*${t.atom.key}`), String(offset)].join('+') };
}

/** `m * floor(x / m) + x % m` is `x`, at any place of the number. */
function joinDigits(terms: Term[]): Term[] {
  for (const low of terms) {
    if (low.atom.kind !== 'digit' || low.atom.modulus === null) continue;
    const { of, divisor, modulus } = low.atom;
    const high = terms.find(
      ({ factor, atom }) =>
        atom.kind === 'digit' &&
        keyOf(atom.of) === keyOf(of) &&
        atom.divisor === divisor * modulus &&
        factor === low.factor * modulus,
    );
    if (high === undefined) continue;
    const upper = (high.atom as Digit).modulus;
    const whole = digit(of, divisor, upper === null ? null : upper * modulus).terms[0]!;
    const rest = terms.filter(t => t !== low && t !== high);
    return joinDigits([...rest, { factor: low.factor, atom: whole.atom }]);
  }
  return terms;
}

export const plus = (a: Index, b: Index): Index => sum([...a.terms, ...b.terms], a.offset + b.offset);

export const times = ({ terms, offset }: Index, by: number): Index =>
  by === 0
    ? number(0)
    : sum(
        terms.map(({ factor, atom }) => ({ factor: factor * by, atom })),
        offset * by,
      );

/** Splits into what `d` divides and a rest. */
function split({ terms, offset }: Index, d: number): readonly [multiple: Index, rest: Index] {
  const whole = Math.floor(offset / d);
  return [
    sum(
      terms.filter(t => t.factor % d === 0).map(t => ({ factor: t.factor / d, atom: t.atom })),
      whole,
    ),
    sum(
      terms.filter(t => t.factor % d !== 0),
      offset - whole * d,
    ),
  ];
}

/** `floor(index / d)` */
export function dividedBy(index: Index, d: number): Index {
  if (d === 1) return index;
  const [multiple, rest] = split(index, d);
  const [low, high] = range(rest);
  if (low >= 0 && high < d) return multiple;
  return plus(multiple, digitOf(rest, d, null) ?? digit(rest, d, null));
}

/** `index - d * floor(index / d)` */
export function remainder(index: Index, d: number): Index {
  if (d === 1) return number(0);
  const [, rest] = split(index, d);
  const [low, high] = range(rest);
  if (low >= 0 && high < d) return rest;
  return digitOf(rest, 1, d) ?? digit(rest, 1, d);
}

/** The same digit taken from the counter underneath, where there is but one term that fits. */
function digitOf(index: Index, divisor: number, modulus: number | null): Index | null {
  const [term, ...others] = index.terms;
  if (term === undefined || others.length > 0 || index.offset !== 0 || term.atom.kind !== 'digit') return null;
  const { factor, atom } = term;
  if (factor < 1) return null;
  if (modulus === null) {
    if (divisor % factor !== 0) return null;
    const by = divisor / factor;
    if (atom.modulus !== null && atom.modulus % by !== 0) return null;
    return digit(atom.of, atom.divisor * by, atom.modulus === null ? null : atom.modulus / by);
  }
  if (modulus % factor !== 0) return null;
  const by = modulus / factor;
  if (atom.modulus !== null && atom.modulus % by !== 0) return null;
  return times(digit(atom.of, atom.divisor, by), factor);
}

/** Row-major place of a cell. */
export function placeOf(coordinates: readonly Index[], shape: readonly number[]): Index {
  let place = number(0);
  coordinates.forEach((c, axis) => {
    place = plus(times(place, shape[axis]!), c);
  });
  return place;
}

/** Coordinates of a row-major place. */
export function coordinatesOf(place: Index, shape: readonly number[]): Index[] {
  const found: Index[] = [];
  let rest = place;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    found[axis] = axis === 0 ? rest : remainder(rest, shape[axis]!);
    rest = axis === 0 ? rest : dividedBy(rest, shape[axis]!);
  }
  return found;
}

/** What an index comes to. */
export function valueOf(
  { terms, offset }: Index,
  counters: Readonly<Record<string, number>>,
  read: (expression: unknown) => number,
): number {
  let value = offset;
  for (const { factor, atom } of terms) {
    if (atom.kind === 'loaded') {
      value += factor * read(atom.expression);
      continue;
    }
    const of = isCounter(atom.of) ? counters[atom.of.name]! : valueOf(atom.of, counters, read);
    const quotient = Math.floor(of / atom.divisor);
    value +=
      factor * (atom.modulus === null ? quotient : quotient - atom.modulus * Math.floor(quotient / atom.modulus));
  }
  return value;
}
