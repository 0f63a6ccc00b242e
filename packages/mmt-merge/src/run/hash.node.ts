/** The hash of a part of a file. */

import { createHash } from 'node:crypto';
import { openFiles } from './reader.node.js';
import type { Range } from './pool.node.js';

export function hashRange({ file, at, bytes }: Range): string {
  const files = openFiles();
  const hash = createHash('sha256');
  const chunk = new Uint8Array(Math.min(bytes, 1 << 20));
  try {
    for (let done = 0; done < bytes;) {
      const part = chunk.subarray(0, Math.min(chunk.length, bytes - done));
      files.read(file, part, at + done);
      hash.update(part);
      done += part.length;
    }
  } finally {
    files.close();
  }
  return hash.digest('hex');
}
