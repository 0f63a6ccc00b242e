/** Options come from config files and command lines: look before believing. */

import { fail } from '@heddle/core';

export interface Rule {
  readonly what: string;
  readonly fits: (value: unknown) => boolean;
}

export const numeric: Rule = { what: 'a number', fits: value => typeof value === 'number' };
export const numericOrNull: Rule = {
  what: 'a number or null',
  fits: value => value === null || typeof value === 'number',
};
export const strings: Rule = {
  what: 'a string or a list of strings',
  fits: value => [value].flat().every(one => typeof one === 'string'),
};
export const tokenizerLike: Rule = {
  what: "'byte', a file, or a tokeniser",
  fits: value => (typeof value === 'string' || typeof value === 'object') && value !== null,
};
export const oneOf = (...values: readonly unknown[]): Rule => ({
  what: values.map(value => JSON.stringify(value)).join(' or '),
  fits: value => values.includes(value),
});

/**
 * @returns the options that are given
 * @throws E_OPTION for an option without a rule, one that its rule does not take, and one that is needed and missing
 */
export function checkOptions(
  thing: string,
  rules: Readonly<Record<string, Rule>>,
  options: Readonly<Record<string, unknown>>,
  needed: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  for (const [name, value] of Object.entries(options)) {
    const expected = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!expected)
      fail(
        'E_OPTION',
        `${thing}: expected one of ${Object.keys(rules).join(', ')}, received an option '${name}'. Correct its name or leave it out.`,
        { option: name },
      );
    if (value !== undefined && !expected.fits(value)) {
      fail(
        'E_OPTION',
        `${thing}: ${name}: expected ${expected.what}, received ${(JSON.stringify(value) ?? String(value)).slice(0, 60)}. Correct the option.`,
        { option: name },
      );
    }
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  for (const name of needed)
    if (!(name in given))
      fail('E_OPTION', `${thing}: ${name}: expected ${rules[name]!.what}, received nothing. Give it.`, {
        option: name,
      });
  return given;
}
