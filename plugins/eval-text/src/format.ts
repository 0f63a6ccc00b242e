/** Scores as lines of text. */

import type { Score } from './metric.js';
import { fixed } from './text/decimal.js';

export interface FormatOptions {
  /** Digits after the point; default 2. */
  readonly width?: number;
  /** Put between the name and the number. */
  readonly signature?: string;
  /** The number alone. */
  readonly scoreOnly?: boolean;
  /** Mean of resamples and half the 95 % interval. */
  readonly confidence?: { readonly mean: number; readonly halfWidth: number };
}

/** `BLEU|nrefs:1|… = 40.2 (μ = 40.1 ± 0.9) 66.2/46.1/…`, as sacreBLEU writes it. */
export function formatScore(
  { name, score, verbose }: Score,
  { width = 2, signature = '', scoreOnly = false, confidence }: FormatOptions = {},
): string {
  const interval =
    confidence === undefined ? '' : ` (μ = ${fixed(confidence.mean, width)} ± ${fixed(confidence.halfWidth, width)})`;
  const shown = `${fixed(score, width)}${interval}`;
  if (scoreOnly) return shown;
  return `${name}${signature === '' ? '' : `|${signature}`} = ${shown}${verbose === '' ? '' : ` ${verbose}`}`;
}
