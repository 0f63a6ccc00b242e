/** Where things lie. */

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A path below `benchmarks/`. */
export const folder = (...parts) => join(root, ...parts);
export const repository = dirname(root);
