/** What this machine can do. */

import { access, constants, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, freemem, release, totalmem, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  COMMANDS,
  DATA,
  MODELS,
  TRACKERS,
  version as coreVersion,
  type BackendOffer,
  type CommandCall,
  type Host,
} from '@heddle/core';
import { offersInOrder } from '../engine.js';
import { mebi } from '../words.js';

interface EngineReport {
  readonly name: string;
  readonly available: boolean;
  /** Why not; null where it can run. */
  readonly reason: string | null;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

interface FolderReport {
  readonly path: string;
  readonly writable: boolean;
  readonly reason: string | null;
  readonly freeBytes: number | null;
}

export async function runDoctor(call: CommandCall, host: Host): Promise<number> {
  const engines: EngineReport[] = [];
  for (const offer of offersInOrder(host)) engines.push(await examine(offer));
  const folders = [await folderReport(process.cwd()), await folderReport(tmpdir())];
  const report = {
    type: 'doctor',
    node: process.versions.node,
    platform: process.platform,
    arch: arch(),
    system: release(),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    core: coreVersion,
    engines,
    plugins: host.plugins.map(({ name, version }) => ({ name, version })),
    models: host.all(MODELS).map(({ name }) => name),
    data: host.all(DATA).map(({ name }) => name),
    trackers: host.all(TRACKERS).map(({ name }) => name),
    commands: host.all(COMMANDS).map(({ name }) => name),
    folders,
  };
  if (call.options['json'] === true) call.print(JSON.stringify(report));
  else for (const line of lines(report)) call.print(line);
  // The reference engine is always there: only a place to write can be missing.
  return folders[0]!.writable ? 0 : 1;
}

async function examine(offer: BackendOffer): Promise<EngineReport> {
  const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  const reason = await offer.unavailable().catch((error: unknown) => `its check failed: ${words(error)}`);
  const details = (await offer.describe?.().catch(() => ({}))) ?? {};
  return { name: offer.name, available: reason === null, reason, details };
}

async function folderReport(path: string): Promise<FolderReport> {
  try {
    await access(path, constants.W_OK);
    const trial = await mkdtemp(join(path, '.heddle-doctor-')); // rights say less than trying
    try {
      await writeFile(join(trial, 'a'), 'a');
    } finally {
      await rm(trial, { recursive: true, force: true });
    }
    const { bavail, bsize } = await statfs(path);
    return { path, writable: true, reason: null, freeBytes: bavail * bsize };
  } catch (error) {
    return { path, writable: false, reason: (error as Error).message, freeBytes: null };
  }
}

interface Report {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly processor: string;
  readonly cores: number;
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
  readonly core: string;
  readonly engines: readonly EngineReport[];
  readonly plugins: readonly { readonly name: string; readonly version: string }[];
  readonly models: readonly string[];
  readonly folders: readonly FolderReport[];
}

function lines({
  node,
  platform,
  arch: machine,
  processor,
  cores,
  memory,
  core,
  engines,
  plugins,
  models,
  folders,
}: Report): readonly string[] {
  const wide = Math.max(...engines.map(({ name }) => name.length));
  const details = (about: EngineReport['details']): string =>
    Object.entries(about)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  return [
    `Node ${node} on ${platform} ${machine}, ${cores} cores (${processor.trim()}), ${mebi(memory.freeBytes)} of ${mebi(memory.totalBytes)} memory free`,
    '',
    'Engines, in the order that auto tries them',
    ...engines.map(({ name, available, reason, details: about }) =>
      `  ${available ? '✓' : '✗'} ${name.padEnd(wide)}  ${available ? details(about) || 'always there' : reason!.split('\n')[0]!}`.trimEnd(),
    ),
    '',
    `Plugins (core ${core})`,
    ...plugins.map(({ name, version }) => `  ${name} ${version}`),
    ...(models.length === 0 ? [] : ['', `Models: ${models.join(', ')}`]),
    '',
    'Folders',
    ...folders.map(
      ({ path, writable, reason, freeBytes }) =>
        `  ${writable ? '✓' : '✗'} ${path}  ${writable ? `${mebi(freeBytes ?? 0)} free` : reason}`,
    ),
  ];
}
