/** Lines of text files, strictly, and files that appear whole. Under Node only. */

import { fail } from '@heddle/core';
import { brokenAt } from './text/utf8.js';

/** Asked for here, not imported: a bundle for the browser must not stumble over `node:`. */
export function builtinModule<M extends keyof BuiltinModules>(name: M): BuiltinModules[M] {
  return (
    (globalThis.process?.getBuiltinModule?.(name) as BuiltinModules[M] | undefined) ??
    fail('E_IO', `${name}: expected Node 20.16 or newer, received an environment without it. Pass the text itself.`)
  );
}

interface BuiltinModules {
  readonly 'node:fs': typeof import('node:fs');
  readonly 'node:fs/promises': typeof import('node:fs/promises');
  readonly 'node:path': typeof import('node:path');
  readonly 'node:child_process': typeof import('node:child_process');
}

export interface LineFile {
  readonly name: string;
  /** What is unusual about it and was mended: line ends of Windows, a byte-order mark. Whole after the last line. */
  readonly notices: readonly string[];
  /** At least one line and about `size` of them; empty at the end. */
  next(size: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

const NEWLINE = 0x0a;
const blockSize = 1 << 18; // bytes

/** Every encoding that begins with such a mark has zero bytes in its ASCII, so it would be refused anyway, less clearly. */
function wideEncoding(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'UTF-16';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'UTF-16' : null;
}

/**
 * Opens a file for reading by lines, in bounded memory. Lines end at `\n`; a `\r` before it is taken off and told of.
 *
 * @throws E_IO for what is missing, unreadable or no file; then, while reading, E_UTF8 and E_BINARY with the line
 */
export async function openLines(path: string): Promise<LineFile> {
  const fs = builtinModule('node:fs/promises');
  const unreadable = (error: unknown): never => {
    const { code } = error as { readonly code?: string };
    const received =
      code === 'ENOENT' || code === 'ENOTDIR'
        ? 'nothing by this name'
        : code === 'EISDIR'
          ? 'a folder'
          : code === 'EACCES'
            ? 'one that may not be read'
            : String(code ?? error);
    return fail(
      'E_IO',
      `${path}: expected a readable text file, received ${received}. Check the path and its permissions.`,
      { path, code },
      error,
    );
  };
  const handle = await fs.open(path, 'r').catch(unreadable);
  if ((await handle.stat()).isDirectory()) {
    await handle.close();
    return fail('E_IO', `${path}: expected a text file, received a folder. Name the file in it.`, { path });
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const buffer = new Uint8Array(blockSize);
  let rest = new Uint8Array(0); // the beginning of a line whose end was not read yet
  let [line, returns, firstReturn, started, ended, marked] = [0, 0, 0, false, false, false];
  let waiting: string[] = [];
  let taken = 0;

  /** Whole lines: `bytes` ends behind a newline, or at the end of the file. */
  function decode(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    let from = 0;
    if (!started) {
      started = true;
      const wide = wideEncoding(bytes);
      if (wide !== null)
        fail(
          'E_UTF8',
          `${path}: expected UTF-8, received ${wide}, by its byte-order mark in line 1. Save it as UTF-8: iconv -f ${wide} -t UTF-8.`,
          { path, line: 1, encoding: wide },
        );
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
        marked = true;
        from = 3;
      }
    }
    const own = from === 0 ? bytes : bytes.subarray(from);
    const zero = own.indexOf(0);
    if (zero >= 0)
      fail(
        'E_BINARY',
        `${path}: expected text, received a zero byte in line ${lineAt(own, zero)}. Text has none: is it UTF-16, or no text at all?`,
        { path, line: lineAt(own, zero) },
      );
    let text: string;
    try {
      text = decoder.decode(own);
    } catch (error) {
      return refuseBytes(own, error);
    }
    const lines = text.split('\n');
    if (text.endsWith('\n')) lines.pop();
    if (text.includes('\r'))
      for (const [i, one] of lines.entries())
        if (one.endsWith('\r')) {
          lines[i] = one.slice(0, -1);
          if (returns++ === 0) firstReturn = line + i + 1;
        }
    line += lines.length;
    waiting = taken >= waiting.length ? lines : [...waiting.slice(taken), ...lines];
    taken = 0;
  }

  const lineAt = (bytes: Uint8Array, offset: number): number =>
    line + bytes.subarray(0, offset).reduce((count, byte) => count + (byte === NEWLINE ? 1 : 0), 1);

  function refuseBytes(bytes: Uint8Array, error: unknown): never {
    const offset = brokenAt(bytes);
    const column = offset - bytes.lastIndexOf(NEWLINE, offset);
    const found = [...bytes.subarray(offset, offset + 4)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
    const before = line > 0 || bytes.subarray(0, offset).some(byte => byte >= 0x80);
    return fail(
      'E_UTF8',
      `${path}: expected UTF-8, received bytes ${found} in line ${lineAt(bytes, offset)}, byte ${column} of the line. ${before ? 'What comes before is UTF-8: the file mixes encodings, or was cut within a character.' : 'If it is Latin-1, convert it: iconv -f ISO-8859-1 -t UTF-8.'}`,
      { path, line: lineAt(bytes, offset), column },
      error,
    );
  }

  async function fill(): Promise<void> {
    const { bytesRead } = await handle.read(buffer, 0, blockSize).catch(unreadable);
    const block = buffer.subarray(0, bytesRead);
    const cut = bytesRead === 0 ? -1 : block.lastIndexOf(NEWLINE);
    if (bytesRead === 0) {
      ended = true;
      decode(rest);
      rest = new Uint8Array(0);
    } else if (cut < 0) {
      rest = joined(rest, block);
    } else {
      decode(joined(rest, block.subarray(0, cut + 1)));
      rest = block.slice(cut + 1);
    }
  }

  return {
    name: path,
    get notices() {
      return [
        ...(marked ? [`${path}: line 1 begins with a byte-order mark, which was left out`] : []),
        ...(returns > 0
          ? [
              `${path}: ${returns === line ? 'lines end' : `${returns} of ${line} lines end`} as on Windows (CRLF), from line ${firstReturn} on; the \\r was left out`,
            ]
          : []),
      ];
    },
    async next(size) {
      while (waiting.length - taken < size && !ended) await fill();
      const found = waiting.slice(taken, taken + size);
      taken += found.length;
      return found;
    },
    close: () => handle.close(),
  };
}

function joined(a: Uint8Array<ArrayBuffer>, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** All lines of a file. */
export async function readLines(
  path: string,
): Promise<{ readonly lines: readonly string[]; readonly notices: readonly string[] }> {
  const file = await openLines(path);
  try {
    const lines: string[] = [];
    for (let part = await file.next(4096); part.length > 0; part = await file.next(4096)) lines.push(...part);
    return { lines, notices: file.notices };
  } finally {
    await file.close();
  }
}

/** Puts a file in place as one step: readers see the old one or the new one. @throws E_IO */
export async function writeWhole(path: string, text: string): Promise<void> {
  const fs = builtinModule('node:fs/promises');
  const partial = `${path}.${process.pid}.partial`;
  try {
    await fs.writeFile(partial, text);
    await fs.rename(partial, path);
  } catch (error) {
    await fs.rm(partial, { force: true }).catch(() => {}); // the first failure says more
    fail(
      'E_IO',
      `${path}: could not be written: ${(error as Error).message}. Check the path, permissions and free space.`,
      { path },
      error,
    );
  }
}
