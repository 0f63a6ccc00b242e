/**
 * Golden files: outputs of reference implementations on fixed inputs, and what a package adds to read them.
 *
 * Stands apart from the conformance kit because `npm run golden` runs it without a test runner. A package that
 * implements kinds has `src/golden/index.ts` with `export const kinds: readonly GoldenKind[]`.
 */

/** One file below the folder of its kind. */
export interface GoldenFile {
  /** Path within the folder of its kind, with `/`: `gpt2/golden.public.jsonl`. */
  readonly name: string;
  /** Path on disk, for siblings such as vocabularies. */
  readonly path: string;
  text(): Promise<string>;
}

export interface GoldenCase {
  readonly id: string;
  readonly passed: boolean;
  /** What was compared, or how it differs. */
  readonly detail: string;
  /** Largest relative difference; left out where the comparison is exact. */
  readonly error?: number;
}

export interface GoldenKind {
  /** Name of the folder. */
  readonly name: string;
  /** Whether this is a file of cases that `check` understands. By prefix: the ends of names differ between sets. */
  recognises(name: string): boolean;
  /** Files beside the cases, such as vocabularies; they are neither run nor missed. */
  ignores?(name: string): boolean;
  check(file: GoldenFile): AsyncIterable<GoldenCase>;
}

/**
 * Numbers of a golden file. Python writes what JSON cannot hold as `inf`, `-Infinity` or `nan`, quoted or bare.
 *
 * @throws SyntaxError when it is no JSON even so
 */
export function parseGolden(text: string): unknown {
  // A bare word stands after a colon, comma or bracket; inside strings such a sequence does not occur in these sets.
  return JSON.parse(text.replace(/([:,[]\s*)(-?(?:Infinity|NaN))(?=\s*[,\]}])/g, '$1"$2"'));
}

/** A number, or a word for one that JSON cannot hold. */
export function goldenNumber(x: unknown): number {
  if (typeof x === 'number') return x;
  if (typeof x === 'boolean') return Number(x);
  if (typeof x !== 'string') return NaN;
  const word = /^([+-]?)inf(?:inity)?$/i.exec(x.trim());
  return word ? (word[1] === '-' ? -Infinity : Infinity) : Number(x);
}

/**
 * Largest difference, relative to the largest expected element. Equal infinities and two NaN agree; a length or a
 * kind of number that differs is infinitely far.
 */
export function relativeError(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  if (expected.length !== found.length) return Infinity;
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [expected[i]!, found[i]!];
    if (Object.is(a, b)) {
      if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a));
      continue;
    }
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
    largest = Math.max(largest, Math.abs(a));
    worst = Math.max(worst, Math.abs(a - b));
  }
  // Where zeros are expected there is nothing to be relative to.
  return worst === 0 ? 0 : worst / (largest || 1);
}

/** Errors by name within their tolerances, as a case. */
export function caseOf(
  id: string,
  parts: readonly { readonly name: string; readonly error: number; readonly tolerance: number }[],
): GoldenCase {
  const bad = parts.filter(({ error, tolerance }) => !(error <= tolerance));
  const detail = (bad.length > 0 ? bad : parts).map(
    ({ name, error, tolerance }) => `${name} ${error.toExponential(1)}${bad.length > 0 ? ` > ${tolerance}` : ''}`,
  );
  return {
    id,
    passed: parts.length > 0 && bad.length === 0,
    detail: parts.length > 0 ? detail.join(', ') : 'nothing was compared',
    error: Math.max(0, ...parts.map(({ error }) => error)),
  };
}
