/** What the system says about files, in the project's words. */

import { fail, isHeddleError } from '../errors.js';

/** No room left, or no more of it for this user. */
const full = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Translates a failure of the file system.
 *
 * @param doing what was tried: `written`
 * @throws E_DISK_FULL for a full disk or quota, E_IO otherwise; a HeddleError passes as it is
 */
export function ioFailure(path: string, doing: string, error: unknown): never {
  if (isHeddleError(error)) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (isDiskFull(error)) {
    return fail(
      'E_DISK_FULL',
      `${path}: expected room to be ${doing}, received ${code}. Free some space; what was there before is unharmed and the unfinished part is removed.`,
      { path, code },
      error,
    );
  }
  return fail(
    'E_IO',
    `${path}: expected to be ${doing}, received ${code ?? message}. Check the path and your rights to it.`,
    { path, code, reason: 'system' },
    error,
  );
}

/** True for what a full disk or quota throws. */
export const isDiskFull = (error: unknown): boolean => full.has((error as NodeJS.ErrnoException | null)?.code ?? '');

/** Runs one operation on a path and translates its failure. */
export async function told<T>(path: string, doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    return ioFailure(path, doing, error);
  }
}
