/** Grades an answer against a reference and says why. */

import { defaultLimits, openBudget, stopOf, type Limits } from './budget.js';
import { canonicalReading } from './equal/canonical.js';
import {
  defaultCompareOptions,
  sameReading,
  squeezed,
  type CompareOptions,
  type Context,
  type RuleId,
} from './equal/compare.js';
import {
  defaultExtractOptions,
  extract,
  type ExtractOptions,
  type Extraction,
  type Target,
} from './extract/extract.js';
import { read, type Reading } from './read/reading.js';
import type { Node } from './tree.js';

export interface GradeOptions {
  readonly extract?: Partial<ExtractOptions>;
  readonly compare?: Partial<CompareOptions>;
  readonly limits?: Partial<Limits>;
  /** Whether words can be an answer (default); otherwise they count as not read. */
  readonly words?: boolean;
  /** `text`: the answer has to be found in it first (default); `answer`: it is the answer and nothing else. */
  readonly answerIs?: 'text' | 'answer';
  /**
   * Asked where the rules cannot tell: a computer-algebra system, for instance. null where it cannot tell either. It must
   * be as symmetric and as deterministic as the verdict shall be, and keeps its own budget.
   */
  readonly deepEquality?: (gold: DeepSide, answer: DeepSide) => boolean | null;
}

/** A side that was read: for systems that take trees, and for those that read LaTeX themselves. */
export interface DeepSide {
  readonly text: string;
  readonly node: Node;
}

export type VerdictName = 'correct' | 'incorrect' | 'unparsed' | 'undecided';

/** Where the verdict fell: no answer found, one side not readable, or in the comparison. */
export type Stage = 'extract-gold' | 'extract-answer' | 'read-gold' | 'read-answer' | 'compare';

export interface Side {
  /** What was compared. */
  readonly text: string;
  /** How it was found; null where nothing was. */
  readonly how: Target | null;
  readonly node: Node | null;
}

export interface MathVerdict {
  readonly verdict: VerdictName;
  readonly stage: Stage;
  /** Ids of the rules that were needed, in order. */
  readonly rules: readonly RuleId[];
  readonly gold: Side;
  readonly answer: Side;
  /** The answer in normal form, equal for equal answers as far as that reaches; null where it was not read. */
  readonly canonical: string | null;
  /** A sentence for people. */
  readonly reason: string;
}

interface Prepared {
  readonly extract: ExtractOptions;
  readonly compare: CompareOptions;
  readonly limits: Limits;
}

const prepare = (options: GradeOptions): Prepared => ({
  extract: options.extract ? { ...defaultExtractOptions, ...options.extract } : defaultExtractOptions,
  compare: options.compare ? { ...defaultCompareOptions, ...options.compare } : defaultCompareOptions,
  limits: options.limits ? { ...defaultLimits, ...options.limits } : defaultLimits,
});

const missing: Side = { text: '', how: null, node: null };

/**
 * @param gold the reference: an answer, or a text that holds one
 * @param answer what a model wrote
 * @returns a verdict; never throws for any two strings, and takes bounded time and memory for each
 */
export function grade(gold: string, answer: string, options: GradeOptions = {}): MathVerdict {
  const prepared = prepare(options);
  let foundGold = referenceIn(gold, prepared.extract);
  if (foundGold === null) return failed('unparsed', 'extract-gold', missing, missing, 'The reference holds no answer.');
  const goldSide: Side = { text: foundGold.text, how: foundGold.how, node: null };
  const foundAnswer =
    options.answerIs === 'answer'
      ? answer.trim() === ''
        ? null
        : { text: answer, how: 'whole' as const, plain: false }
      : extract(answer, prepared.extract);
  if (foundAnswer === null)
    return failed('unparsed', 'extract-answer', goldSide, missing, 'No answer was found in the text.');
  // Who repeats the reference word for word has it right, even where it is a sentence that we would take apart.
  if (foundGold.text !== foundAnswer.text && squeezed(gold) === squeezed(foundAnswer.text))
    foundGold = { text: foundAnswer.text, how: 'whole', plain: foundAnswer.plain };

  // A budget each, so that a reference is read the same whatever it is compared with.
  const goldReading = readSafely(
    foundGold.text,
    prepared.limits,
    foundGold.plain && !prepared.extract.order.includes('math'),
  );
  const answerReading =
    foundAnswer.text === foundGold.text && foundAnswer.plain === foundGold.plain
      ? goldReading
      : readSafely(
          foundAnswer.text,
          prepared.limits,
          (foundAnswer.how === 'number' || foundAnswer.how === 'whole') &&
            foundAnswer.plain &&
            (foundAnswer.how === 'number' || !prepared.extract.order.includes('math')),
        );
  const sides =
    options.words === false
      ? ([goldReading, answerReading].map(withoutWords) as [Reading, Reading])
      : ([goldReading, answerReading] as const);
  return compareReadings(...sides, { gold: foundGold.how, answer: foundAnswer.how }, prepared, options.deepEquality);
}

/** A reference is an answer more often than a text: a sentence without any announcement is compared as a sentence. */
function referenceIn(gold: string, options: ExtractOptions): Extraction | null {
  const order = options.order.filter(target => target !== 'number' || !options.order.includes('whole'));
  const found = extract(gold, { ...options, order, reasoningRequired: false });
  if (found !== null || order.length === options.order.length) return found;
  const text = gold.trim();
  const whole: Extraction | null = text !== '' && text.length <= 600 ? { text, how: 'whole', plain: false } : null;
  if (whole !== null && text.split(/\s+/).length > 4) return whole;
  return extract(gold, { ...options, order: ['number'], reasoningRequired: false }) ?? whole;
}

/** Compares two answers that were found already. */
export const gradeAnswer = (gold: string, answer: string, options: GradeOptions = {}): MathVerdict =>
  grade(gold, answer, { ...options, answerIs: 'answer' });

const withoutWords = (reading: Reading): Reading => ({
  ...reading,
  words: null,
  ...(reading.node?.kind === 'text' || (reading.words !== null && reading.words.length > 4)
    ? { node: null, stop: { stop: 'unparsed', what: 'mathematics', at: 0 } }
    : {}),
});

function readSafely(text: string, limits: Limits, decimalComma: boolean): Reading {
  try {
    return read(text, openBudget(limits), { decimalComma });
  } catch (error) {
    return { text, node: null, stop: stopOf(error), words: null };
  }
}

function compareReadings(
  gold: Reading,
  answer: Reading,
  how: { readonly gold: Target | null; readonly answer: Target | null },
  { compare, limits }: Prepared,
  deep: GradeOptions['deepEquality'],
): MathVerdict {
  const goldSide: Side = { text: gold.text, how: how.gold, node: gold.node };
  const answerSide: Side = { text: answer.text, how: how.answer, node: answer.node };
  const context: Context = { budget: openBudget(limits), options: compare, rules: new Set() };
  const verdict = (name: VerdictName, stage: Stage, reason: string): MathVerdict =>
    withCanonical(
      { verdict: name, stage, rules: [...context.rules], gold: goldSide, answer: answerSide, canonical: null, reason },
      () => canonicalReading(answer, openBudget(limits)),
    );
  for (const [side, reading, stage] of [
    ['reference', gold, 'read-gold'],
    ['answer', answer, 'read-answer'],
  ] as const) {
    if (reading.node !== null || reading.words !== null || gold.text === answer.text) continue;
    if (reading.stop?.stop === 'budget')
      return verdict(
        'undecided',
        stage,
        `Undecided: reading the ${side} goes beyond the budget of ${reading.stop.what}.`,
      );
    return verdict(
      'unparsed',
      stage,
      `The ${side} ${quoted(reading.text)} cannot be read: expected ${reading.stop?.what ?? 'mathematics'}${reading.stop && reading.stop.at >= 0 ? ` at character ${reading.stop.at + 1}` : ''}.`,
    );
  }
  let found: boolean | null;
  let limit: string | null = null;
  try {
    found = sameReading(gold, answer, context);
  } catch (error) {
    limit = stopOf(error).what;
    found = null;
  }
  if (found === null && deep && gold.node && answer.node) {
    found = deep({ text: gold.text, node: gold.node }, { text: answer.text, node: answer.node });
    if (found !== null) context.rules.add('deep-equality');
  }
  const both = `${quoted(answer.text)} and the reference ${quoted(gold.text)}`;
  if (found === null)
    return verdict(
      'undecided',
      'compare',
      limit === null
        ? `Undecided: no rule tells whether ${both} are equal.`
        : `Undecided: comparing ${both} goes beyond the budget of ${limit}.`,
    );
  const by = [...context.rules].map(rule => sentences[rule]).filter(text => text !== '');
  const because = by.length > 0 ? `: ${by.join('; ')}` : '';
  return found
    ? verdict(
        'correct',
        'compare',
        `${quoted(answer.text)} is the same as the reference ${quoted(gold.text)}${because}.`,
      )
    : verdict(
        'incorrect',
        'compare',
        `${quoted(answer.text)} differs from the reference ${quoted(gold.text)}${because}.`,
      );
}

/** The normal form is worked out when somebody looks at it, once; to JSON and other threads it goes like any field. */
function withCanonical(verdict: MathVerdict, canonical: () => string): MathVerdict {
  let known: string | null = null;
  return Object.defineProperty(verdict, 'canonical', { enumerable: true, get: () => (known ??= canonical()) });
}

function failed(verdict: VerdictName, stage: Stage, gold: Side, answer: Side, reason: string): MathVerdict {
  return { verdict, stage, rules: [], gold, answer, canonical: null, reason };
}

/** Long texts are cut, so that a sentence stays one. */
function quoted(text: string): string {
  const flat = /\s\s|[\n\t]/.test(text) ? text.replace(/\s+/g, ' ') : text;
  return `'${flat.length > 80 ? `${flat.slice(0, 77)}…` : flat}'`;
}

/** What each rule says, in a few words. */
export const sentences: Readonly<Record<RuleId, string>> = {
  'same-text': 'the texts agree',
  'normal-form': 'compared by exact normal forms',
  numeric: 'compared by their values at fixed points',
  'rounded-decimal': 'a decimal that the exact value rounds to',
  words: 'compared as words',
  'words-meaning': 'words that mean the same',
  assignment: 'the value of an assignment',
  'chain-value': 'the last value of a chain of equations',
  'approximate-value': 'the value after ≈',
  'equation-multiple': 'equations up to a factor',
  'inequality-multiple': 'inequalities up to a factor',
  'inequality-interval': 'inequalities as sets of numbers',
  'set-union': 'sets of numbers',
  membership: 'the set that the name is an element of',
  'unordered-list': 'the order of a list does not count',
  'list-as-set': 'a list stands for a set',
  'set-elements': 'sets, element by element',
  'tuple-elements': 'tuples, element by element',
  'bare-tuple': 'a tuple without its brackets',
  'vector-notation': 'a vector in another notation',
  'matrix-elements': 'matrices, element by element',
  'plus-minus': '± stands for two values',
  'unit-left-out': 'one side has no unit',
  'unit-converted': 'units were converted',
  'unit-differs': 'the units measure different things',
  'percent-left-out': 'the percent sign was left out',
  'base-left-out': 'the base was left out',
  'degree-left-out': 'the degree sign was left out',
  'degree-radian': 'degrees as radians',
  'ratio-multiple': 'ratios up to a factor',
  'piecewise-cases': 'case by case',
  structure: 'compared part by part',
  'name-differs': 'the names differ',
  'length-differs': 'the numbers of parts differ',
  'kind-differs': 'they are of different kinds',
  'brackets-differ': 'the brackets differ',
  'deep-equality': 'decided by the algebra system that was plugged in',
  renamed: 'equal up to the names of variables',
  clock: 'compared as times of day',
};

/** The normal form of an answer; null where it cannot be read. */
export function canonicalForm(answer: string, options: GradeOptions = {}): string | null {
  const prepared = prepare(options);
  const found = options.answerIs === 'answer' ? { text: answer } : extract(answer, prepared.extract);
  if (found === null) return null;
  const reading = readSafely(found.text, prepared.limits, false);
  return reading.node === null && reading.words === null
    ? null
    : canonicalReading(reading, openBudget(prepared.limits));
}
