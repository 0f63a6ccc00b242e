/** A file of problems, as JSON lines or parquet, as a pool that is named by its content. */

import { fail } from '@heddle/core';
import { sha256 } from '@heddle/core/files';
import { listedPool, problemsOf, readProblems, type ProblemPool, type ReadProblems } from '@heddle/rl-grpo';
import { readBytes } from '@heddle/text';

/** @throws E_IO, E_FILE, E_PROBLEMS, E_EMPTY */
export async function fileOfProblems(name: string, file: string): Promise<ProblemPool> {
  const bytes = await readBytes(file);
  const { problems } = file.endsWith('.parquet')
    ? await parquetProblems(bytes, file)
    : readProblems(new TextDecoder().decode(bytes), file);
  return listedPool(`${name}/${sha256(bytes)}`, problems);
}

async function parquetProblems(bytes: Uint8Array, file: string): Promise<ReadProblems> {
  const { parquetReadObjects } = await import('hyparquet');
  let rows: readonly Readonly<Record<string, unknown>>[];
  try {
    rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer });
  } catch (error) {
    return fail('E_FILE', `${file}: expected a parquet file, received: ${(error as Error).message}. Check the file; codecs beyond snappy need another one.`, { file }, error); // prettier-ignore
  }
  return problemsOf(rows, file);
}
