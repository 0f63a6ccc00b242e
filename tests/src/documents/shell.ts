/** Lines that a reader would type: scripts, commands, options and files that they name exist. Nothing is run but `--help`. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command } from '../support/programs.js';
import { readManifest, root } from '../workspace.js';
import type { Block } from './blocks.js';

interface Scripts {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly packageManager?: string;
}

/** What npm itself knows. */
const npmOwn = ['install', 'i', 'ci', 'create', 'init', 'exec', 'publish', 'dedupe', 'pack', 'login'];

const words = (line: string): readonly string[] =>
  (line.replace(/\s#.*$/, '').match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map(word => word.replaceAll(/^["']|["']$/g, ''));

/** @returns one line for each thing that does not exist */
export async function shellFailures({ file, line, code }: Block): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const [i, text] of joined(code)) {
    const problem = await problemOf(words(text), dirname(file));
    if (problem !== null) failures.push(`${file}:${line + i}: ${problem}`);
  }
  return failures;
}

/** Lines with their number; a `\` at the end joins the next. */
function joined(code: string): readonly (readonly [number, string])[] {
  const lines: [number, string][] = [];
  let open = false;
  for (const [i, text] of code.split('\n').entries()) {
    if (open) lines.at(-1)![1] += ` ${text.replace(/\\$/, '')}`;
    else lines.push([i, text.replace(/\\$/, '')]);
    open = text.endsWith('\\');
  }
  return lines;
}

async function problemOf([program, ...args]: readonly string[], folder: string): Promise<string | null> {
  if (program === 'heddle') return heddleProblem(args);
  if (program === 'node') return nodeProblem(args, folder);
  if (program === 'npm') return npmProblem(args, folder);
  if (program === 'npx') return npxProblem(args);
  return null;
}

function nodeProblem(args: readonly string[], folder: string): string | null {
  const file = args.find(arg => !arg.startsWith('-'));
  if (file === undefined || [root, join(root, folder)].some(base => existsSync(join(base, file)))) return null;
  return `node: there is no file ${file}`;
}

async function npmProblem(args: readonly string[], folder: string): Promise<string | null> {
  const cut = args.indexOf('--');
  const [verb, ...rest] = (cut < 0 ? args : args.slice(0, cut)).filter(arg => !arg.startsWith('-'));
  if (verb === undefined || npmOwn.includes(verb)) return null;
  const script = verb === 'run' ? rest[0] : verb;
  const has = (where: string): boolean =>
    existsSync(join(root, where, 'package.json')) &&
    script !== undefined &&
    script in ((readManifest(where) as Scripts).scripts ?? {});
  if (!has('.') && !has(folder)) return `npm: there is no script '${script ?? ''}'`;
  return script === 'heddle' ? heddleProblem(cut < 0 ? [] : args.slice(cut + 1)) : null;
}

function npxProblem(args: readonly string[]): Promise<string | null> | string | null {
  const [name, ...rest] = args.filter(
    (arg, i) => !(arg.startsWith('-') && args.slice(0, i).every(before => before.startsWith('-'))),
  );
  if (name === 'heddle') return heddleProblem(rest);
  const [bare, version] = (name ?? '').split('@');
  if (bare === 'pnpm') {
    const { packageManager } = readManifest('.') as Scripts;
    return `pnpm@${version}` === packageManager ? null : `npx: expected ${packageManager}, received ${name}`;
  }
  return ['node_modules/.bin', 'tests/node_modules/.bin'].some(bin => existsSync(join(root, bin, bare!)))
    ? null
    : `npx: no package here has a program '${bare}'`;
}

const helps = new Map<string, Promise<string>>();

function helpOf(names: readonly string[]): Promise<string> {
  const key = names.join(' ');
  if (!helps.has(key)) {
    const asked = command(process.execPath, [join(root, 'plugins/cli/bin/heddle.js'), ...names, '--help']).then(
      ({ code, stdout, stderr }) => (code === 0 ? stdout : `failed: ${stderr}`),
    );
    helps.set(key, asked);
  }
  return helps.get(key)!;
}

/** A command may have two words, and its arguments look like words too: the longest that has a help of its own counts. */
async function heddleProblem(args: readonly string[]): Promise<string | null> {
  const cut = args.findIndex(arg => arg.startsWith('-'));
  const names = cut < 0 ? args : args.slice(0, cut);
  const options = args.filter(arg => arg.startsWith('-')).map(arg => arg.split('=')[0]!);
  for (const length of [2, 1, 0]) {
    if (names.length < length) continue;
    const tried = names.slice(0, length);
    const help = await helpOf(tried);
    if (help.startsWith('failed: ')) continue;
    const usage = /^Usage: heddle ?(.*)$/m.exec(help)?.[1] ?? '';
    if (!usage.startsWith(tried.join(' '))) continue;
    if (length === 0 && names.length > 0) return `heddle: there is no command '${names[0]}'`;
    const unknown = options.find(
      option => !['--help', '-h'].includes(option) && !new RegExp(`(^|[\\s,])${option}([\\s,=<[]|$)`, 'm').test(help),
    );
    return unknown === undefined ? null : `heddle ${tried.join(' ')}: there is no option ${unknown}`;
  }
  return `heddle ${names.join(' ')}: --help does not answer: ${(await helpOf([])).slice(0, 200)}`;
}
