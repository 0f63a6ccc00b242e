/** Reading and writing JSON files, with errors that name the file. */

import { readFile } from 'node:fs/promises';
import { fail, parseJson, type Json } from '@heddle/core';
import { atomicWriteFile } from '@heddle/core/node';

type JsonObject = Readonly<Record<string, Json>>;

/** @throws E_FILE when it cannot be read; E_JSON when it is no JSON object */
export async function readJsonObject(path: string, what: string): Promise<JsonObject> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    fail(
      'E_FILE',
      `${path}: expected ${what}, received ${error.code === 'ENOENT' ? 'nothing by this name' : String(error.code ?? error.message)}. Check the path.`,
      { path },
      error,
    ),
  );
  const json = parseJson(text, { thing: path });
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    return fail(
      'E_JSON',
      `${path}: expected ${what}, a JSON object, received ${Array.isArray(json) ? 'a list' : typeof json}. Correct the file.`,
      { path },
    );
  return json as JsonObject; // neither null nor a list
}

export const writeJson = (path: string, value: unknown): Promise<void> =>
  atomicWriteFile(path, `${JSON.stringify(value, null, 2)}\n`);
