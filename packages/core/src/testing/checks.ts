/**
 * Checks: what a conformance law looks for, apart from the test runner, so that the laws themselves can be tested
 * against something that breaks them.
 */

import { describe, it } from 'vitest';

export interface Check {
  /** What holds: `register only records`. */
  readonly law: string;
  /** What speaks against it; empty when it holds. */
  find(): Promise<readonly string[]>;
  /** Why it cannot be looked for on this machine; null where it can. Then it is shown as skipped, never as kept. */
  unavailable?(): Promise<string | null>;
}

/** Turns checks into tests. */
export function conform(title: string, checks: readonly Check[], timeout = 60_000): void {
  describe(title, () => {
    for (const { law, find, unavailable } of checks) {
      it(law, { timeout }, async context => {
        const reason = (await unavailable?.()) ?? null;
        if (reason !== null) context.skip(reason);
        const findings = await find();
        if (findings.length > 0) throw new Error(`${title}: ${law}:\n  ${findings.join('\n  ')}`);
      });
    }
  });
}

/** What all checks find that can be looked for here, as `law: finding`. */
export async function findingsOf(checks: readonly Check[]): Promise<readonly string[]> {
  const all: string[] = [];
  for (const { law, find, unavailable } of checks) {
    if (((await unavailable?.()) ?? null) !== null) continue;
    for (const finding of await find()) all.push(`${law}: ${finding}`);
  }
  return all;
}

/** What an error says, for a finding. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A finding when the act fails, none when it does not. */
export async function fails(act: () => unknown): Promise<readonly string[]> {
  try {
    await act();
    return [];
  } catch (error) {
    return [wordsOf(error)];
  }
}
