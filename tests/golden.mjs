/**
 * Runs golden files through what the packages implement.
 *
 *   node tests/golden.mjs [--dir DIR] [--kind K]... [--json]
 *
 * DIR holds one folder for each kind. A folder that nothing implements counts as one failure; so does each file that a
 * known kind does not recognise. Texts (*.md) are left alone. Packages offer kinds in `src/golden/index.ts`.
 */

import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const usage = 'usage: npm run golden -- [--dir DIR] [--kind K]... [--json]';

/** @returns {Promise<import('@heddle/core/testing').GoldenKind[]>} */
async function findKinds() {
  const kinds = [];
  for (const group of ['packages', 'plugins']) {
    const folder = join(root, group);
    for (const name of existsSync(folder) ? (await readdir(folder)).sort() : []) {
      const entry = join(folder, name, 'dist', 'golden', 'index.js');
      if (existsSync(entry)) kinds.push(...(await import(pathToFileURL(entry).href)).kinds);
    }
  }
  return [...new Set(kinds.map(({ name }) => name))].map(name => joined(kinds.filter(kind => kind.name === name)));
}

/** Kinds of one name as one: packages may share a folder, each with files of its own. */
function joined(kinds) {
  const of = file => kinds.find(kind => kind.recognises(file));
  return {
    name: kinds[0].name,
    recognises: file => of(file) !== undefined,
    ignores: file => kinds.some(kind => kind.ignores?.(file)),
    check: file => of(file.name).check(file),
  };
}

/** `torch` also serves `torch-golden` and `torch.public`: ends of names differ between sets. */
const kindOf = (kinds, folder) =>
  kinds
    .filter(({ name }) => folder === name || (folder.startsWith(name) && /^[-_.\d]/.test(folder.slice(name.length))))
    .sort((a, b) => b.name.length - a.name.length)[0] ?? null;

/** Files below a folder, as paths with `/`, but for texts and hidden ones. */
async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry =>
      join(entry.parentPath ?? entry.path, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    )
    .filter(name => !name.endsWith('.md') && !name.split('/').some(part => part.startsWith('.')))
    .sort();
}

/** What one file gives: cases, or one failure that names it. */
async function* casesOf(kind, folder, name) {
  const path = join(folder, name);
  if (kind.ignores?.(name)) return;
  if (!kind.recognises(name)) {
    yield { id: name, passed: false, detail: `unknown file: kind '${kind.name}' does not recognise its name` };
    return;
  }
  let count = 0;
  try {
    for await (const found of kind.check({ name, path, text: () => readFile(path, 'utf8') })) {
      count++;
      yield found;
    }
    if (count === 0) yield { id: name, passed: false, detail: 'the file holds no case' };
  } catch (error) {
    yield {
      id: name,
      passed: false,
      detail: `cannot be run: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Folders to run, with the kind of each (null: nothing implements it). */
async function foldersIn(dir, kinds, wanted) {
  const own = kindOf(kinds, basename(dir));
  const entries = await readdir(dir, { withFileTypes: true });
  // DIR may be the folder of one kind itself.
  if (own && entries.some(entry => entry.isFile() && own.recognises(entry.name))) return [{ folder: dir, kind: own }];
  const names = entries.filter(entry => entry.isDirectory() && !entry.name.startsWith('.')).map(entry => entry.name);
  const loose = entries.filter(entry => entry.isFile() && !entry.name.endsWith('.md') && !entry.name.startsWith('.'));
  return [
    ...names.sort().map(name => ({ folder: join(dir, name), kind: kindOf(kinds, name) })),
    ...loose.map(entry => ({ folder: join(dir, entry.name), kind: null })),
  ].filter(
    ({ folder, kind }) =>
      wanted.length === 0 || wanted.some(name => kind?.name === name || kindOf([{ name }], basename(folder)) !== null),
  );
}

function table(rows) {
  const head = ['kind', 'cases', 'passed', 'failed', 'worst error'];
  const cells = rows.map(row => [
    row.kind,
    String(row.cases),
    String(row.passed),
    String(row.failed),
    row.worst === null ? '-' : row.worst.toExponential(1),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map(line => line[i].length)));
  const line = parts =>
    parts.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  ');
  return [line(head), ...cells.map(line)].join('\n');
}

async function main() {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      kind: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const dir = resolve(values.dir ?? join(root, '..', 'shared', 'golden'));
  if (!existsSync(dir)) {
    console.error(
      `golden: expected a folder with one folder for each kind, found none at ${dir}. Name one with --dir.`,
    );
    console.log('0 passed, 1 failed');
    return 1;
  }
  const kinds = await findKinds();
  const wanted = values.kind ?? [];
  const folders = await foldersIn(dir, kinds, wanted);
  const rows = [];
  const failures = [];
  for (const { folder, kind } of folders) {
    const row = { kind: kind?.name ?? basename(folder), cases: 0, passed: 0, failed: 0, worst: null };
    rows.push(row);
    const fail = (id, detail) => {
      row.failed++;
      failures.push({ kind: row.kind, id, detail });
    };
    if (!kind) {
      row.cases++;
      fail(basename(folder), 'nothing implements this kind');
      continue;
    }
    for (const name of await filesIn(folder)) {
      for await (const { id, passed, detail, error } of casesOf(kind, folder, name)) {
        row.cases++;
        if (passed) row.passed++;
        else fail(`${name}: ${id}`, detail);
        if (typeof error === 'number') row.worst = Math.max(row.worst ?? 0, error);
      }
    }
    if (row.cases === 0) {
      row.cases++;
      fail(basename(folder), 'the folder holds no file of this kind');
    }
  }
  for (const name of wanted.filter(
    one => !folders.some(({ folder, kind }) => kind?.name === one || kindOf([{ name: one }], basename(folder))),
  )) {
    rows.push({ kind: name, cases: 1, passed: 0, failed: 1, worst: null });
    failures.push({ kind: name, id: name, detail: `no folder of this kind below ${dir}` });
  }
  if (rows.length === 0) {
    rows.push({ kind: basename(dir), cases: 1, passed: 0, failed: 1, worst: null });
    failures.push({ kind: basename(dir), id: dir, detail: 'the folder holds no kind' });
  }
  const sum = name => rows.reduce((n, row) => n + row[name], 0);
  const [passed, failed] = [sum('passed'), sum('failed')];
  if (values.json) {
    console.log(
      JSON.stringify(
        {
          kinds: rows.map(row => ({
            ...row,
            worst: Number.isFinite(row.worst) ? row.worst : row.worst === null ? null : String(row.worst),
          })),
          failures,
          passed,
          failed,
        },
        null,
        2,
      ),
    );
  } else {
    for (const { kind, id, detail } of failures.slice(0, 200)) console.log(`FAILED ${kind} ${id}: ${detail}`);
    if (failures.length > 200) console.log(`… and ${failures.length - 200} more failures`);
    if (failures.length > 0) console.log();
    console.log(table(rows));
    console.log(`${passed} passed, ${failed} failed`);
  }
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const words = error instanceof Error ? error.message : String(error);
  console.error(error?.code?.startsWith?.('ERR_PARSE_ARGS') ? `golden: ${words}\n${usage}` : error);
  process.exitCode = 2;
}
