/** Accuracy, F1 and the correlation of Matthews, all from one table of counts that adds up. */

import { fail } from '@heddle/core';

/** `counts[expected][predicted]`; plain data that adds up. */
export type Confusion = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** @throws E_ALIGN where numbers of labels differ */
export function confusion(predicted: readonly string[], expected: readonly string[]): Confusion {
  if (predicted.length !== expected.length)
    fail(
      'E_ALIGN',
      `confusion: expected ${expected.length} labels as in the reference, received ${predicted.length}. Give one for each sample.`,
      { expected: expected.length, received: predicted.length },
    );
  const counts = new Map<string, Map<string, number>>();
  for (const [i, label] of expected.entries()) {
    const row = counts.get(label) ?? new Map<string, number>();
    counts.set(label, row);
    row.set(predicted[i]!, (row.get(predicted[i]!) ?? 0) + 1);
  }
  // Labels may be called like properties of every object.
  return Object.fromEntries([...counts].map(([label, row]) => [label, Object.fromEntries(row)]));
}

export function addConfusions(left: Confusion, right: Confusion): Confusion {
  const entries = (table: Confusion): readonly (readonly [string, string, number])[] =>
    Object.entries(table).flatMap(([expected, row]) =>
      Object.entries(row).map(([predicted, n]) => [expected, predicted, n] as const),
    );
  const sums = new Map<string, Map<string, number>>();
  for (const [expected, predicted, n] of [...entries(left), ...entries(right)]) {
    const row = sums.get(expected) ?? new Map<string, number>();
    sums.set(expected, row.set(predicted, (row.get(predicted) ?? 0) + n));
  }
  return Object.fromEntries([...sums].map(([label, row]) => [label, Object.fromEntries(row)]));
}

export interface ClassScore {
  readonly label: string;
  /** Each from 0 to 1; 0 where it is not defined. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Samples of this class. */
  readonly support: number;
}

export interface ClassificationScores {
  readonly samples: number;
  readonly accuracy: number;
  /** Mean of the classes' F1, each class the same. */
  readonly macroF1: number;
  /** Mean of the classes' F1, by their support. */
  readonly weightedF1: number;
  /** Matthews' correlation, for any number of classes (Gorodkin 2004); -1 to 1, 0 where it is not defined. */
  readonly mcc: number;
  /** In the order of their names. */
  readonly classes: readonly ClassScore[];
}

/** All of a table's scores. Classes that are only predicted count in the macro mean, as in scikit-learn. */
export function classificationScores(table: Confusion): ClassificationScores {
  const labels = [...new Set([...Object.keys(table), ...Object.values(table).flatMap(row => Object.keys(row))])].sort();
  const at = new Map(labels.map((label, i) => [label, i]));
  const [support, predicted, right] = [labels, labels, labels].map(all => all.map(() => 0)) as [
    number[],
    number[],
    number[],
  ];
  for (const [expected, row] of Object.entries(table))
    for (const [label, n] of Object.entries(row)) {
      support[at.get(expected)!]! += n;
      predicted[at.get(label)!]! += n;
      if (label === expected) right[at.get(label)!]! += n;
    }
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const over = (a: number, b: number): number => (b === 0 ? 0 : a / b);
  const samples = sum(support);
  const correct = sum(right);
  const classes = labels.map((label, i): ClassScore => {
    const [precision, recall] = [over(right[i]!, predicted[i]!), over(right[i]!, support[i]!)];
    return { label, precision, recall, f1: over(2 * right[i]!, predicted[i]! + support[i]!), support: support[i]! };
  });
  const spread = (counts: readonly number[]): number => samples ** 2 - sum(counts.map(n => n * n));
  return {
    samples,
    accuracy: over(correct, samples),
    macroF1: over(sum(classes.map(({ f1 }) => f1)), classes.length),
    weightedF1: over(sum(classes.map(({ f1, support: n }) => f1 * n)), samples),
    mcc: over(
      correct * samples - sum(labels.map((_, i) => support[i]! * predicted[i]!)),
      Math.sqrt(spread(predicted)) * Math.sqrt(spread(support)),
    ),
    classes,
  };
}
