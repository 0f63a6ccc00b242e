/**
 * Tries damaged safetensors files and shard indexes on the built reader.
 *
 *   node scripts/fuzz-safetensors.mjs [mutations, default 100000] [seed, default 1]
 *
 * Build the package first. Exits with 1 when a single one was judged wrongly, read outside of its bytes, or threw
 * anything but a HeddleError.
 */

import { fail, isHeddleError } from '../dist/index.js';
import { openSafetensors, openSharded } from '../dist/io/index.js';
import { fuzz } from './fuzz/hostile.mjs';

const [mutations = 100_000, seed = 1] = process.argv.slice(2).map(Number);
const started = performance.now();
const { refused, accepted, violations } = await fuzz(
  { openSafetensors, openSharded, fail, isHeddleError },
  mutations,
  seed,
);
for (const violation of violations.slice(0, 20)) console.error(violation);
console.log(`${mutations} mutations, ${refused} refused, ${accepted} accepted, ${violations.length} violations`);
console.log(`seed ${seed}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
process.exitCode = violations.length > 0 ? 1 : 0;
