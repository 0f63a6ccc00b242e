/**
 * A software WebGPU adapter for machines without a GPU: the SwiftShader library inside Debian's chromium, and the Vulkan
 * loader. `fetch` brings both into .cache/adapter without installing anything; `run CMD…` runs a command that sees them.
 * Where they cannot be had, both say why and go on: tests on a device are then skipped by name.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adapter, cache } from './adapter-files.mjs';

function command(name, args, seconds) {
  const { status, error, stderr } = spawnSync(name, args, { cwd: cache, encoding: 'utf8', timeout: 1000 * seconds });
  if (status === 0) return null;
  return `${name} ${args[0]}: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? `status ${status}`}`;
}

/** @returns null, or why not */
function fetchAdapter() {
  if (adapter()) return null;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `fetched for Linux on x64, this is ${process.platform} on ${process.arch}`;
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(join(cache, 'root'), { recursive: true });
  const download = () => command('apt-get', ['-q', 'download', 'chromium-common', 'libvulkan1'], 120);
  // Lists of packages may be old or missing; only root may renew them.
  const why = download() && (command('apt-get', ['-q', 'update'], 60) ?? download());
  if (why) return why;
  for (const file of readdirSync(cache).filter(name => name.endsWith('.deb'))) {
    const failed = command('dpkg-deb', ['-x', file, 'root'], 60);
    if (failed) return failed;
    rmSync(join(cache, file));
  }
  return adapter() ? null : 'the packages do not hold SwiftShader and the Vulkan loader where they used to';
}

function environment() {
  const found = adapter();
  if (found === null) return { ...process.env };
  const { XDG_RUNTIME_DIR = mkdtempSync(join(tmpdir(), 'heddle-xdg-')), LD_LIBRARY_PATH } = process.env;
  return {
    ...process.env,
    XDG_RUNTIME_DIR,
    VK_ICD_FILENAMES: found.icd,
    ...(found.libraries ? { LD_LIBRARY_PATH: [found.libraries, LD_LIBRARY_PATH].filter(Boolean).join(':') } : {}),
  };
}

const [what, name, ...args] = process.argv.slice(2);
if (what === 'fetch') {
  const why = fetchAdapter();
  console.log(why === null ? `software adapter: ${adapter().icd}` : `skipped: software adapter: ${why}`);
} else if (what === 'run' && name !== undefined) {
  if (!adapter()) console.log("skipped: software adapter: none fetched. 'node scripts/adapter.mjs fetch' tries.");
  const child = spawn(name, args, { stdio: 'inherit', env: environment() });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('error', error => {
    console.error(error.message);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => (process.exitCode = signal ? 1 : code));
} else {
  console.error('adapter: expected fetch, or run and a command. node scripts/adapter.mjs run npm run device');
  process.exitCode = 2;
}
