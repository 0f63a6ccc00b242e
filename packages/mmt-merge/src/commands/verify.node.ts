import { join, resolve } from 'node:path';
import { fail, type CommandCall } from '@heddle/core';
import { safeJoin } from '@heddle/core/files';
import { jsonAt } from '../checkpoint/open.node.js';
import { hashRange } from '../run/hash.node.js';

interface Recorded {
  readonly tensor: string;
  readonly file: string;
  readonly at: number;
  readonly bytes: number;
  readonly sha256: string;
}

export async function runVerify(call: CommandCall): Promise<number> {
  const folder = resolve(call.args[0]!);
  const record = (await jsonAt(join(folder, 'merge.json'))) as { readonly ranges?: readonly Recorded[] } | null;
  if (!Array.isArray(record?.ranges))
    return fail(
      'E_FILE',
      `${folder}: expected a merge.json with hashes, which 'heddle merge run' writes for models, received none. Name the folder of a result.`,
      { folder },
    );
  const wrong = new Set<string>();
  for (const { tensor, file, at, bytes, sha256 } of record.ranges) {
    if (call.signal.aborted) return 130;
    if (hashRange({ file: safeJoin(folder, file), at, bytes }) !== sha256) wrong.add(tensor);
    await new Promise(done => setImmediate(done));
  }
  if (call.options['json'] === true)
    call.print(JSON.stringify({ type: 'verified', folder, ranges: record.ranges.length, changed: [...wrong] }));
  else if (wrong.size === 0) call.print(`${folder}: ${record.ranges.length} ranges are as they were written`);
  else call.print(`${folder}: changed since it was written: ${[...wrong].join(', ')}`);
  return wrong.size === 0 ? 0 : 1;
}
