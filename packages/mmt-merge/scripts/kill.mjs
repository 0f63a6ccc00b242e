/**
 * Kills merges at one to three random moments each and lets them go on, until so many went on to the end, and compares
 * every byte of each with a merge that was not killed: `node scripts/kill.mjs DIR [TIMES] [THREADS]`. DIR holds m0 .. m3 of scripts/make-models.mjs.
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

let [kills, early, resumed, different] = [0, 0, 0, 0];
while (resumed < Number(times)) {
  for (let again = 0; again <= resumed % 3 && !existsSync(killed); again++) {
    const child = begin(killed);
    const end = ended(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), Math.random() * usual * 0.8);
    const { code, signal } = await end;
    clearTimeout(timer);
    if (signal === 'SIGKILL') kills++;
    else if (code !== 0) throw new Error(`a merge ended with code ${code}`);
  }
  // What is there under the name of the result must be whole, also when the kill came a moment later.
  if (existsSync(killed)) early++;
  else {
    resumed++;
    const { code } = await ended(begin(killed));
    if (code !== 0) throw new Error(`a merge that went on ended with code ${code}`);
  }
  if (digest(killed) !== expected) different++;
  rmSync(killed, { recursive: true });
}
for (const out of [whole, killed]) rmSync(out, { recursive: true, force: true });
console.log(
  `killed ${kills} times; ${resumed} merges went on to the end, ${early} were done before; ${different} results differ; one run takes ${(usual / 1000).toFixed(1)} s`,
);
process.exitCode = different === 0 ? 0 : 1;
