/** Golden files of the kind `math-grading`, and metrics of the kind `parallel-r1`. */

import type { GoldenCase, GoldenFile, GoldenKind } from '@heddle/core/testing/golden';
import { answerPairs } from './answer-pairs.js';
import { completions } from './completions.js';
import { latexParse } from './latex-parse.js';
import { mathGrading } from './math-grading.js';
import { parallelR1 } from './parallel-r1.js';

const families: readonly (readonly [RegExp, (file: GoldenFile) => AsyncIterable<GoldenCase>])[] = [
  [/^math-grading\b/, mathGrading],
  [/^answer-pairs\b/, answerPairs],
  [/^latex-parse\b/, latexParse],
  [/^(?:[\w.]+-)?completions\b/, completions],
];

const familyOf = (name: string): (typeof families)[number] | undefined => {
  const file = name.split('/').at(-1)!;
  return file.endsWith('.jsonl') ? families.find(([pattern]) => pattern.test(file)) : undefined;
};

export const kinds: readonly GoldenKind[] = [
  {
    name: 'math-grading',
    recognises: name => familyOf(name) !== undefined,
    check: file => familyOf(file.name)![1](file),
  },
  parallelR1,
];
