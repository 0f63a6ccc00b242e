/**
 * Kills `heddle multilingual` at random moments until it has been killed N times, each time going on, and compares what it comes to with
 * runs that nobody killed: `node tests/kill-multilingual.mjs [N] [SEED]` after a build. Stages run in two processes; the kill is SIGKILL
 * of the first, whose children then find themselves alone.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [wanted = 30, seed = 1] = process.argv.slice(2).map(Number);
const bin = fileURLToPath(new URL('../plugins/cli/dist/bin.js', import.meta.url));
const args =
  '--groups a=de b=fr --pairs de=grammar:en-de:200 fr=grammar:en-fr:200 --base-steps 60 --steps 20 --width 16 --depth 1 --tokens 192 --vocabulary 420 --test 3 --merges ties --rank 2 --search 3 --processes 2'.split(' '); // prettier-ignore
const folder = mkdtempSync(join(tmpdir(), 'kill-'));
let state = seed;
const draw = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;

/** @returns whether it ended by itself */
function run(out, killAfter) {
  const child = spawn(process.execPath, [bin, 'multilingual', ...args, '--out', join(folder, out), '--json'], { stdio: ['ignore', 'ignore', 'inherit'] }); // prettier-ignore
  const timer = killAfter === null ? null : setTimeout(() => child.kill('SIGKILL'), killAfter);
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') resolve(false);
      else if (code === 0) resolve(true);
      else reject(new Error(`ended with ${code}`));
    });
  });
}

/** Everything that the run leaves, by its bytes; where the artifacts of a store lie says what is in them. */
function bytesOf(out) {
  const hash = createHash('sha256');
  for (const part of ['model/model.safetensors', 'routing.json']) hash.update(readFileSync(join(folder, out, part)));
  const adapters = join(folder, out, 'adapters');
  for (const name of readdirSync(adapters).sort()) hash.update(readFileSync(join(adapters, name, 'adapter_model.safetensors'))); // prettier-ignore
  return hash.digest('hex');
}

const start = performance.now();
await run('whole', null);
const length = performance.now() - start;
const expected = bytesOf('whole');
let [kills, runs, failed] = [0, 0, 0];
while (kills < wanted) {
  const out = `run-${runs++}`;
  while (!(await run(out, kills < wanted ? 300 + draw() * length * 0.6 : null))) kills++;
  const same = bytesOf(out) === expected;
  if (!same) failed++;
  console.log(`${out}: ${kills} kills so far, ${same ? 'the same bytes' : 'OTHER BYTES'}`);
  rmSync(join(folder, out), { recursive: true });
}
rmSync(folder, { recursive: true });
console.log(`${kills} kills, ${runs} runs to the end, ${failed} with other bytes`);
process.exitCode = failed === 0 ? 0 : 1;
