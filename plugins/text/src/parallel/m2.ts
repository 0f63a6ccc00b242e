/** Corrections in M2, the format of grammar correction (Dahlmeier and Ng 2012), as pairs. */

import { fail } from '@heddle/core';
import { linesOf, type NamedText } from '../json-lines.js';
import { dropCount, type Pair, type PairReading } from './pair.js';

/**
 * Each sentence with the edits of its first annotator. Sentences without edits are right as they are, and are kept; those
 * whose edits do not fit them (published corpora have some) are dropped and counted.
 *
 * @throws E_PAIRS for a line that is none of M2, by its number
 */
export function pairsFromM2({ name, text }: NamedText): PairReading {
  const pairs: Pair[] = [];
  const drops = dropCount();
  let seen = 0;
  let words: readonly string[] | null = null;
  let edits: { readonly from: number; readonly to: number; readonly by: string }[] = [];
  let annotator: string | null = null;
  let where = '';
  let misfit: string | null = null;

  const finish = (): void => {
    if (words === null) return;
    seen++;
    if (misfit !== null) drops.drop(misfit, where);
    else keep(words);
    [words, edits, annotator, misfit] = [null, [], null, null];
  };
  const keep = (own: readonly string[]): void => {
    const corrected = [...own];
    // From the end, so that places before stay right; of two at one place the later one first.
    for (const { from, to, by } of [...edits].sort((a, b) => a.from - b.from || a.to - b.to).reverse())
      corrected.splice(from, to - from, ...by.split(' ').filter(word => word !== ''));
    const [source, target] = [own.join(' '), corrected.join(' ')];
    if (source === '') drops.drop('empty source', where);
    else if (target === '') drops.drop('empty target', where);
    else pairs.push({ source, target, where });
  };

  for (const [at, line] of [...linesOf(text), ''].entries()) {
    const place = `${name} line ${at + 1}`;
    const refuse = (expected: string, received: string): never =>
      fail('E_PAIRS', `${place}: expected ${expected}, received ${received}. Mend the line, or take it out.`, {
        name,
        line: at + 1,
      });
    if (line.trim() === '') finish();
    else if (line.startsWith('S ') || line === 'S') {
      finish();
      words = line
        .slice(2)
        .split(' ')
        .filter(word => word !== '');
      where = place;
    } else {
      const edit = /^A (-?\d+) (-?\d+)\|\|\|([^|]*)\|\|\|(.*?)\|\|\|.*\|\|\|(\d+)$/.exec(line);
      if (!edit || words === null)
        return refuse(
          words === null ? "a sentence, 'S …'" : "an edit, 'A 0 1|||type|||words|||…|||0'",
          `'${line.slice(0, 40)}'`,
        );
      const [, begin, end, type, by, who] = edit as unknown as readonly [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      annotator ??= who;
      if (who !== annotator || type === 'noop') continue;
      const [from, to] = [Number(begin), Number(end)];
      const own: readonly string[] = words;
      if (from < 0 || to < from || to > own.length) misfit = 'edit outside its sentence';
      else if (edits.some(other => from < other.to && other.from < to)) misfit = 'edits over each other';
      edits.push({ from, to, by: by === '-NONE-' ? '' : by.split('||')[0]! });
    }
  }
  return { pairs, seen, dropped: drops.take() };
}
