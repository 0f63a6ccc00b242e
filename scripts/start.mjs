/** The main job, from nothing: `npm start -- ARGS`. */

import { program } from './program.mjs';

await program('plugins/cli/dist/bin.js', 'start');
