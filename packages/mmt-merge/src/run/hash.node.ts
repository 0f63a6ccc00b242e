/** Sums over a part of a file. */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { openFiles } from './reader.node.js';
import type { Range } from './pool.node.js';

/** SHA-256, in hexadecimal. */
export function hashRange(range: Range): string {
  const hash = createHash('sha256');
  read(range, part => void hash.update(part));
  return hash.digest('hex');
}

/** CRC-32: finds what disks do wrong, in a tenth of the time. */
export function checksumRange(range: Range): number {
  let sum = 0;
  read(range, part => void (sum = crc32(part, sum)));
  return sum;
}

function read({ file, at, bytes }: Range, see: (part: Uint8Array) => void): void {
  const files = openFiles();
  const chunk = new Uint8Array(Math.min(bytes, 1 << 20));
  try {
    for (let done = 0; done < bytes;) {
      const part = chunk.subarray(0, Math.min(chunk.length, bytes - done));
      files.read(file, part, at + done);
      see(part);
      done += part.length;
    }
  } finally {
    files.close();
  }
}
