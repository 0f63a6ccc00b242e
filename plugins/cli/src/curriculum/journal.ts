/** Solutions of a teacher as lines of a file, until the stage that gathers them is done. */

import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from '@heddle/rl-grpo';

export function journalIn(folder: string): Journal {
  const path = join(folder, 'solutions.jsonl');
  let writing: Promise<unknown> = Promise.resolve();
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      });
      const known = new Map<number, string>();
      for (const line of text.split('\n')) {
        const entry = entryOf(line);
        if (entry) known.set(...entry);
      }
      return known;
    },
    add(index, trace) {
      // One after the other, each on a line of its own: a run that is killed leaves at most one half line, after which a new one begins.
      const write = writing.then(async () => {
        await mkdir(folder, { recursive: true });
        await appendFile(path, `\n${JSON.stringify([index, trace])}`);
      });
      writing = write.catch(() => {});
      return write;
    },
  };
}

/** A half line says nothing. */
function entryOf(line: string): readonly [number, string] | null {
  try {
    const found: unknown = JSON.parse(line);
    return Array.isArray(found) && Number.isSafeInteger(found[0]) && typeof found[1] === 'string'
      ? [found[0] as number, found[1]]
      : null;
  } catch {
    return null;
  }
}
