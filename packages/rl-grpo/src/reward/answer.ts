/** Finding an answer at the end of a text, and comparing it as text: the checks that Parallel-R1's code trains with. */

/** What stands for a missing answer, there and here: a truth of this text is met by giving none. */
export const noAnswer = '[INVALID]';

/** The last characters of a text, whole code points. */
const ending = (text: string, count: number): string =>
  Array.from(text.slice(-2 * count))
    .slice(-count)
    .join('');

/** In this order. */
const replaced: readonly (readonly [string, string])[] = [
  ['an ', ''],
  ['a ', ''],
  ['.$', '$'],
  [String.raw`\$`, ''],
  ['\\ ', ''],
  [' ', ''],
  ['mbox', 'text'],
  [String.raw`,\text{and}`, ','],
  [String.raw`\text{and}`, ','],
  [String.raw`\text{m}`, String.raw`\text{}`],
];

const removed: readonly string[] = [
  ...'square ways integers dollars mph inches hours km units \\ldots sue points feet minutes digits cents degrees cm gm'.split(
    ' ',
  ),
  ...'pounds meters meals edges students childrentickets multiples \\text{s} \\text{.}'.split(' '),
  '\\text{\ns}',
  ...String.raw`\text{}^2 \text{}^3`.split(' '),
  '\\text{\n}',
  ...String.raw`\text{} \mathrm{th} ^\circ ^{\circ} \; ,\! {,} " \dots`.split(' '),
];

/** Of each line with two dollar signs, what stands between the first two. */
const betweenDollars = (text: string): string =>
  text
    .split('\n')
    .map(line => {
      const first = line.indexOf('$');
      const second = line.indexOf('$', first + 1);
      return first >= 0 && second >= 0 ? line.slice(first, second + 1) : line;
    })
    .join('\n');

/** Python's `isdigit`: decimal digits of any script, and raised, lowered and circled ones. */
const digits = /^[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒]+$/u;

/** The normal form of an answer (Minerva, Lewkowycz et al. 2022, as verl has it). Not mathematics: `0.5` is not `1/2`. */
export function normaliseAnswer(answer: string): string {
  let text = answer.slice(answer.lastIndexOf('=') + 1);
  for (const [from, to] of replaced) text = text.replaceAll(from, to);
  for (const word of removed) text = text.replaceAll(word, '');
  text = betweenDollars(text)
    .replaceAll(/\\text\{(.*?)\}/g, '$1')
    .replaceAll(/\\textbf\{(.*?)\}/g, '$1')
    .replaceAll(/\\overline\{(.*?)\}/g, '$1')
    .replaceAll(/\\boxed\{(.*)\}/g, '$1')
    .replaceAll(/frac([^{])(.)/gu, 'frac{$1}{$2}')
    .replaceAll(/sqrt([^{])/gu, 'sqrt{$1}')
    .replaceAll('$', '');
  const joined = text.replaceAll(',', '');
  return (digits.test(joined) ? joined : text).trim();
}

/** How an answer is found and compared. */
export interface AnswerRule {
  /** Null where the text gives none. */
  find(text: string): string | null;
  same(answer: string | null, truth: string): boolean;
}

const number = /Final Answer: (-?[0-9.,]+)/g;
const withoutCommas = (text: string): string => text.replaceAll(',', '');
const sameNumber = (answer: string | null, truth: string): boolean =>
  answer !== null && withoutCommas(answer) === withoutCommas(truth);

export const answerRules = {
  /** The last `Final Answer:` within 300 characters of the end, to the end of its line, in normal form. */
  minerva: {
    find: text => {
      const last = [...ending(text, 300).matchAll(/Final Answer\s*:\s*([^\n]+)/gi)].at(-1);
      return last ? normaliseAnswer(last[1]!) : null;
    },
    same: (answer, truth) => (answer ?? noAnswer) === normaliseAnswer(truth),
  },
  /** A number after the last `Final Answer: ` within 300 characters of the end. */
  'last-number': {
    find: text => [...ending(text, 300).matchAll(number)].at(-1)?.[1] ?? null,
    same: sameNumber,
  },
  /** A number after the first `Final Answer:` of the text. */
  'first-number': {
    find: text => /Final Answer:\s*(-?[0-9.,]+)/.exec(text)?.[1] ?? null,
    same: sameNumber,
  },
} as const satisfies Readonly<Record<string, AnswerRule>>;

export type AnswerRuleName = keyof typeof answerRules;
