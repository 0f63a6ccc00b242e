/** Artifacts: files by content. Stages pass their URIs, never the bytes. */

import { fail } from '../errors.js';
import { token } from '../plugin/container.js';

/** Bytes at once, or as they come. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

export interface Artifact {
  readonly uri: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** The file on this machine that holds exactly these bytes, where there is one. Not to be written to. */
  readonly path: string | null;
  /** Bytes from `start` up to, not including, `end`; all of them unless said. */
  read(start?: number, end?: number): Promise<Uint8Array>;
  stream(): AsyncIterable<Uint8Array>;
}

/** A store that names things by what is in them: the same bytes have the same URI, and a URI never changes its meaning. */
export interface Artifacts {
  /**
   * Stores bytes; all or nothing.
   *
   * @param name for people, and for the ending: `model.safetensors`
   * @returns `artifact:SHA256/NAME`
   * @throws E_NAME for a name with a slash, a colon or a control character
   */
  put(name: string, content: Content): Promise<string>;
  /** @throws E_ARTIFACT when it is not here, or no longer what it was */
  open(uri: string): Promise<Artifact>;
  has(uri: string): Promise<boolean>;
}

/** Where stages put files. In memory unless a plugin or the caller says otherwise. */
export const ARTIFACTS = token<Artifacts>('artifacts');

const pattern = /^artifact:([0-9a-f]{64})\/(.+)$/s;
// No separators, drive letters, control characters, nor a leading dot: a name is a label and never a way anywhere.
// oxlint-disable-next-line no-control-regex
const label = /^(?!\.)[^/\\:\u0000-\u001f\u007f]{1,200}$/;

export const uriOf = (hash: string, name: string): string => `artifact:${hash}/${name}`;

/**
 * Takes a URI apart.
 *
 * @throws E_ARTIFACT for anything but `artifact:SHA256/NAME`, ways out of the store included
 */
export function parseUri(uri: string): { readonly hash: string; readonly name: string } {
  const match = pattern.exec(uri);
  const [, hash, name] = match ?? [];
  if (hash !== undefined && name !== undefined && label.test(name)) return { hash, name };
  return fail('E_ARTIFACT', `artifact: expected a URI artifact:SHA256/NAME as put() gives, received '${String(uri).slice(0, 120)}'. Pass URIs on unchanged.`, { uri });
}

/** @throws E_NAME */
export function refuseLabel(name: string): void {
  if (typeof name === 'string' && label.test(name)) return;
  fail('E_NAME', `artifact: expected a plain file name, received ${JSON.stringify(name)}. Leave out folders, colons, control characters and a leading dot.`, { name });
}

/** @throws E_ARTIFACT */
export function missingArtifact(uri: string, where: string): never {
  fail('E_ARTIFACT', `artifact '${uri}': expected it in ${where}, found nothing. It was removed, or belongs to another store; run the stage that made it again with { fresh: true }.`, {
    uri,
    where,
  });
}

/** Every artifact URI inside a JSON value. */
export function artifactsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return pattern.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(artifactsIn);
}

/** A store that ends with the process. */
export function memoryArtifacts(): Artifacts {
  const held = new Map<string, Uint8Array>();
  return {
    async put(name, content) {
      refuseLabel(name);
      const bytes = content instanceof Uint8Array ? new Uint8Array(content) : await gather(content);
      const hash = await sha256(bytes);
      held.set(hash, bytes);
      return uriOf(hash, name);
    },
    async open(uri) {
      const { hash, name } = parseUri(uri);
      const bytes = held.get(hash) ?? missingArtifact(uri, 'memory');
      return {
        uri,
        name,
        size: bytes.length,
        path: null,
        read: async (start = 0, end = bytes.length) => bytes.slice(start, end), // a copy: what is stored never changes
        async *stream() {
          yield bytes.slice();
        },
      };
    },
    async has(uri) {
      return held.has(parseUri(uri).hash);
    },
  };
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice()); // a source may reuse its buffer
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
