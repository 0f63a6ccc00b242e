/** The value of an answer at given values of its symbols. */

import type { Budget } from './budget.js';
import { formOf, isNotAnExpression, openScope, valueOfForm } from './exact/form.js';
import { isNothing, nothing, type Complex } from './numeric/complex.js';
import { evaluate, type Assignment } from './numeric/evaluate.js';
import type { Node } from './tree.js';

/** NaN where there is none. Symbols without a value may cancel: 2y - y - y is 0. */
export function valueOf(node: Node, at: Assignment, budget: Budget): Complex {
  const direct = evaluate(node, at, budget);
  if (!isNothing(direct)) return direct;
  const scope = openScope(budget);
  try {
    return valueOfForm(formOf(node, scope), at, scope);
  } catch (error) {
    if (isNotAnExpression(error)) return nothing;
    throw error;
  }
}
