/** Documents from files and folders. Under Node only; elsewhere, pass text. */

import { fail } from '@heddle/core';
import type { Document } from './corpus.js';
import { jsonLines } from './json-lines.js';
import { textOf } from './utf8.js';

/** What a folder gives: files with one of these endings. */
export const textEndings: readonly string[] = [
  '.jsonl',
  '.txt',
  '.text',
  '.md',
  '.markdown',
  '.rst',
  '.org',
  '.adoc',
  '.tex',
];

export interface ReadOptions {
  /** Endings that count in a folder; a file given by its own name may end as it likes. */
  readonly endings?: readonly string[];
  /** Of `.jsonl` files: the field that holds the text of each line's document. Default `text`. */
  readonly field?: string;
}

export interface Reading {
  readonly documents: readonly Document[];
  /** Files of a folder that were left out, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Reads files, and the documents of folders in the order of their paths. A `.jsonl` file has a document in each line. In folders, hidden entries, `node_modules` and
 * links are passed by, and empty files are skipped; a file given by name must have text.
 *
 * @throws E_IO for what is missing, unreadable, no file or too large; E_EMPTY, E_UTF8, E_BINARY for what is no text; E_JSON
 */
export async function readDocuments(
  paths: string | readonly string[],
  { endings = textEndings, field = 'text' }: ReadOptions = {},
): Promise<Reading> {
  const fs = files();
  const documents: Document[] = [];
  const skipped: { name: string; reason: string }[] = [];
  for (const path of new Set(typeof paths === 'string' ? [paths] : paths)) {
    const status = await fs.stat(path).catch((error: unknown) => unreadable(path, error));
    if (!status.isDirectory()) {
      const text = await readText(path);
      if (text.trim() === '')
        fail(
          'E_EMPTY',
          `${path}: expected text, received ${text === '' ? 'an empty file' : 'white space only'}. Leave it out.`,
          { path },
        );
      documents.push(...documentsOf({ name: path, text }, field));
      continue;
    }
    const found = await listFolder(path, endings);
    for (const name of found) {
      const text = await readText(name);
      if (text.trim() === '') skipped.push({ name, reason: 'empty' });
      else documents.push(...documentsOf({ name, text }, field));
    }
    if (found.length === skipped.length && documents.length === 0) {
      fail(
        'E_EMPTY',
        `${path}: expected documents (${endings.join(' ')}), received a folder with ${found.length === 0 ? 'none' : 'empty ones only'}. Name the files themselves.`,
        { path, endings },
      );
    }
  }
  if (documents.length === 0) fail('E_EMPTY', 'corpus: expected files or folders, received none. Name at least one.');
  return { documents, skipped };
}

/** The file, or of JSON lines each line that has text. */
const documentsOf = (file: Document, field: string): readonly Document[] =>
  file.name.endsWith('.jsonl')
    ? [...jsonLines(file)]
        .map(line => ({ name: line.where, text: line.field(field) }))
        .filter(({ text }) => text.trim() !== '')
    : [file];

/**
 * One file as text, without its byte-order mark.
 *
 * @throws E_IO, E_UTF8, E_BINARY
 */
export const readText = async (path: string): Promise<string> => textOf(await readBytes(path), path);

/** One file. @throws E_IO for what is missing, unreadable, no file or too large */
export async function readBytes(path: string): Promise<Uint8Array> {
  const fs = files();
  const status = await fs.stat(path).catch((error: unknown) => unreadable(path, error));
  if (!status.isFile())
    fail(
      'E_IO',
      `${path}: expected a file, received ${status.isDirectory() ? 'a folder' : 'a device or pipe'}. Save it to a file first.`,
      { path },
    );
  if (status.size > longestFile) {
    fail(
      'E_IO',
      `${path}: expected at most ${longestFile} bytes, received ${status.size}. Split it: split --line-bytes=256M.`,
      { path, size: status.size, limit: longestFile },
    );
  }
  return fs.readFile(path).catch((error: unknown) => unreadable(path, error));
}

/** A string of V8 has at most 2^29 - 24 units; ASCII text has one to a byte. */
const longestFile = 2 ** 29 - 24;

async function listFolder(folder: string, endings: readonly string[]): Promise<string[]> {
  const entries = await files()
    .readdir(folder, { withFileTypes: true })
    .catch((error: unknown) => unreadable(folder, error));
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = `${folder.replace(/[\\/]+$/, '')}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await listFolder(path, endings)));
    else if (entry.isFile() && endings.some(ending => entry.name.toLowerCase().endsWith(ending))) found.push(path);
  }
  return found.sort((a, b) => (a < b ? -1 : 1)); // by UTF-16 unit: the same on every machine, whatever its language
}

function unreadable(path: string, error: unknown): never {
  const { code } = error as { readonly code?: string };
  const received =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? 'nothing by this name'
      : code === 'EACCES' || code === 'EPERM'
        ? 'one that may not be read'
        : String(code ?? error);
  return fail(
    'E_IO',
    `${path}: expected a readable file or folder, received ${received}. Check the path and its permissions.`,
    { path, code },
    error,
  );
}

/** Asked for here, not imported: a bundle for the browser must not stumble over `node:`. */
export function files(): typeof import('node:fs/promises') {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs/promises');
  return (
    fs ??
    fail('E_IO', 'files: expected Node 20.16 or newer, received an environment without files. Pass the text itself.')
  );
}
