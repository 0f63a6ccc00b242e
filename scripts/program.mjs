/** Runs a program of this workspace with the arguments of this script, after installing and building what changed. */

import './node-version.mjs';
import { join } from 'node:path';
import { bootstrapAndBuild, main } from './bootstrap.mjs';
import { endLike, run } from './spawn.mjs';
import { root } from './workspace.mjs';

/**
 * @param path of the program, relative to the root
 * @param first arguments before those of the command line
 */
export const program = (path, ...first) =>
  main(async () => {
    await bootstrapAndBuild();
    const args = [join(root, path), ...first, ...process.argv.slice(2)];
    endLike(await run(process.execPath, args, { cwd: process.cwd() }));
  });
