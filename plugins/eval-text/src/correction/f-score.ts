/** Precision, recall and F of counted edits. */

export interface EditScore {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  /** From 0 to 1; 1 where nothing was proposed. */
  readonly precision: number;
  /** From 0 to 1; 1 where there was nothing to find. */
  readonly recall: number;
  /** Weighted by beta: 0.5 counts precision twice as much as recall. */
  readonly f: number;
}

export function editScore(
  truePositives: number,
  falsePositives: number,
  falseNegatives: number,
  beta: number,
): EditScore {
  const precision = falsePositives > 0 ? truePositives / (truePositives + falsePositives) : 1;
  const recall = falseNegatives > 0 ? truePositives / (truePositives + falseNegatives) : 1;
  const weight = beta ** 2;
  const f = precision + recall > 0 ? ((1 + weight) * precision * recall) / (weight * precision + recall) : 0;
  return { truePositives, falsePositives, falseNegatives, precision, recall, f };
}
