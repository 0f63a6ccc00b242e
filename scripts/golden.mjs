/** Compares with the golden files: `npm run golden -- ARGS`. */

import { program } from './program.mjs';

await program('tests/golden.mjs');
