import { HeddleError } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { failureJson, failureOf, failureText, missingPackage, usageFailure } from './failure.js';

describe('exit codes', () => {
  it('are 2 for what the command line alone makes wrong, 1 for the rest', () => {
    expect(usageFailure('no').exit).toBe(2);
    expect(failureOf(new HeddleError('E_OPTION', 'x'), false).exit).toBe(2);
    expect(failureOf(new HeddleError('E_FILE', 'x'), false).exit).toBe(1);
    expect(failureOf(new TypeError('x is not a function'), false)).toMatchObject({ code: 'E_UNEXPECTED', exit: 1 });
  });

  it('are 130 for what Ctrl-C broke off, and only then', () => {
    const aborted = new DOMException('aborted', 'AbortError');
    expect(failureOf(aborted, true)).toMatchObject({ code: 'E_CANCELLED', exit: 130 });
    expect(failureOf(aborted, false).exit).toBe(1);
    expect(failureOf(new HeddleError('E_FILE', 'x'), true).exit).toBe(1);
  });
});

it('says which package to install when an optional one is not there', () => {
  const known = Object.assign(new Error("Cannot find package '@heddle/text' imported from /x/train.run.js"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  expect(failureOf(known, false)).toMatchObject({
    code: 'E_PLUGIN',
    exit: 1,
    message: expect.stringContaining('npm install @heddle/text'),
    details: { package: '@heddle/text' },
  });
  expect(missingPackage(known)).toBe('@heddle/text');
  expect(missingPackage(new Error(known.message))).toBe(null);
  // A file of a package that is there but broken is no missing package.
  expect(
    failureOf(Object.assign(new Error("Cannot find module '/x/y.js'"), { code: 'ERR_MODULE_NOT_FOUND' }), false).code,
  ).toBe('E_UNEXPECTED');
});

it('shows a stack for mistakes of ours, when asked', () => {
  const failure = failureOf(new TypeError('oops'), false);
  expect(failureText(failure, false)).toBe(
    'E_UNEXPECTED oops. This is a mistake in Heddle or in a plugin: please report it with the output of DEBUG=1.',
  );
  expect(failureText(failure, true)).toContain('failure.test');
});

it('says in JSON whatever the details hold', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const line = failureJson(failureOf(new HeddleError('E_FILE', 'm', { circle, big: 1n, path: '/a' }), false));
  expect(JSON.parse(line)).toEqual({
    type: 'error',
    code: 'E_FILE',
    message: 'm',
    details: { circle: '[object Object]', big: '1', path: '/a' },
  });
});

it('takes anything that is thrown', () => {
  expect(failureOf('text', false).message).toMatch(/^text\./);
  expect(failureOf(null, false).message).toMatch(/^null\./);
});
