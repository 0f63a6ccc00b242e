/** A disk that fills in the middle of a merge: a coded error, no result, and the same bytes once there is room again. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { decoder, temporary, writeModel } from '../../fixtures/models.js';
import type { Recipe } from '../recipe/recipe.js';
import { mergeModels } from './merge.node.js';

const folder = temporary();
const large = { layers: 4, width: 200, vocabulary: 500 };
for (const seed of [0, 1, 2])
  writeModel(join(folder, `m${seed}`), decoder(seed + 1, large), { config: { num_hidden_layers: 4, vocab_size: 500 } });
const recipe: Recipe = {
  merge_method: 'ties',
  base_model: 'm0',
  models: ['m1', 'm2'].map(model => ({ model, parameters: { weight: 0.5, density: 0.5 } })),
};

/** A disk of 5 MB, where this user may make one. */
function smallDisk(): { readonly place: string; readonly reason: string | null } {
  const place = mkdtempSync(join(tmpdir(), 'heddle-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'tmpfs', place], { stdio: 'pipe' });
    return { place, reason: null };
  } catch (error) {
    rmSync(place, { recursive: true, force: true });
    return { place, reason: (error as Error).message.trim().split('\n').at(-1)! };
  }
}

const disk = smallDisk();
if (disk.reason !== null) console.warn(`skipped: a full disk: ${disk.reason}`);
afterAll(() => {
  if (disk.reason !== null) return;
  execFileSync('umount', ['-l', disk.place]);
  rmSync(disk.place, { recursive: true, force: true });
});

it.skipIf(disk.reason !== null)(`a full disk${disk.reason === null ? '' : ` (skipped: ${disk.reason})`}`, async () => {
  const [out, filler] = [join(disk.place, 'merged'), join(disk.place, 'filler')];
  let filled = false;
  const merging = mergeModels(recipe, {
    out,
    from: folder,
    threads: 0,
    onProgress() {
      if (filled) return;
      filled = true;
      const { bavail, bsize } = statfsSync(disk.place);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - 600_000, 1));
    },
  });
  await expect(merging).rejects.toMatchObject({ code: 'E_DISK_FULL', message: expect.stringContaining(disk.place) });
  expect(filled).toBe(true);
  expect(readdirSync(disk.place)).not.toContain('merged');
  // Still no room: it is refused before anything is tried.
  await expect(mergeModels(recipe, { out, from: folder, threads: 0 })).rejects.toMatchObject({ code: 'E_DISK_FULL' });
  rmSync(filler);
  const [report] = await mergeModels(recipe, { out, from: folder, threads: 0 });
  expect(report!.bytes.resumed).toBeGreaterThan(0);
  const whole = join(folder, 'whole');
  await mergeModels(recipe, { out: whole, from: folder, threads: 0 });
  for (const name of readdirSync(whole))
    expect(readFileSync(join(out, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
});
