/** Numbers from the command line. */

import { fail } from '@heddle/core';

export interface NumberRule {
  readonly least: number;
  readonly most?: number;
  readonly whole?: boolean;
  readonly default: number;
}

/**
 * @param options as commander gives them: text, or undefined
 * @throws E_OPTION
 */
export function numberOption(
  options: Readonly<Record<string, unknown>>,
  name: string,
  { least, most = Number.POSITIVE_INFINITY, whole = false, default: otherwise }: NumberRule,
): number {
  const value = options[name];
  if (value === undefined) return otherwise;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (
    typeof number === 'number' &&
    Number.isFinite(number) &&
    number >= least &&
    number <= most &&
    (!whole || Number.isSafeInteger(number))
  )
    return number;
  const range = most === Number.POSITIVE_INFINITY ? `from ${least} up` : `from ${least} to ${most}`;
  return fail(
    'E_OPTION',
    `${name}: expected a ${whole ? 'whole number' : 'number'} ${range}, received ${JSON.stringify(value)}. Correct the option.`,
    { name, value },
  );
}

/** @throws E_OPTION when it is missing or empty */
export function textOption(options: Readonly<Record<string, unknown>>, name: string, what: string): string {
  const value = options[name];
  return typeof value === 'string' && value !== ''
    ? value
    : fail('E_OPTION', `${name}: expected ${what}, received none. Give --${name}.`, { name });
}
