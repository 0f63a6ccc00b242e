/** A session in which answers branch: a token a run, the two of a fork's beginning, and longer prompts. */

import { createProgram, openSession, type DecodeProgram, type DecodeSession } from '@heddle/transformer';

/** @param tokens of an answer with its prompt at most */
export async function openPaths(
  made: Parameters<typeof createProgram>[0],
  slots: number,
  tokens: number,
): Promise<{ readonly session: DecodeSession; close(): Promise<void> }> {
  const program: DecodeProgram = createProgram(made, slots, tokens + 1);
  const session = await openSession(program, [2, 4, 16]);
  return {
    session,
    async close() {
      await session.close();
      await program.close();
    },
  };
}
