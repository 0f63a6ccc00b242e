/** Compares what a line of a document gives with what the document says. Copied beside the blocks by `documents.test.ts`. */

import { format } from 'node:util';

export function told(where, expected, ...values) {
  const text = format(...values);
  console.log(text);
  process.send({ seen: where });
  if (text !== expected) process.send({ failure: `${where}: the document says '${expected}', the program '${text}'` });
}
