/**
 * A lock that two runs in the same folder wait for, so that they never install or build over each other.
 *
 * The file says who holds it, and its holder touches it every few seconds. It counts as left behind when its process
 * is gone, or when nobody touched it for a minute of the waiter's own watching (so clocks need not agree).
 */

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cache } from './workspace.mjs';

const touchEvery = 5_000; // ms
const silentFor = 60_000; // ms
const pollEvery = 200; // ms

/**
 * Runs `body` while holding the lock `name`.
 *
 * @param say told, once, whom we wait for
 */
export async function locked(name, say, body) {
  mkdirSync(cache, { recursive: true });
  const file = join(cache, `${name}.lock`);
  const mine = JSON.stringify({ id: randomUUID(), pid: process.pid, host: hostname() });
  await acquire(file, mine, name, say);

  const release = () => {
    if (read(file) === mine) rmSync(file, { force: true });
  };
  const touching = setInterval(() => utimesSync(file, new Date(), new Date()), touchEvery).unref();
  process.once('exit', release);
  try {
    return await body();
  } finally {
    clearInterval(touching);
    process.off('exit', release);
    release();
  }
}

async function acquire(file, mine, name, say) {
  let seen = '';
  let quiet = 0;
  let told = false;
  for (;;) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const theirs = read(file);
    if (theirs === null) continue; // released between our two looks
    const now = `${theirs} ${modified(file)}`;
    quiet = now === seen ? quiet + pollEvery : 0;
    seen = now;
    if (dead(theirs) || quiet > silentFor) {
      if (read(file) === theirs) rmSync(file, { force: true });
      continue;
    }
    if (!told) say(`Another run holds the ${name} lock (process ${owner(theirs)?.pid ?? '?'}); waiting for it.`);
    told = true;
    await sleep(pollEvery);
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function modified(file) {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

/** `null` while its holder is still writing. */
function owner(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function dead(text) {
  const holder = owner(text);
  if (holder === null || holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
