/** What measurements of merging share: the disk alone, processes of their own, medians side by side. */

import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const script = name => fileURLToPath(new URL(name, import.meta.url));

/** The last line that a program prints. */
export function lastLine(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(stderr || stdout);
  return stdout.trim().split('\n').at(-1);
}

/** Nothing but the disk: 8 MB at a time, file after file, then so many bytes out, forced to the disk. */
export function readAndWrite(files, written, folder) {
  const chunk = Buffer.alloc(8 << 20, 1);
  for (const path of files) {
    const handle = openSync(path, 'r');
    while (readSync(handle, chunk) > 0);
    closeSync(handle);
  }
  const out = join(folder, 'raw.tmp');
  const handle = openSync(out, 'w');
  for (let done = 0; done < written;) done += writeSync(handle, chunk, 0, Math.min(chunk.length, written - done));
  fsyncSync(handle);
  closeSync(handle);
  rmSync(out);
}

/** A merge in a process of its own. */
export function heddle(recipe, folder, threads) {
  const path = join(folder, 'recipe.yml');
  writeFileSync(path, recipe);
  const { rss } = JSON.parse(lastLine(process.execPath, [script('merge-once.mjs'), path, join(folder, 'out'), String(threads)])); // prettier-ignore
  rmSync(join(folder, 'out'), { recursive: true });
  return { rss };
}

const median = all => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];

/**
 * Contestants by turns; prints medians, and ratios to the first.
 *
 * @param cold drops the system's cache before each (needs root)
 */
export function compare(title, contestants, { rounds, cold, bytes }) {
  const results = Object.fromEntries(Object.keys(contestants).map(name => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, act] of Object.entries(contestants)) {
      spawnSync('sync');
      if (cold) writeFileSync('/proc/sys/vm/drop_caches', '3');
      const start = performance.now();
      const result = act() ?? {};
      results[name].push({ seconds: (performance.now() - start) / 1000, ...result });
    }
  const medians = Object.values(results).map(all => median(all.map(one => one.seconds)));
  for (const [i, [name, all]] of Object.entries(results).entries()) {
    const rss = Math.max(...all.map(one => one.rss ?? 0));
    console.log(
      `${title.padEnd(7)} ${name.padEnd(15)} ${medians[i].toFixed(2).padStart(7)} s  ${(bytes / 1e9 / medians[i]).toFixed(2)} GB/s  ${(medians[i] / medians[0]).toFixed(2)} x${rss ? `  ${Math.round(rss)} MB` : ''}`,
    );
  }
}
