/** The `heddle` command of this workspace: `npm run -s heddle -- ARGS`. */

import { program } from './program.mjs';

await program('plugins/cli/dist/bin.js');
