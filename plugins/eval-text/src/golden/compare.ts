/** Numbers of golden rows beside ours. */

import { relativeError, type GoldenCase } from '@heddle/core/testing/golden';

/** The tolerance on scores. */
const tolerance = 1e-9;

export type Row = Readonly<Record<string, unknown>>;

export interface Part {
  readonly name: string;
  /** Numbers are compared within the tolerance, all else exactly. */
  readonly expected: unknown;
  readonly found: unknown;
  /** Digits that the reference printed: then ours is rounded to them, and exactly that is expected. */
  readonly digits?: number;
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every(one => typeof one === 'number');

/** One case of several comparisons. */
export function caseFrom(id: string, parts: readonly Part[]): GoldenCase {
  const wrong: string[] = [];
  let worst = 0;
  for (const { name, expected, found, digits } of parts) {
    const [a, b] = [expected, found].map(value => (typeof value === 'number' ? [value] : value));
    if (isNumbers(a) && isNumbers(b)) {
      const shown = digits === undefined ? b : b.map(value => Number(value.toFixed(digits)));
      const error = relativeError(a, shown);
      worst = Math.max(worst, error);
      if (!(error <= tolerance)) wrong.push(`${name}: expected ${a.join(' ')}, received ${b.join(' ')}`);
    } else if (JSON.stringify(a) !== JSON.stringify(b)) {
      worst = Infinity;
      wrong.push(`${name}: expected ${JSON.stringify(a)}, received ${JSON.stringify(b)}`);
    }
  }
  return {
    id,
    passed: parts.length > 0 && wrong.length === 0,
    detail:
      parts.length === 0
        ? 'nothing was compared'
        : (wrong.length > 0 ? wrong : parts.map(({ name }) => name)).join('; '),
    error: worst,
  };
}

/** Rows of a JSON list or of JSON lines. */
export function rowsOf(text: string, name: string): readonly Row[] {
  if (!name.endsWith('.jsonl')) {
    const json = JSON.parse(text) as Row | readonly Row[];
    return Array.isArray(json) ? (json as readonly Row[]) : [json as Row];
  }
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => JSON.parse(line) as Row);
}

/** Whether a file's name begins with this stem; what follows differs between sets. */
export const startsWith = (name: string, stem: string): boolean =>
  name === stem || (name.startsWith(stem) && /^[-_.\d]/.test(name.slice(stem.length)));
