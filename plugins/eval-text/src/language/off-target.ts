/** How often a system answers in another language than asked. */

import { fail } from '@heddle/core';
import { identifier, type LanguageModel } from './model.js';

export interface OffTarget {
  /** Percent of the segments with letters. */
  readonly rate: number;
  readonly segments: number;
  /** Segments in which no language can be told: empty, numbers, or a script that the model was not shown. */
  readonly undecided: number;
  /** Segments by language, most first. */
  readonly languages: ReadonlyMap<string, number>;
  /** Which segments, counted from 0. */
  readonly wrong: readonly { readonly segment: number; readonly language: string; readonly probability: number }[];
}

/** @throws E_LANGUAGE where the model does not know the target */
export function offTarget(hypotheses: readonly string[], target: string, model: LanguageModel): OffTarget {
  if (!Object.hasOwn(model.languages, target))
    fail(
      'E_LANGUAGE',
      `offTarget: expected a target among ${Object.keys(model.languages).join(', ')}, received '${target}'. Train the model on text of it.`,
      { target },
    );
  const identify = identifier(model);
  const counts = new Map<string, number>();
  const wrong: { segment: number; language: string; probability: number }[] = [];
  let undecided = 0;
  for (const [segment, text] of hypotheses.entries()) {
    const { language, probability } = identify(text);
    if (language === null) undecided++;
    else {
      counts.set(language, (counts.get(language) ?? 0) + 1);
      if (language !== target) wrong.push({ segment, language, probability });
    }
  }
  const decided = hypotheses.length - undecided;
  return {
    rate: decided === 0 ? 0 : (100 * wrong.length) / decided,
    segments: hypotheses.length,
    undecided,
    languages: new Map([...counts].sort((a, b) => b[1] - a[1])),
    wrong,
  };
}
