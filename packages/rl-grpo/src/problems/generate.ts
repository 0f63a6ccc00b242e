/** Arithmetic and word problems of graded difficulty, with exact answers and several ways to each. */

import { fail, streamOf, uniforms } from '@heddle/core';
import { tagTexts } from '../grammar/tags.js';

export interface Problem {
  readonly id: string;
  readonly problem: string;
  readonly answer: string;
}

export interface GeneratedProblem extends Problem {
  readonly level: number;
  /** What is to be worked out, in digits, `+ - *` and brackets. */
  readonly expression: string;
  /** Independent ways to the answer: lines of equations, the last one gives it. At least two. */
  readonly ways: readonly string[];
}

/** Whole numbers, both ends included. */
type Draw = (low: number, high: number) => number;
type Kind = (draw: Draw, size: number) => Omit<GeneratedProblem, 'id' | 'level'>;

const lines = (...equations: readonly string[]): string => equations.join('\n');

const sum: Kind = (draw, size) => {
  const [a, b, c] = [draw(2, size), draw(2, size), draw(2, size)];
  const total = a + b + c;
  return {
    problem: `What is ${a} + ${b} + ${c}?`,
    answer: String(total),
    expression: `${a} + ${b} + ${c}`,
    ways: [
      lines(`${a} + ${b} = ${a + b}`, `${a + b} + ${c} = ${total}`),
      lines(`${b} + ${c} = ${b + c}`, `${a} + ${b + c} = ${total}`),
      lines(`${a} + ${c} = ${a + c}`, `${a + c} + ${b} = ${total}`),
    ],
  };
};

const commonFactor: Kind = (draw, size) => {
  const [a, b, c] = [draw(2, 9), draw(2, size), draw(2, size)];
  const total = a * b + a * c;
  return {
    problem: `What is ${a} * ${b} + ${a} * ${c}?`,
    answer: String(total),
    expression: `${a} * ${b} + ${a} * ${c}`,
    ways: [
      lines(`${a} * ${b} = ${a * b}`, `${a} * ${c} = ${a * c}`, `${a * b} + ${a * c} = ${total}`),
      lines(`${b} + ${c} = ${b + c}`, `${a} * ${b + c} = ${total}`),
    ],
  };
};

const bags: Kind = (draw, size) => {
  const [n, red, blue] = [draw(2, 9), draw(2, size), draw(2, size)];
  const total = n * (red + blue);
  return {
    problem: `There are ${n} bags. Each bag holds ${red} red and ${blue} blue beads. How many beads are there?`,
    answer: String(total),
    expression: `${n} * (${red} + ${blue})`,
    ways: [
      lines(`${red} + ${blue} = ${red + blue}`, `${n} * ${red + blue} = ${total}`),
      lines(`${n} * ${red} = ${n * red}`, `${n} * ${blue} = ${n * blue}`, `${n * red} + ${n * blue} = ${total}`),
    ],
  };
};

const spending: Kind = (draw, size) => {
  const [first, second] = [draw(2, size), draw(2, size)];
  const start = first + second + draw(1, size);
  const left = start - first - second;
  return {
    problem: `Mia has ${start} coins. She spends ${first} on bread and ${second} on tea. How many coins are left?`,
    answer: String(left),
    expression: `${start} - ${first} - ${second}`,
    ways: [
      lines(`${start} - ${first} = ${start - first}`, `${start - first} - ${second} = ${left}`),
      lines(`${first} + ${second} = ${first + second}`, `${start} - ${first + second} = ${left}`),
    ],
  };
};

const squares: Kind = (draw, size) => {
  const small = draw(2, size);
  const large = small + draw(1, size);
  const [plus, minus] = [large + small, large - small];
  const difference = plus * minus;
  return {
    problem: `What is ${large} * ${large} - ${small} * ${small}?`,
    answer: String(difference),
    expression: `${large} * ${large} - ${small} * ${small}`,
    ways: [
      lines(
        `${large} * ${large} = ${large * large}`,
        `${small} * ${small} = ${small * small}`,
        `${large * large} - ${small * small} = ${difference}`,
      ),
      lines(`${large} + ${small} = ${plus}`, `${large} - ${small} = ${minus}`, `${plus} * ${minus} = ${difference}`),
    ],
  };
};

/** Kinds and the size of numbers, by level from 1. */
const levels: readonly { readonly kinds: readonly Kind[]; readonly size: number }[] = [
  { kinds: [sum, spending], size: 9 },
  { kinds: [sum, spending, commonFactor, bags], size: 9 },
  { kinds: [sum, spending, commonFactor, bags], size: 30 },
  { kinds: [commonFactor, bags, squares], size: 30 },
  { kinds: [commonFactor, bags, squares], size: 99 },
];

export const hardestLevel = levels.length;

/**
 * Problem `index` of a seed and level: the same for ever, so a sampler's state is its index.
 *
 * @param level 1, sums of single digits, to `hardestLevel`
 * @throws E_CONFIG for another level or index
 */
export function generateProblem(seed: number, index: number, level: number): GeneratedProblem {
  const chosen = levels[level - 1];
  if (!chosen || !Number.isSafeInteger(index) || index < 0)
    fail(
      'E_CONFIG',
      `generateProblem: expected a level from 1 to ${hardestLevel} and an index from 0, received ${level} and ${index}.`,
      { level, index },
    );
  const next = uniforms(seed, streamOf(`problems/${level}/${index}`));
  const draw: Draw = (low, high) => low + Math.floor(next() * (high - low + 1));
  const kind = chosen.kinds[draw(0, chosen.kinds.length - 1)]!;
  return { id: `generated/${seed}/${level}/${index}`, level, ...kind(draw, chosen.size) };
}

/** A solution that opens a block with these ways as its paths: cold-start data where there is no teacher. */
export const parallelTrace = ({ ways, answer }: GeneratedProblem, paths = 2): string =>
  `${tagTexts.parallel}${ways
    .slice(0, paths)
    .map(way => `${tagTexts.path}${way}${tagTexts.endPath}`)
    .join('')}${tagTexts.endParallel}\n${tagTexts.summary}${answer}${tagTexts.endSummary}\nFinal Answer: ${answer}`;

/** A solution by one way. */
export const sequentialTrace = ({ ways, answer }: GeneratedProblem, way = 0): string =>
  `${ways[way % ways.length]!}\nFinal Answer: ${answer}`;
