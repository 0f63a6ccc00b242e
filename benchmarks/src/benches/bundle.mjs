/** What a browser downloads: each package bundled and minified by esbuild. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { folder, repository } from '../paths.mjs';
import { table } from '../table.mjs';

export const name = 'bundle';
export const title = 'Bundle sizes';
export const share = 0; // goes by its work, not by the clock

/** The copy that the tests across packages pin. */
const esbuild = () => createRequire(join(repository, 'tests', 'package.json'))('esbuild');

/** Every package with a built entry. @returns {{ name: string, entries: [string, string][] }[]} */
function packages() {
  return ['packages', 'plugins']
    .flatMap(kind => readdirSync(join(repository, kind)).map(dir => join(repository, kind, dir)))
    .filter(dir => existsSync(join(dir, 'package.json')))
    .map(dir => {
      const { name: packageName, exports: exported = {} } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
      const entries = Object.entries(exported)
        .map(([key, target]) => [
          key === '.' ? packageName : packageName + key.slice(1),
          join(dir, target?.default ?? ''),
        ])
        .filter(([, file]) => file.endsWith('.js') && existsSync(file));
      return { name: packageName, entries };
    });
}

const nodeOnly = /Could not resolve "(node:)?[\w/]+"/;

/** The package that a bundled file came from. */
const ownerOf = path => {
  const inModules = path.lastIndexOf('node_modules/');
  if (inModules >= 0) {
    const [scope, second] = path.slice(inModules + 'node_modules/'.length).split('/');
    return scope.startsWith('@') ? `${scope}/${second}` : scope;
  }
  const ours = path.match(/(?:packages|plugins)\/([^/]+)\//);
  return ours ? `@heddle/${ours[1]}` : 'entry';
};

async function bundle(contents, external) {
  const { outputFiles, metafile } = await esbuild().build({
    stdin: { contents, resolveDir: folder(), loader: 'js' },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2023',
    platform: 'browser',
    metafile: true,
    external,
    logLevel: 'silent',
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const owners = {};
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const owner = ownerOf(path);
    owners[owner] = (owners[owner] ?? 0) + bytesInOutput;
  }
  delete owners.entry;
  return {
    bytes: outputFiles[0].contents.length,
    gzip: gzipSync(outputFiles[0].contents, { level: 9 }).length,
    owners,
  };
}

const attempt = async (contents, external) => {
  try {
    return await bundle(contents, external);
  } catch (error) {
    return { failed: nodeOnly.test(error.message) ? 'for Node only' : (error.message.split('\n')[1] ?? error.message) };
  }
};

export async function run(_, log) {
  const rows = [];
  for (const { entries } of packages()) {
    for (const [specifier, file] of entries) {
      log(`  ${specifier}`);
      const source = `export * from ${JSON.stringify(file)};`;
      // A default export is what a host is given, and `export *` leaves it out.
      const contents = /export (default|\{[^}]*\bas default\b)/.test(readFileSync(file, 'utf8'))
        ? `${source} export { default } from ${JSON.stringify(file)};`
        : source;
      const own = specifier.startsWith('@heddle/core') ? [] : ['@heddle/core', '@heddle/core/*'];
      rows.push({ specifier, whole: await attempt(contents, []), alone: await attempt(contents, own) });
    }
  }
  return { rows };
}

const kilo = bytes => (bytes / 1000).toFixed(1);

export function render({ rows }) {
  const shown = rows.filter(r => !r.whole.failed);
  const left = rows.filter(r => r.whole.failed);
  return [
    'Everything that an entry exports, bundled for a browser and minified, in kB; “alone” leaves `@heddle/core` out. An application that uses part of it downloads less.',
    table(
      ['entry', 'minified', 'gzipped', 'alone, gzipped', 'made of'],
      shown.map(({ specifier, whole, alone }) => [
        `\`${specifier}\``,
        kilo(whole.bytes),
        kilo(whole.gzip),
        alone.failed ? '–' : kilo(alone.gzip),
        Object.entries(whole.owners)
          .toSorted((a, b) => b[1] - a[1])
          .map(([owner, bytes]) => `${owner} ${kilo(bytes)}`)
          .join(', '),
      ]),
    ),
    left.map(r => `- left out: \`${r.specifier}\`: ${r.whole.failed}`).join('\n'),
  ];
}

export const figures = ({ rows }) => {
  const core = rows.find(r => r.specifier === '@heddle/core');
  return { 'bundle-core-kb': core?.whole.gzip ? core.whole.gzip / 1000 : Number.NaN };
};
