/** JSON lines in and out, as streams: neither file is ever whole in memory. */

import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fail } from '@heddle/core';
import { fileSink } from '@heddle/core/node';

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** @param path a file, or `-` for standard input @throws E_FILE, E_JSON with the line */
export async function* jsonLines(path: string): AsyncGenerator<Line> {
  const input = path === '-' ? process.stdin : await readable(path);
  const lines = createInterface({ input, crlfDelay: Infinity });
  let number = 0;
  try {
    for await (const text of lines) {
      number++;
      if (text.trim() === '') continue;
      let value: unknown;
      try {
        value = JSON.parse(text.replace(/^\uFEFF/, ''));
      } catch (error) {
        fail(
          'E_JSON',
          `${path}, line ${number}: expected one JSON object, received ${JSON.stringify(text.slice(0, 60))}. Correct that line.`,
          { path, line: number },
          error,
        );
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        fail(
          'E_JSON',
          `${path}, line ${number}: expected a JSON object, received ${Array.isArray(value) ? 'an array' : typeof value}. Write one object a line.`,
          { path, line: number },
        );
      yield { number, value: value as Readonly<Record<string, unknown>> };
    }
  } finally {
    lines.close();
  }
}

async function readable(path: string): Promise<NodeJS.ReadableStream> {
  try {
    const file = await open(path);
    if ((await file.stat()).isDirectory()) {
      await file.close();
      throw new Error('a folder');
    }
    return file.createReadStream({ encoding: 'utf8' });
  } catch (error) {
    return fail(
      'E_FILE',
      `${path}: expected a file to read, received: ${(error as Error).message}. Check the path.`,
      { path },
      error,
    );
  }
}

export interface LineSink {
  write(value: unknown): Promise<void>;
  /** Makes the file visible under its name. */
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/** A file that appears when it is whole. @throws E_IO, E_DISK_FULL from each call; nothing half-written stays */
export async function openLines(path: string): Promise<LineSink> {
  const sink = await fileSink(path);
  const encoder = new TextEncoder();
  let waiting = '';
  const flush = async (): Promise<void> => {
    const text = waiting;
    waiting = '';
    if (text !== '') await sink.write(encoder.encode(text));
  };
  return {
    write: async value => {
      waiting += `${JSON.stringify(value, plain)}\n`;
      if (waiting.length > 65_536) await flush();
    },
    finish: async () => {
      await flush();
      await sink.finish();
    },
    discard: () => sink.abort(),
  };
}

/** JSON has no whole numbers beyond doubles: they are written as text. */
export const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
