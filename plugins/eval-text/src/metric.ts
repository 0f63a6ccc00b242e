/**
 * A metric of a corpus: each segment gives a few numbers, the numbers add up, and the sum has a score. So a corpus
 * need not be kept, and resampling needs only sums.
 */

export interface Score {
  /** As sacreBLEU calls it: `BLEU`, `chrF2++`, `TER`. */
  readonly name: string;
  readonly score: number;
  /** What stands behind the number in a line of results; empty where there is nothing more to say. */
  readonly verbose: string;
}

/** What a signature says beside the metric's own options. */
export interface SignatureFacts {
  /** References of each segment; `var` where segments differ. */
  readonly references: number | 'var';
  /** Bootstrap resamples. */
  readonly bootstrap?: number | undefined;
  /** Trials of approximate randomisation. */
  readonly randomisations?: number | undefined;
  readonly seed?: number | undefined;
}

/** One segment's references, read once for any number of hypotheses. */
export interface PreparedReferences {
  /** Writes `width` numbers from `into[at]` on. */
  compare(hypothesis: string, into: Float64Array, at: number): void;
}

export interface CorpusMetric<S extends Score = Score> {
  /** Of its scores. */
  readonly name: string;
  readonly higherIsBetter: boolean;
  /** Numbers of one segment. */
  readonly width: number;
  /** Resampled statistics are added in float32, as sacreBLEU's are; others in double. */
  readonly single?: boolean | undefined;
  /** Tokenises ahead, for tokenisers whose calls are dear. */
  readonly warm?: ((lines: readonly string[]) => void) | undefined;
  references(texts: readonly string[]): PreparedReferences;
  /**
   * @param sums added over segments
   * @param single the sums are float32, as in sacreBLEU's resampling: quotients of two of them are rounded to it
   */
  score(sums: ArrayLike<number>, single?: boolean): S;
  signature(facts: SignatureFacts): string;
}

/** sacreBLEU's version whose numbers and signatures these are. */
export const sacrebleuVersion = '2.6.0';

/** `nrefs:1|case:mixed|…|version:2.6.0`; metrics that sacreBLEU lacks say after whom they are instead. */
export function signatureOf(
  { references, bootstrap, randomisations, seed }: SignatureFacts,
  own: Readonly<Record<string, string | number>>,
  origin: Readonly<Record<string, string>> = { version: sacrebleuVersion },
): string {
  const facts: Readonly<Record<string, string | number | undefined>> = {
    nrefs: references,
    bs: bootstrap,
    ar: randomisations,
    seed,
    ...own,
    ...origin,
  };
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}:${value}`)
    .join('|');
}
