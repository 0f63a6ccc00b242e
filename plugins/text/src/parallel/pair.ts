/** Parallel text: what a model reads and what it should write. */

/** One example of a sequence-to-sequence task: a sentence and its translation, a text and its summary. */
export interface Pair {
  readonly source: string;
  readonly target: string;
  /**
   * What it is a version of, where that is not the source itself: the message of a catalog. Pairs of one key stay on
   * one side when some are held out.
   */
  readonly key?: string;
  /** For messages: `corpus.tsv line 12`. */
  readonly where?: string;
}

/** Why examples were left out, and how many of each: nothing is dropped in silence. */
export interface Dropped {
  /** In words: `empty`, `too long`. */
  readonly reason: string;
  readonly count: number;
  /** Where the first one stood: `corpus.tsv line 12`. */
  readonly first: string;
}

export interface PairReading {
  readonly pairs: readonly Pair[];
  /** Examples looked at: `pairs.length` and all that was dropped. */
  readonly seen: number;
  readonly dropped: readonly Dropped[];
}

/** Counts what is dropped while a corpus is read. */
export interface DropCount {
  drop(reason: string, where: string): void;
  /** The most frequent reason first. */
  take(): readonly Dropped[];
}

export function dropCount(): DropCount {
  const counts = new Map<string, { count: number; readonly first: string }>();
  return {
    drop(reason, where) {
      const known = counts.get(reason);
      if (known) known.count++;
      else counts.set(reason, { count: 1, first: where });
    },
    take: () => byCount([...counts].map(([reason, { count, first }]) => ({ reason, count, first }))),
  };
}

/** What several steps dropped, the most frequent reason first. */
export const byCount = (...dropped: readonly (readonly Dropped[])[]): readonly Dropped[] =>
  dropped.flat().sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));

/** One line for people: `12 of 100 dropped: 9 empty (first: a.tsv line 3), 3 duplicate (first: …)`. */
export function describeDropped({ seen, pairs, dropped }: PairReading): string {
  const reasons = dropped.map(({ reason, count, first }) => `${count} ${reason} (first: ${first})`).join(', ');
  return `${seen - pairs.length} of ${seen} dropped${reasons === '' ? '' : `: ${reasons}`}`;
}
