/** A promise that must settle: a hang becomes a failure with a name. */

export async function within<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: still waiting after ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a promise is rejected with. */
export const failureOf = (
  work: Promise<unknown>,
): Promise<{
  readonly code?: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}> =>
  work.then(
    () => {
      throw new Error('expected a failure, received a result');
    },
    (error: unknown) => error as Error,
  );
