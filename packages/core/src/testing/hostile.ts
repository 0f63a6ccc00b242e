/** Texts that break what reads them: endless runs, nesting, half characters. */

/** What the text is made of, repeated to `size` characters, with an end that makes a backtracking pattern start over. */
export const hostileTexts = (size: number): readonly (readonly [what: string, text: string])[] =>
  seeds.map(([what, seed]) => [what, `${seed.repeat(Math.ceil(size / seed.length)).slice(0, size)}!`]);

const seeds: readonly (readonly [string, string])[] = [
  ['letters', 'a'],
  ['spaces', ' '],
  ['line breaks', '\n'],
  ['words', 'ab '],
  ['digits', '9'],
  ['points', '1.'],
  ['fractions', '1/'],
  ['commas', '1,'],
  ['signs', '-'],
  ['powers', '9^'],
  ['parentheses', '('],
  ['braces', '{'],
  ['closing braces', '}'],
  ['nested fractions', '\\frac{'],
  ['nested boxes', '\\boxed{'],
  ['backslashes', '\\'],
  ['dollars', '$'],
  ['tags', '<answer>'],
  ['closing tags', '</think>'],
  ['equal signs', 'x='],
  ['half characters', '\ud83d'],
  ['accents', 'e\u0301'],
  ['invisible marks', '\u200b'],
  ['zeros', '\u0000'],
];

/** Small at first: work that doubles with each character is seen at 24 characters, where it still ends. */
const sizes = [8, 16, 20, 24, 28, 32, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384];

/**
 * Feeds hostile texts of growing size and stops at the first that takes too long.
 *
 * @param budget milliseconds for one text
 * @param look called with each answer; gives what is wrong with it
 */
export async function withHostile<A>(
  answer: (text: string) => A | Promise<A>,
  budget: number,
  look: (answer: A) => readonly string[],
): Promise<readonly string[]> {
  for (const size of sizes) {
    for (const [what, text] of hostileTexts(size)) {
      const where = `${size} characters of ${what}`;
      let found: readonly string[];
      let took: number;
      try {
        const first = await timed(() => answer(text), budget);
        // A busy machine is not the code's fault: only what is slow twice is slow.
        took = first.took > budget ? Math.min(first.took, (await timed(() => answer(text), budget)).took) : first.took;
        found = first.ended ? look(first.answer) : [`no answer after ${patience * budget} ms`];
      } catch (error) {
        return [`${where}: throws ${error instanceof Error ? error.message : String(error)}`];
      }
      if (found.length > 0) return found.map(words => `${where}: ${words}`);
      if (took > budget) return [`${where}: took ${Math.round(took)} ms, allowed ${budget} ms`];
    }
  }
  return [];
}

/** Budgets to wait for an answer that does not come. */
const patience = 4;

type Timed<A> = { readonly took: number } & ({ readonly ended: true; readonly answer: A } | { readonly ended: false });

async function timed<A>(act: () => A | Promise<A>, budget: number): Promise<Timed<A>> {
  const start = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'late'>(resolve => (timer = setTimeout(() => resolve('late'), patience * budget)));
  try {
    const ended = await Promise.race([Promise.resolve(act()).then(answer => ({ answer })), late]);
    const took = performance.now() - start;
    return ended === 'late' ? { took, ended: false } : { took, ended: true, answer: ended.answer };
  } finally {
    clearTimeout(timer);
  }
}
