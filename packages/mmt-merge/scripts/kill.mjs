/**
 * Kills a merge at random moments until it has been killed so many times, lets it end, and compares every byte with one
 * that was not killed: `node scripts/kill.mjs DIR [TIMES] [THREADS]`. DIR holds m0 .. m3 of scripts/make-models.mjs.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder, times = '50', threads = '2'] = process.argv.slice(2);
const recipe = join(folder, 'kill.yml');
writeFileSync(recipe, `merge_method: dare_ties\nbase_model: m0\nmodels:\n${[1, 2, 3].map(i => `  - {model: m${i}, parameters: {weight: 0.${i}, density: 0.6}}`).join('\n')}\nseed: 7\n`); // prettier-ignore
const script = fileURLToPath(new URL('merge-once.mjs', import.meta.url));
const begin = out =>
  spawn(process.execPath, [script, recipe, out, threads, '150000000'], { stdio: ['ignore', 'ignore', 'inherit'] });
const ended = child => new Promise(resolve => child.on('exit', (code, signal) => resolve({ code, signal })));
const digest = out => readdirSync(out).sort().map(name => `${name} ${createHash('sha256').update(readFileSync(join(out, name))).digest('hex')}`).join('\n'); // prettier-ignore

const [whole, killed] = ['whole', 'killed'].map(name => join(folder, `kill-${name}`));
for (const out of [whole, killed]) rmSync(out, { recursive: true, force: true });
const start = performance.now();
await ended(begin(whole));
const usual = performance.now() - start; // ms
const expected = digest(whole);

let [kills, finished, different] = [0, 0, 0];
while (kills < Number(times)) {
  const child = begin(killed);
  const end = ended(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), Math.random() * usual * 0.6);
  const { code, signal } = await end;
  clearTimeout(timer);
  if (signal === 'SIGKILL') kills++;
  else if (code !== 0) throw new Error(`a merge ended with code ${code}`);
  if (existsSync(killed)) {
    // It is there, so it must be whole, however it came to an end.
    finished++;
    if (digest(killed) !== expected) different++;
    rmSync(killed, { recursive: true });
  }
}
await ended(begin(killed));
if (digest(killed) !== expected) different++;
finished++;
for (const out of [whole, killed]) rmSync(out, { recursive: true, force: true });
console.log(
  `killed ${kills} times, ended ${finished} times, ${different} results differ; one run takes ${(usual / 1000).toFixed(1)} s`,
);
process.exitCode = different === 0 ? 0 : 1;
