/** A file of problems, as JSON lines or parquet, as a pool that is named by its content. */

import { sha256 } from '@heddle/core/files';
import { listedPool, problemsOf, readProblems, type ProblemPool } from '@heddle/rl-grpo';
import { readBytes } from '@heddle/text';

/** @throws E_IO, E_FILE, E_PROBLEMS, E_EMPTY */
export async function fileOfProblems(name: string, file: string): Promise<ProblemPool> {
  const bytes = await readBytes(file);
  const { problems } = file.endsWith('.parquet')
    ? problemsOf(await (await import('@heddle/eval-math/node')).parquetRows(file), file)
    : readProblems(new TextDecoder().decode(bytes), file);
  return listedPool(`${name}/${sha256(bytes)}`, problems);
}
