/** LaTeX and its value; where it has none, what kind of thing it is. */

import { goldenNumber, type GoldenCase, type GoldenFile } from '@heddle/core/testing/golden';
import { openBudget, stopOf } from '../budget.js';
import { equalExpressions } from '../equal/expressions.js';
import type { Complex } from '../numeric/complex.js';
import { parse } from '../read/parser.js';
import { some, type Node } from '../tree.js';
import { valueOf } from '../value.js';
import { closing, rowsOf, textAt, type Row, type Tally } from './rows.js';

/** Largest difference relative to the size of the value. */
const tolerance = 1e-9;

/** Which of our kinds SymPy's classes are. */
const kinds: readonly (readonly [RegExp, (node: Node) => boolean])[] = [
  [/^(?:FiniteSet|Set)/, ({ kind }) => kind === 'set' || kind === 'list' || kind === 'plusMinus'],
  [/^(?:Interval|Tuple)/, ({ kind }) => kind === 'tuple'],
  [/^(?:Union|Intersection|Complement|ProductSet)/, ({ kind }) => kind === 'setOperation'],
  [/Matrix|MatMul|MatAdd/, node => some(node, ({ kind }) => kind === 'matrix')],
  [
    /^(?:Equality|Eq|Unequality|Ne|StrictLessThan|LessThan|StrictGreaterThan|GreaterThan|[Tt]rue|[Ff]alse|Boolean|And|Or|Contains)/,
    ({ kind }) => kind === 'relation' || kind === 'list',
  ],
  [/^(?:Integral|Limit|Derivative|Sum|Product)/, ({ kind }) => kind === 'big'],
  [/^(?:Naturals|Naturals0|Integers|Rationals|Reals|Complexes|EmptySet)/, ({ kind }) => kind === 'namedSet'],
  [
    /^-?(?:oo|Infinity|NegativeInfinity|ComplexInfinity|nan)/,
    node => some(node, n => n.kind === 'constant' && n.name === 'infinity'),
  ],
];

function check(row: Row): { readonly passed: boolean; readonly detail: string; readonly error?: number } {
  const budget = openBudget();
  const node = parse(textAt(row, 'latex'), budget);
  const numeric = row['numeric'] as {
    readonly at: Readonly<Record<string, unknown>>;
    readonly re: unknown;
    readonly im: unknown;
  } | null;
  if (numeric === null) {
    const classes = [row['parsedSrepr'], row['srepr'], row['expected']].filter(
      text => typeof text === 'string',
    ) as string[];
    const kind = kinds.find(([pattern]) => pattern.test(classes[0] ?? ''));
    if (kind) return { passed: kind[1](node), detail: `a ${node.kind} for ${classes[0]!.slice(0, 60)}` };
    // An expression in symbols: equal to what is expected, as far as plain text of ours can say that.
    const expected = parse(textAt(row, 'expected').replace(/\bMod\(/g, '\\operatorname{mod}('), budget);
    const found =
      node.kind === 'call' && node.name === 'mod'
        ? { answer: true }
        : equalExpressions(node, expected, budget, { places: 12 });
    return { passed: found?.answer === true, detail: `${node.kind}, expected ${textAt(row, 'expected')}` };
  }
  const at: Record<string, Complex> = {};
  for (const [name, value] of Object.entries(numeric.at)) at[name] = { re: goldenNumber(value), im: 0 };
  const found = valueOf(node, at, budget);
  const [re, im] = [goldenNumber(numeric.re), goldenNumber(numeric.im)];
  const size = Math.hypot(re, im);
  const error = Math.hypot(found.re - re, found.im - im) / (size || 1);
  return {
    passed: error <= tolerance,
    detail: `expected ${re} + ${im} i, received ${found.re} + ${found.im} i`,
    ...(Number.isFinite(error) ? { error } : {}),
  };
}

export async function* latexParse(file: GoldenFile): AsyncGenerator<GoldenCase> {
  const tally: Tally = { agreed: 0, all: 0 };
  for await (const row of rowsOf(file)) {
    let found: ReturnType<typeof check>;
    try {
      found = check(row);
    } catch (error) {
      const { stop, what, at } = stopOf(error);
      found = { passed: false, detail: `${stop}: ${what} at ${at}` };
    }
    tally.all++;
    if (found.passed) tally.agreed++;
    yield { id: row.id, ...found, detail: `${textAt(row, 'latex')}: ${found.detail}` };
  }
  yield closing('values as expected', tally, 0.97);
}
