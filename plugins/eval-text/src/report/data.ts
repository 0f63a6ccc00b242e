/** What a report shows, as the plain data that its page carries. */

import type { Interval } from '../significance/resamples.js';

export interface ReportResult {
  readonly system: string;
  readonly metric: string;
  readonly score: number;
  readonly verbose: string;
  readonly signature: string | null;
  /** Of the difference from the first system; null where it was not tested. */
  readonly p: number | null;
  readonly interval: Interval | null;
}

export interface ReportMetric {
  readonly name: string;
  readonly higherIsBetter: boolean;
  /** By system, then by segment; rounded to four digits. */
  readonly scores: readonly (readonly number[])[];
}

export interface ReportData {
  readonly systems: readonly string[];
  readonly results: readonly ReportResult[];
  readonly metrics: readonly ReportMetric[];
  readonly segments: readonly {
    readonly source: string | null;
    readonly document: string | null;
    readonly references: readonly string[];
    readonly hypotheses: readonly string[];
  }[];
}
