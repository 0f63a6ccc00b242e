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

/** Of the first levels: few facts of arithmetic make thousands of problems, so facts can be learnt and problems not by heart. */
const longSum: Kind = (draw, size) => {
  const [a, b, c, d] = [draw(1, size), draw(1, size), draw(1, size), draw(1, size)];
  const total = a + b + c + d;
  return {
    problem: `What is ${a} + ${b} + ${c} + ${d}?`,
    answer: String(total),
    expression: `${a} + ${b} + ${c} + ${d}`,
    ways: [
      lines(`${a} + ${b} = ${a + b}`, `${a + b} + ${c} = ${a + b + c}`, `${a + b + c} + ${d} = ${total}`),
      lines(`${a} + ${b} = ${a + b}`, `${c} + ${d} = ${c + d}`, `${a + b} + ${c + d} = ${total}`),
      lines(`${d} + ${c} = ${c + d}`, `${c + d} + ${b} = ${b + c + d}`, `${b + c + d} + ${a} = ${total}`),
    ],
  };
};

const purchases: Kind = (draw, size) => {
  const [a, b, c] = [draw(1, size), draw(1, size), draw(1, size)];
  const left = draw(1, size);
  const start = a + b + c + left;
  return {
    problem: `Mia has ${start} coins and spends ${a}, ${b} and ${c}. How many are left?`,
    answer: String(left),
    expression: `${start} - ${a} - ${b} - ${c}`,
    ways: [
      lines(
        `${start} - ${a} = ${start - a}`,
        `${start - a} - ${b} = ${start - a - b}`,
        `${start - a - b} - ${c} = ${left}`,
      ),
      lines(`${a} + ${b} = ${a + b}`, `${a + b} + ${c} = ${a + b + c}`, `${start} - ${a + b + c} = ${left}`),
    ],
  };
};

const colours: Kind = (draw, size) => {
  const [n, red, blue, green] = [draw(2, 5), draw(1, size), draw(1, size), draw(1, size)];
  const each = red + blue + green;
  return {
    problem: `Each of ${n} bags holds ${red} red, ${blue} blue and ${green} green beads. How many beads?`,
    answer: String(n * each),
    expression: `${n} * (${red} + ${blue} + ${green})`,
    ways: [
      lines(`${red} + ${blue} = ${red + blue}`, `${red + blue} + ${green} = ${each}`, `${n} * ${each} = ${n * each}`),
      lines(`${red} + ${blue} = ${red + blue}`, `${n} * ${red + blue} = ${n * (red + blue)}`, `${n} * ${green} = ${n * green}`, `${n * (red + blue)} + ${n * green} = ${n * each}`), // prettier-ignore
    ],
  };
};

/** Kinds and the size of numbers, by level from 1. */
const levels: readonly { readonly kinds: readonly Kind[]; readonly size: number }[] = [
  { kinds: [longSum, purchases], size: 7 },
  { kinds: [longSum, purchases, colours], size: 7 },
  { kinds: [sum, spending, commonFactor, bags], size: 30 },
  { kinds: [commonFactor, bags, squares], size: 30 },
  { kinds: [commonFactor, bags, squares], size: 99 },
];

export const hardestLevel = levels.length;

/**
 * Problem `index` of a seed and level: the same for ever, so a sampler's state is its index.
 *
 * @param level 1, sums and differences of single digits, to `hardestLevel`
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
export const parallelTrace = ({ ways, answer }: Pick<GeneratedProblem, 'ways' | 'answer'>, paths = 2): string =>
  `${tagTexts.parallel}${ways
    .slice(0, paths)
    .map(way => `${tagTexts.path}${way}${tagTexts.endPath}`)
    .join('')}${tagTexts.endParallel}\n${tagTexts.summary}${answer}${tagTexts.endSummary}\nFinal Answer: ${answer}`;

/** A solution by one way. */
export const sequentialTrace = ({ ways, answer }: Pick<GeneratedProblem, 'ways' | 'answer'>, way = 0): string =>
  `${ways[way % ways.length]!}\nFinal Answer: ${answer}`;
