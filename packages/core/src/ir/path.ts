/**
 * Where in the model the tracer stands, so that a refused shape can say which layer asked for it.
 * Tracing is synchronous; the stack is empty whenever no trace runs.
 */

import { fail, type ErrorCode } from '../errors.js';

const stack: string[] = [];

export const currentPath = (): string => stack.at(-1) ?? '';

/** Runs `body` with `path` as the current place. */
export function at<T>(path: string, body: () => T): T {
  stack.push(path);
  try {
    return body();
  } finally {
    stack.pop();
  }
}

/** Refuses what an op was given, naming the op and its place in the model. */
export function refuse(
  op: string,
  code: ErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): never {
  const path = currentPath();
  fail(code, `${path === '' ? '' : `${path}: `}${op}: ${message}`, { op, path, ...details });
}
