/**
 * Every failure of Heddle is a `HeddleError`: a code to look up, a message that says
 * what was expected, what came and what to do, and the numbers behind it.
 *
 * Recognise one with `isHeddleError`, never with `instanceof`: an application may hold
 * two copies of this package.
 */

/** `E_NOUN`. Every code thrown anywhere in the project is explained in `docs/errors.md`; a test compares both ways. */
export type ErrorCode = `E_${string}`;

const mark = Symbol.for('@heddle/core:error');

export interface HeddleErrorLike extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
}

export class HeddleError extends Error implements HeddleErrorLike {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly [mark] = true;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HeddleError';
    this.code = code;
    this.details = details;
  }
}

/**
 * Throws a `HeddleError`.
 *
 * @param code what went wrong, as a noun: `E_SHAPE`
 * @param message `thing: expected, received. What to do.`
 * @param details the values named in the message, for programs
 * @param cause the error underneath, if this one translates it
 */
export function fail(
  code: ErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): never {
  throw new HeddleError(code, message, details, cause);
}

/** True for errors thrown by any copy of this package. */
export const isHeddleError = (error: unknown): error is HeddleErrorLike =>
  typeof error === 'object' && error !== null && (error as { [mark]?: boolean })[mark] === true;
