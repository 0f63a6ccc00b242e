/**
 * Makes the workspace ready on a machine with only Node and npm: the pinned pnpm, the dependencies, and, for the
 * scripts that need it, a build. Each step is skipped when what it depends on has not changed.
 *
 * Messages go to stderr, so that commands which print JSON stay clean.
 */

import './node-version.mjs';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locked } from './lock.mjs';
import { run } from './spawn.mjs';
import { cache, packageFolders, pnpmVersion, readJson, root } from './workspace.mjs';

const pnpmFolder = join(cache, `pnpm-${pnpmVersion}`);
const pnpmProgram = join(pnpmFolder, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
// Each lies in what it describes, so that deleting that also forgets it was made.
const installStamp = join(root, 'node_modules', '.heddle-installed');
const buildStamp = join(cache, 'built');

const say = text => process.stderr.write(`${text}\n`);

/** For everything started from here: pnpm on the PATH (nx calls it), no daemon, no cloud, no questions. */
export const environment = () => ({
  ...process.env,
  PATH: [join(pnpmFolder, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
  NX_INTERACTIVE: 'false',
});

/** Ready to run tools: pnpm and dependencies. */
export async function bootstrap() {
  if (installed(installKey())) return;
  await locked('workspace', say, prepare);
}

/** Ready to run our own packages: dependencies installed, everything built. Does nothing, fast, when nothing changed. */
export async function bootstrapAndBuild() {
  if (installed(installKey()) && built(buildKey())) return;
  await locked('workspace', say, async () => {
    await prepare();
    await build();
  });
}

/** Runs nx with these arguments. */
export const nx = (args, options = {}) => {
  const folder = join(root, 'node_modules', 'nx');
  const program = join(folder, readJson(join(folder, 'package.json')).bin.nx);
  return run(process.execPath, [program, ...args], { env: environment(), ...options });
};

async function prepare() {
  const key = installKey();
  if (installed(key)) return;
  if (!existsSync(pnpmProgram)) await step(`Fetching pnpm ${pnpmVersion}`, fetchPnpm);
  await step('Installing dependencies', async () => {
    // CI makes pnpm ask nothing and print lines instead of a moving display.
    const env = { ...environment(), CI: 'true' };
    const args = [pnpmProgram, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'];
    await must(run(process.execPath, args, { env, stdio: ['ignore', 2, 2] }), 'pnpm install');
  });
  writeFileSync(installStamp, key);
}

/** Into a folder beside its place and then renamed, so that a half-fetched pnpm is never used. */
async function fetchPnpm() {
  const partial = `${pnpmFolder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  writeFileSync(join(partial, 'package.json'), '{ "private": true }\n');
  const [npm, ...first] = npmCommand();
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const args = [...first, 'install', '--prefix', partial, ...quiet, `pnpm@${pnpmVersion}`];
  await must(run(npm, args, { cwd: partial, stdio: ['ignore', 2, 2] }), 'npm install pnpm');
  rmSync(pnpmFolder, { recursive: true, force: true });
  renameSync(partial, pnpmFolder);
}

/** The npm that started us, or the one that came with this Node. */
function npmCommand() {
  const besideNode = [
    join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  const started = process.env.npm_execpath ?? '';
  const program = [started, ...besideNode].find(path => path.endsWith('npm-cli.js') && existsSync(path));
  return program === undefined ? ['npm'] : [process.execPath, program];
}

async function build() {
  const key = buildKey();
  if (built(key)) return;
  await step('Building', async () => {
    let output = '';
    const { code } = await nx(['run-many', '-t', 'build', '--output-style=static'], {
      onOutput: text => (output += text),
    });
    if (code !== 0) {
      say(output);
      throw new Error('The build failed; see above.');
    }
  });
  writeFileSync(buildStamp, key);
}

async function step(what, body) {
  say(`${what} …`);
  const started = performance.now();
  await body();
  say(`${what}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

async function must(ending, what) {
  const { code, signal } = await ending;
  if (code !== 0) throw new Error(`${what} failed (${signal ?? `exit code ${code}`}); see above.`);
}

const upToDate = (stamp, key) => existsSync(stamp) && readFileSync(stamp, 'utf8') === key;

const installed = key =>
  upToDate(installStamp, key) &&
  existsSync(pnpmProgram) &&
  packageFolders().every(folder => existsSync(join(root, folder, 'node_modules')));

const built = key =>
  upToDate(buildStamp, key) &&
  builtFolders().every(folder => existsSync(join(root, folder, 'dist', 'build.tsbuildinfo')));

/** Changes when an install could come out differently. */
function installKey() {
  const files = [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    ...packageFolders().map(folder => `${folder}/package.json`),
  ];
  const hash = createHash('sha256').update(`${pnpmVersion} ${process.platform} ${process.arch}`);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

const builtFolders = () => packageFolders().filter(folder => existsSync(join(root, folder, 'tsconfig.build.json')));

/** Changes when a build could come out differently. Looks at sizes and times only: it runs before every command. */
function buildKey() {
  const hash = createHash('sha256').update(installKey());
  const add = path => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`\0${path}\0${size}\0${mtimeMs}`);
  };
  for (const file of ['tsconfig.base.json', 'tsconfig.build.json']) add(join(root, file));
  for (const folder of builtFolders()) {
    add(join(root, folder, 'tsconfig.build.json'));
    const source = join(root, folder, 'src');
    for (const name of readdirSync(source, { recursive: true }).sort()) {
      if (name.endsWith('.ts') && !name.endsWith('.test.ts')) add(join(source, name));
    }
  }
  return hash.digest('hex');
}

/** Says a failure in one line: the stack of a script is of no use to whoever waits for their model. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    say(process.env.DEBUG ? error.stack : error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await bootstrap();
    say('Dependencies are up to date.');
  });
}
