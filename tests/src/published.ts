/** Packs the public packages and installs the tarballs where nothing else is, as a user would get them. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publicFolders, readManifest, root, type Manifest } from './workspace.js';

const execute = promisify(execFile);

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end; a failure is an outcome, not an exception. */
export async function outcome(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  try {
    const { stdout, stderr } = await execute(program, args, { cwd, env: environment(), maxBuffer: 2 ** 26 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const {
      code,
      stdout = '',
      stderr = '',
      message,
    } = error as Error & { code?: unknown; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : 1, output: stdout + stderr || message };
  }
}

/** Runs a JavaScript file of an installed package: `bin('knip')`. */
export function bin(name: string, from = import.meta.url): string {
  const folder = installed(name, from);
  const { bin: bins } = createRequire(from)(join(folder, 'package.json')) as { bin: string | Record<string, string> };
  return join(folder, typeof bins === 'string' ? bins : Object.values(bins)[0]!);
}

/** The folder of a package that `from` can import; found without its exports map, which may hide package.json. */
function installed(name: string, from: string): string {
  const places = createRequire(from).resolve.paths(name) ?? [];
  const found = places.map(place => join(place, name)).find(folder => existsSync(join(folder, 'package.json')));
  if (found === undefined) throw new Error(`${name} is not installed beside ${from}`);
  return found;
}

/** Without what npm and nx say to their own children, and with the pnpm that the scripts of the root fetched. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([key]) => !/^(npm_(?!config_(cache|registry|userconfig))|NX_|VITEST|NODE_ENV)/i.test(key),
  );
  const version = /@([\d.]+)/.exec((readManifest('.') as Manifest & { packageManager: string }).packageManager)![1]!;
  const pnpm = join(root, '.cache', `pnpm-${version}`, 'node_modules', '.bin');
  return { ...Object.fromEntries(kept), PATH: [pnpm, process.env['PATH']].join(delimiter) };
}

const windows = process.platform === 'win32';
const command = (name: string): string => (windows ? `${name}.cmd` : name);

export interface Published {
  /** The project that has the tarballs installed. */
  readonly project: string;
  /** The tarball of each package, by name. */
  readonly tarballs: ReadonlyMap<string, string>;
  remove(): Promise<void>;
}

/**
 * @param beside packages of this workspace to put beside the installed ones: optional peers and types that a real user
 * would install too, linked here to save their download
 */
export async function publish(beside: readonly string[]): Promise<Published> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'heddle-published-')));
  const project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');

  const tarballs = new Map<string, string>();
  for (const source of publicFolders) {
    const packed = await outcome(command('pnpm'), ['pack', '--json', '--pack-destination', folder], join(root, source));
    if (packed.code !== 0) throw new Error(`pnpm pack in ${source}: ${packed.output}`);
    tarballs.set(readManifest(source).name, (JSON.parse(packed.output) as { filename: string }).filename);
  }
  const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
  const npm = await outcome(command('npm'), ['install', ...quiet, ...tarballs.values()], project);
  if (npm.code !== 0) throw new Error(`npm install: ${npm.output}`);

  for (const name of beside) {
    const link = join(project, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(await realpath(installed(name, import.meta.url)), link, 'junction');
  }
  return { project, tarballs, remove: () => rm(folder, { recursive: true, force: true }) };
}

export const readTarball = async (path: string): Promise<ArrayBuffer> => {
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength);
};
