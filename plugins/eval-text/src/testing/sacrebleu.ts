/** What sacreBLEU 2.6.0 gives for a few texts of our own; `fixtures/make.py` writes the file. */

import { readFileSync } from 'node:fs';

export interface PairedFixture {
  readonly signature: string;
  readonly results: readonly {
    readonly score: number;
    readonly p: number | null;
    readonly mean: number;
    readonly halfWidth: number;
  }[];
}

export interface Fixture {
  readonly texts: readonly string[];
  readonly tokenized: Readonly<Record<string, readonly string[]>>;
  readonly hypotheses: readonly string[];
  readonly others: readonly string[];
  readonly references: readonly (readonly (string | null)[])[];
  readonly corpus: readonly {
    readonly metric: string;
    readonly references: number;
    readonly score: number;
    readonly formatted: string;
    readonly signature: string;
  }[];
  readonly sentences: readonly { readonly bleu: number; readonly chrf: number; readonly ter: number }[];
  readonly paired: Readonly<Record<'bs' | 'ar', Readonly<Record<string, PairedFixture>>>>;
}

export const sacrebleu = JSON.parse(
  readFileSync(new URL('../../fixtures/sacrebleu.json', import.meta.url), 'utf8'),
) as Fixture;
