/**
 * How much work one comparison may do. Counted in steps and bits, never in seconds: the same input gets the same verdict
 * on every machine, and nothing needs a timer that could not stop a long multiplication anyway.
 */

export interface Limits {
  /** Elementary steps: a token read, two terms multiplied, a function evaluated. */
  readonly steps: number;
  /** Bits of any exact integer. */
  readonly bits: number;
  /** Levels of nesting of the input. */
  readonly depth: number;
  /** Characters of one answer that is read as math. */
  readonly characters: number;
}

export const defaultLimits: Limits = { steps: 90_000, bits: 32_768, depth: 400, characters: 4_000 };

export interface Budget {
  readonly limits: Limits;
  left: number;
}

export const openBudget = (limits: Limits = defaultLimits): Budget => ({ limits, left: limits.steps });

/** What is thrown inside when work would go beyond a limit, and caught where a verdict is made. Without a stack: cheap. */
export interface Stop {
  readonly stop: 'budget' | 'unparsed';
  /** Which limit, or what was expected. */
  readonly what: string;
  /** Where in the text that was read; -1 where that means nothing. */
  readonly at: number;
}

export const isStop = (error: unknown): error is Stop =>
  typeof error === 'object' && error !== null && typeof (error as Stop).stop === 'string';

/**
 * What any failure means for a verdict. Beyond our own stops only two things can happen, both of them limits of the
 * machine: the stack, and the length of a text or a number.
 *
 * @throws the error itself where it is a fault of ours
 */
export function stopOf(error: unknown): Stop {
  if (isStop(error)) return error;
  if (error instanceof RangeError) return { stop: 'budget', what: 'depth', at: -1 };
  throw error;
}

/** @throws Stop */
export function overBudget(what: string): never {
  throw { stop: 'budget', what, at: -1 } satisfies Stop;
}

/** @throws Stop */
export function unparsed(what: string, at: number): never {
  throw { stop: 'unparsed', what, at } satisfies Stop;
}

/** @throws Stop when the steps are used up */
export function spend(budget: Budget, steps = 1): void {
  budget.left -= steps;
  if (budget.left < 0) overBudget('steps');
}
