/** Measures side by side with other libraries: `npm run bench -- ARGS`. */

import { program } from './program.mjs';

await program('benchmarks/run.mjs');
