/**
 * Everything that this workspace needs on a bare Linux x64 machine without a network, in one archive: Node itself, the
 * built packages, the engines' libraries, the tests of the gpu.js engine, the benchmarks. `npm run pack:portable`.
 *
 * What travels is what Node would find: packages are followed through their dependencies, and laid out as they lie here.
 */

import './node-version.mjs';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { loader } from './adapter-files.mjs';
import { bootstrapAndBuild, main } from './bootstrap.mjs';
import { cache, readJson, root } from './workspace.mjs';

const usage = `Usage: npm run pack:portable -- [options]

Packs Node, the built packages, the engines' libraries, the gpu.js engine's tests and the benchmarks into one archive
for a Linux x64 machine that has nothing and reaches nothing.

  --out FILE   where to write it; .cache/portable/heddle-linux-x64.tar.xz by default
  --help
`;

const name = 'heddle-linux-x64';
const most = 60e6; // bytes

/** What is packed, and which development dependencies travel with it. */
const entries = [
  ['plugins/cli', ['@heddle/backend-onnx', '@heddle/backend-gpujs', '@heddle/transformer', '@heddle/text']],
  ['plugins/backend-gpujs', ['vitest', 'fast-check', 'esbuild', 'webgpu']],
  ['benchmarks', null],
];
const leftOut = /^(@types\/|typescript$|onnxruntime-web$|@vitest\/coverage)/;

/** Other platforms' libraries, sources of what is built, types, documents. */
const unwanted = [
  /\.(d\.[cm]?ts|map|md|markdown|tsbuildinfo|flow)$/i,
  /(^|\/)(node_modules|reports|coverage|runs|\.heddle|__pycache__)$/,
  /^bin\/napi-v\d+\/(?!linux(\/x64|$))/,
  /^dist\/(?!linux-x64)(darwin|linux|win32)-/,
  /^(build|prebuilds)\/[^/]*(darwin|win32|android|freebsd|openbsd|musl|arm|ia32|riscv|loong)/,
];
const perPackage = {
  'onnxruntime-node': /^(script|__commit)/,
  'gpu.js': /^dist/,
  rxjs: /^(src|dist\/(bundles|types))/,
  protobufjs: /^(dist|cli|google|bin|scripts)(\/|$)/,
  koffi: /^(src|vendor|doc)/,
};
/** Of our packages: what runs, and of the gpu.js engine the sources that its tests import. */
const ours = /^(package\.json|dist(\/.*)?|bin(\/.*)?|LICENSE)$/;
const whole = /^(benchmarks|plugins\/backend-gpujs)$/;

const say = text => process.stderr.write(`${text}\n`);

/** Follows dependencies as Node's resolution does. @returns {{ folders: Set<string>, links: Map<string, string> }} */
function closure() {
  const folders = new Set();
  const links = new Map();
  const visit = (folder, extra) => {
    const { dependencies, peerDependencies, optionalDependencies, devDependencies } = readJson(
      join(folder, 'package.json'),
    );
    const more = extra === null ? Object.keys(devDependencies ?? {}) : extra;
    const wanted = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
    for (const dependency of new Set([...wanted, ...more])) {
      if (leftOut.test(dependency)) continue;
      const link = find(folder, dependency);
      if (link === null) continue; // optional, or for another platform
      const target = realpathSync(link);
      links.set(link, target);
      if (folders.has(target)) continue;
      folders.add(target);
      visit(target, []);
    }
  };
  for (const [folder, extra] of entries) {
    folders.add(join(root, folder));
    visit(join(root, folder), extra);
  }
  return { folders, links };
}

function find(from, dependency) {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const path = join(folder, 'node_modules', dependency);
    if (existsSync(path)) return path;
  }
  return null;
}

function copyPackage(folder, stage) {
  const inside = relative(root, folder);
  const isOurs = !inside.startsWith('node_modules');
  const own = perPackage[readJson(join(folder, 'package.json')).name];
  const keep = path =>
    !unwanted.some(pattern => pattern.test(path)) &&
    !own?.test(path) &&
    (!isOurs || whole.test(inside) || ours.test(path));
  const copy = path => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const next = path === '' ? entry.name : `${path}/${entry.name}`;
      if (!keep(next)) continue;
      if (entry.isDirectory()) copy(next);
      else if (entry.isFile()) {
        mkdirSync(dirname(join(stage, inside, next)), { recursive: true });
        copyFileSync(join(folder, next), join(stage, inside, next));
      }
    }
  };
  copy('');
}

const wrapper = (folder, command) => `#!/bin/sh
# Made by npm run pack:portable.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
# The Vulkan loader of this archive serves where the machine has none.
ldconfig -p 2>/dev/null | grep -q libvulkan.so.1 || export LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib"
export PATH="$here/bin:$PATH"
${folder === '.' ? '' : `cd "$here/${folder}" || exit 1\n`}exec "$here/bin/node" ${command} "$@"
`;

const readme = `Heddle for Linux x64, complete: Node ${process.version}, packages, engines' libraries.

  ./heddle doctor                 which engines run here, and why the others do not
  ./bench --only device           products and the training step on the GPU, beside PyTorch if python3 has it
  ./test                          the tests of the gpu.js engine

A GPU is found through Vulkan. The loader is in lib/ and used where the machine has none; the driver is the machine's.
If none is found, name its file: VK_DRIVER_FILES=/path/to/nvidia_icd.json ./heddle doctor
`;

function stageAll(stage) {
  const { folders, links } = closure();
  for (const folder of folders) copyPackage(folder, stage);
  for (const [link, target] of links) {
    const path = join(stage, relative(root, link));
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(relative(dirname(link), target), path);
  }
  for (const file of ['package.json', 'vitest.shared.ts', 'tsconfig.base.json', 'LICENSE'])
    copyFileSync(join(root, file), join(stage, file));
  for (const folder of ['bin', 'lib']) mkdirSync(join(stage, folder));
  copyFileSync(process.execPath, join(stage, 'bin', 'node'));
  // Symbols of Node itself help nobody here, and are a tenth of it.
  spawnSync('strip', [join(stage, 'bin', 'node')]);
  const vulkan = loader();
  if (vulkan === null) say("without the Vulkan loader: 'node scripts/adapter.mjs fetch' brings it.");
  else copyFileSync(realpathSync(vulkan), join(stage, 'lib', 'libvulkan.so.1'));
  const commands = {
    heddle: wrapper('.', '"$here/plugins/cli/dist/bin.js"'),
    bench: wrapper('.', '"$here/benchmarks/run.mjs"'),
    test: wrapper('plugins/backend-gpujs', 'node_modules/vitest/vitest.mjs run'),
  };
  for (const [command, text] of Object.entries(commands)) {
    writeFileSync(join(stage, command), text);
    chmodSync(join(stage, command), 0o755);
  }
  writeFileSync(join(stage, 'README.txt'), readme);
  return folders.size;
}

function must(command, args, options) {
  const { status, error, stderr, stdout } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? (stderr.trim() || `status ${status}`)}`);
  return stdout;
}

/** Names of the engines that a `heddle` finds. */
function engines(command, args, options) {
  const out = must(command, [...args, 'doctor', '--json'], options);
  const { engines: found } = JSON.parse(out.trim().split('\n').at(-1));
  return found.filter(({ available }) => available).map(engine => engine.name);
}

await main(async () => {
  const { values } = parseArgs({ options: { out: { type: 'string' }, help: { type: 'boolean', default: false } } });
  if (values.help) return void process.stdout.write(usage);
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`pack:portable: expected Linux on x64, this is ${process.platform} on ${process.arch}.`);
  await bootstrapAndBuild();
  const out = values.out ?? join(cache, 'portable', `${name}.tar.xz`);
  mkdirSync(dirname(out), { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'heddle-portable-'));
  const partial = `${out}.partial`;
  try {
    const stage = join(work, name);
    mkdirSync(stage);
    const count = stageAll(stage);
    say(`Packing ${count} packages and Node ${process.version} …`);
    must('tar', ['-cJf', partial, '--sort=name', '--owner=0', '--group=0', '-C', work, name], {
      env: { ...process.env, XZ_OPT: '-6 -T0' },
    });
    const { size } = statSync(partial);
    if (size > most)
      throw new Error(`pack:portable: expected under ${most / 1e6} MB, received ${(size / 1e6).toFixed(1)} MB.`);
    // Unpacked elsewhere and run without this workspace or its Node, before anybody carries it anywhere.
    const trial = join(work, 'trial');
    mkdirSync(trial);
    must('tar', ['-xJf', partial, '-C', trial]);
    const packed = engines(join(trial, name, 'heddle'), [], {
      env: { PATH: '/usr/bin:/bin', HOME: trial },
      cwd: trial,
    });
    const missing = engines(process.execPath, [join(root, 'plugins/cli/dist/bin.js')]).filter(e => !packed.includes(e));
    if (missing.length > 0)
      throw new Error(`pack:portable: ${missing.join(', ')} runs here, but not out of the archive.`);
    renameSync(partial, out);
    say(
      `${relative(process.cwd(), out)}: ${(size / 1e6).toFixed(1)} MB. Unpack it with tar -xJf, then ./heddle doctor`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(partial, { force: true });
  }
});
