/** Values of options. */

import { fail, type CommandCall } from '@heddle/core';

export interface NumberRule {
  readonly least: number;
  readonly most: number;
  readonly whole?: boolean;
}

/** @returns undefined where it was not given @throws E_OPTION */
export function numberOption(
  options: CommandCall['options'],
  name: string,
  { least, most, whole = true }: NumberRule,
): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  return number >= least && number <= most && (!whole || Number.isSafeInteger(number))
    ? number
    : fail(
        'E_OPTION',
        `${name}: expected a ${whole ? 'whole ' : ''}number from ${least} to ${most}, received ${JSON.stringify(value)}. Correct the option.`,
        { name, value },
      );
}

export const textOption = (options: CommandCall['options'], name: string): string | undefined => {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};
