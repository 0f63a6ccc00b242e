/** The reader by itself: text to tree, and the value of a tree. */

import { defaultLimits, openBudget, stopOf, type Limits } from './budget.js';
import { read } from './read/reading.js';
import { isNothing, type Complex } from './numeric/complex.js';
import type { Node } from './tree.js';
import { valueOf } from './value.js';

export type Read =
  | { readonly ok: true; readonly node: Node }
  /** `at` counts characters from 0; -1 where the budget ended. */
  | { readonly ok: false; readonly expected: string; readonly at: number };

/** LaTeX or plain text to a tree. Never throws. */
export function readMath(text: string, limits: Partial<Limits> = {}): Read {
  try {
    const { node, stop, words } = read(text, openBudget({ ...defaultLimits, ...limits }));
    if (node !== null) return { ok: true, node };
    if (words !== null) return { ok: true, node: { kind: 'text', text: words } };
    return { ok: false, expected: stop?.what ?? 'mathematics', at: stop?.at ?? 0 };
  } catch (error) {
    const { what, at } = stopOf(error);
    return { ok: false, expected: what, at };
  }
}

/**
 * The value of a tree.
 *
 * @param at values of its symbols, real or complex
 * @returns null where it has none, or none within the budget
 */
export function valueAt(node: Node, at: Readonly<Record<string, number | Complex>> = {}): Complex | null {
  const given = Object.fromEntries(
    Object.entries(at).map(([name, value]) => [name, typeof value === 'number' ? { re: value, im: 0 } : value]),
  );
  try {
    const found = valueOf(node, given, openBudget());
    return isNothing(found) ? null : found;
  } catch (error) {
    stopOf(error);
    return null;
  }
}
