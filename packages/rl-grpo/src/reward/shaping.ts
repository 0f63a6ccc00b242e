/** Rewards of form alone: length, repetition, a thinking section. */

/**
 * DAPO's soft punishment of long answers: 0 up to `limit - margin` tokens, then falling evenly to -1 at the limit.
 *
 * @param length in tokens
 */
export const softOverlong = (length: number, limit: number, margin: number): number =>
  length <= limit - margin ? 0 : length > limit ? -1 : (limit - margin - length) / margin;

export interface CosineRange {
  /** Of right answers: at the limit, and of no length. */
  readonly correct?: readonly [number, number];
  /** Of wrong answers: at the limit, and of no length. */
  readonly wrong?: readonly [number, number];
}

/** A score that falls with length along half a cosine for right answers, and rises for wrong ones. */
export function cosineScaled(
  correct: boolean,
  length: number,
  limit: number,
  { correct: right = [0.5, 1], wrong = [-0.5, -1] }: CosineRange = {},
): number {
  const [end, start] = correct ? right : wrong;
  return end + 0.5 * (start - end) * (1 + Math.cos(Math.PI * Math.min(1, length / limit)));
}

/** Share of n-grams that repeat earlier ones, from 0. Texts shorter than n have none. */
export function repetition(tokens: readonly unknown[], n: number): number {
  const total = tokens.length - n + 1;
  if (total < 1) return 0;
  const seen = new Set(Array.from({ length: total }, (_, i) => JSON.stringify(tokens.slice(i, i + n))));
  return 1 - seen.size / total;
}

/** Whether a text is one `<think>` section, from its first character on, and an answer. */
export const hasThinkSection = (text: string): boolean =>
  text.startsWith('<think>') && text.lastIndexOf('<think>') === 0 && text.includes('</think>');
