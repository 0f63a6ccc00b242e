/** Who may import whom, as rules on import statements. Needs no tool and no build. */

import { posix } from 'node:path';
import { importsOf, type Import } from './imports.js';

export interface Package {
  readonly name: string;
  /** Relative to the workspace: `plugins/text`. */
  readonly folder: string;
  /** The tag `type:…` of its package.json without the prefix. */
  readonly kind: string;
  /** What its package.json declares for users, and additionally for its own development. */
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  /** Keys of its exports map: `.`, `./kernel`. */
  readonly entries: readonly string[];
  /** Path of each source file relative to the package, and its text. */
  readonly files: ReadonlyMap<string, string>;
}

/** An arrow against the order, and why it stays. */
export interface Exception {
  readonly file: string;
  readonly to: string;
  readonly reason: string;
}

interface Context {
  readonly from: Package;
  readonly file: string;
  readonly test: boolean;
  readonly imported: Import;
  readonly packages: ReadonlyMap<string, Package>;
}

/** @returns what rule the import breaks, or null */
type Rule = (context: Context) => string | null;

/** Inside core, what a folder may load. `*` after a name: its types only. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  version: [],
  random: ['errors'],
  io: ['errors', 'ir*'],
  ir: ['errors', 'random', 'tensor*'],
  tensor: ['errors', 'ir', 'random', 'backend*'],
  lower: ['errors', 'ir', 'random', 'tensor', 'backend*'],
  backend: ['errors', 'ir', 'random', 'tensor', 'lower'],
  model: ['errors', 'ir', 'random', 'tensor', 'io', 'lower', 'backend'],
  optim: ['errors', 'ir', 'random', 'tensor', 'lower', 'backend'],
  plugin: ['errors', 'version', 'ir*', 'tensor*', 'backend*', 'model*', 'optim*', 'io*', 'train*', 'pipeline*'],
  train: ['errors', 'ir', 'random', 'tensor', 'io', 'lower', 'backend', 'model', 'optim', 'plugin*'],
  pipeline: ['errors', 'io', 'random', 'plugin', 'train'],
};

/** Core's own entries, and what serves tests: these import any folder, and no folder imports them. */
const onTop = ['index', 'node', 'testing', 'golden'];

export const exceptions: readonly Exception[] = [
  { file: 'ir/grad.ts', to: 'tensor', reason: 'a gradient of an op is a function on tensors' },
  { file: 'tensor/evaluate.ts', to: 'lower', reason: 'evaluate is trace, lower and reference in one call' },
  { file: 'tensor/evaluate.ts', to: 'backend', reason: 'evaluate is trace, lower and reference in one call' },
  { file: 'plugin/builtin.ts', to: 'backend', reason: 'what core itself contributes' },
  { file: 'plugin/builtin.ts', to: 'pipeline', reason: 'what core itself contributes' },
];

const container = 'packages/core/src/plugin/container.ts';
const containerOnly = ['tsyringe', '@abraham/reflection'];
const rxjsInCore = ['train', 'pipeline', 'plugin'];
const rxjsKinds = ['core', 'research', 'plugin', 'tracker', 'executor', 'cli', 'tests', 'examples', 'benchmarks'];
const nodeKinds = ['tracker', 'executor', 'cli', 'tests', 'examples', 'benchmarks'];
const freeKinds = ['cli', 'tests', 'examples', 'benchmarks'];
/** Entries of a backend that must load where there is no Node. */
const browserEntries = ['web', 'kernel'];

const packageOf = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
const isRelative = (specifier: string): boolean => specifier.startsWith('.');
const folderOf = (file: string): string =>
  file
    .replace(/^src\//, '')
    .split('/')[0]!
    .replace(/\.ts$/, '');
const resolve = (file: string, specifier: string): string =>
  posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');

const staysInPackage: Rule = ({ file, imported }) =>
  isRelative(imported.specifier) && posix.join(posix.dirname(file), imported.specifier).startsWith('..')
    ? 'a relative import stays in its package; import another package by its name'
    : null;

const onlyTheContainerKnowsTsyringe: Rule = ({ from, file, imported }) =>
  containerOnly.includes(packageOf(imported.specifier)) && `${from.folder}/${file}` !== container
    ? `only ${container} imports ${packageOf(imported.specifier)}`
    : null;

const rxjsWhereEventsAre: Rule = ({ from, file, test, imported }) => {
  if (packageOf(imported.specifier) !== 'rxjs' || test) return null;
  if (!rxjsKinds.includes(from.kind)) return `a ${from.kind} package does not import rxjs`;
  if (from.kind !== 'core' || rxjsInCore.includes(folderOf(file))) return null;
  return `in core only ${rxjsInCore.join(', ')} import rxjs`;
};

const nodeWhereMarked: Rule = ({ from, file, test, imported }) => {
  if (!imported.specifier.startsWith('node:') || test || nodeKinds.includes(from.kind)) return null;
  if (/\.node\.ts$|(^|\/)node(\.ts$|\/)/.test(file) || file === 'src/cli.ts') return null;
  if (from.kind !== 'backend') return 'node: modules are imported in files named *.node.ts, node.ts or cli.ts only';
  const entry = browserEntries.find(name => reachable(from, `src/${name}.ts`).has(file));
  return entry === undefined ? null : `the entry ./${entry} loads this file and must load without Node`;
};

const declared: Rule = ({ from, test, imported }) => {
  if (isRelative(imported.specifier) || imported.specifier.startsWith('node:')) return null;
  const name = packageOf(imported.specifier);
  if (name === from.name || from.dependencies.includes(name)) return null;
  if ((test || from.kind === 'tests') && from.devDependencies.includes(name)) return null;
  if (['examples', 'benchmarks'].includes(from.kind) && from.devDependencies.includes(name)) return null;
  return `${from.folder}/package.json does not declare ${name}`;
};

const throughExports: Rule = ({ imported, packages }) => {
  const target = packages.get(packageOf(imported.specifier));
  if (target === undefined) return null;
  const entry = `.${imported.specifier.slice(target.name.length)}`;
  return target.entries.includes(entry) ? null : `${target.name} has no entry '${entry}'`;
};

const testingInTests: Rule = ({ from, test, imported }) =>
  imported.specifier === '@heddle/core/testing' && !test && !freeKinds.includes(from.kind)
    ? 'the conformance kit is for tests'
    : null;

const kindsMeetByName: Rule = ({ from, test, imported, packages }) => {
  const target = packages.get(packageOf(imported.specifier));
  if (target === undefined || target === from || target.kind === 'core' || freeKinds.includes(from.kind)) return null;
  if (from.kind === 'core') return 'core knows no other package';
  if (from.kind === 'research' && target.kind === 'research') return 'research packages meet by name, through the host';
  if (target.kind === 'backend' && (imported.specifier === `${target.name}/kernel` || test)) return null;
  if (target.kind === 'backend') return `import ${target.name}/kernel: only the application chooses a backend`;
  return from.kind === 'research' || test ? null : `a ${from.kind} package imports core only`;
};

const arrowsInCore: Rule = ({ from, file, test, imported }) => {
  if (from.kind !== 'core' || test || !isRelative(imported.specifier)) return null;
  const here = folderOf(file);
  const there = folderOf(resolve(file, imported.specifier));
  const allowed = arrows[here];
  if (allowed === undefined || here === there || allowed.includes(there)) return null;
  if (imported.typeOnly && allowed.includes(`${there}*`)) return null;
  if (exceptions.some(exception => `src/${exception.file}` === file && exception.to === there)) return null;
  const list = allowed.map(name => (name.endsWith('*') ? `types of ${name.slice(0, -1)}` : name)).join(', ');
  return `${here} may import ${list || 'nothing'}, not ${there}`;
};

const knownFolders: Rule = ({ from, file }) => {
  if (from.kind !== 'core' || arrows[folderOf(file)] !== undefined) return null;
  return onTop.includes(folderOf(file)) || /^src\/[^/]+\.test\.ts$/.test(file)
    ? null
    : `core has no folder '${folderOf(file)}' in the order of tests/src/boundaries.ts; add it there`;
};

const rules: readonly Rule[] = [
  staysInPackage,
  onlyTheContainerKnowsTsyringe,
  rxjsWhereEventsAre,
  nodeWhereMarked,
  declared,
  throughExports,
  testingInTests,
  kindsMeetByName,
  arrowsInCore,
  knownFolders,
];

const isTest = (file: string): boolean =>
  /\.test\.ts$|(^|\/)(fixtures|testing)\//.test(file) || file === 'vitest.config.ts';

/** @returns one line for each import that breaks a rule: file, import, rule */
export function violations(all: readonly Package[]): readonly string[] {
  const packages = new Map(all.map(item => [item.name, item]));
  return all.flatMap(from =>
    [...from.files].flatMap(([file, text]) =>
      importsOf(file, text).flatMap(imported =>
        rules
          .map(rule => rule({ from, file, test: isTest(file), imported, packages }))
          .filter(broken => broken !== null)
          .map(broken => `${from.folder}/${file}:${imported.line} imports '${imported.specifier}': ${broken}`),
      ),
    ),
  );
}

/** @returns exceptions that nothing needs any more */
export function unused(core: Package): readonly Exception[] {
  return exceptions.filter(({ file, to }) => {
    const text = core.files.get(`src/${file}`);
    if (text === undefined) return true;
    return !importsOf(file, text).some(
      ({ specifier }) => isRelative(specifier) && folderOf(resolve(`src/${file}`, specifier)) === to,
    );
  });
}

/** Files that loading `entry` loads from the same package. */
function reachable(from: Package, entry: string, seen = new Set<string>()): ReadonlySet<string> {
  const text = from.files.get(entry);
  if (text === undefined || seen.has(entry)) return seen;
  seen.add(entry);
  for (const { specifier, typeOnly } of importsOf(entry, text)) {
    if (!typeOnly && isRelative(specifier)) reachable(from, resolve(entry, specifier), seen);
  }
  return seen;
}
