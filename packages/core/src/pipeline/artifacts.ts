/** Artifacts: files by content. Stages pass their URIs, never the bytes. */

import { fail } from '../errors.js';
import { checkRange, memorySink, type ByteSink, type ByteSource } from '../io/bytes.js';
import { nameTrouble } from '../io/paths.js';
import { sha256 } from '../io/sha256.js';
import { token } from '../plugin/container.js';

/** Bytes at once, or as they come. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

/** A file of the store, read whole, in ranges or as a stream; `openSafetensors` takes it as it is. */
export interface Artifact extends ByteSource {
  readonly uri: string;
  /** The file on this machine that holds exactly these bytes, where there is one. Not to be written to. */
  readonly path: string | null;
  /** @throws E_ARTIFACT when they are no longer those that the URI names */
  bytes(): Promise<Uint8Array>;
  stream(): AsyncIterable<Uint8Array>;
}

/** A store that names things by what is in them: the same bytes have the same URI, and a URI never changes its meaning. */
export interface Artifacts {
  /**
   * Stores bytes; all or nothing.
   *
   * @param name for people, and for the ending: `model.safetensors`
   * @returns `artifact:SHA256/NAME`
   * @throws E_NAME for a name that is a way to elsewhere on some system
   */
  put(name: string, content: Content): Promise<string>;
  /**
   * Stores what is written to a sink until `use` settles; nothing when it fails or aborts.
   *
   * @example artifacts.write('model.safetensors', (sink) => writeSafetensors(sink, tensors))
   */
  write(name: string, use: (sink: ByteSink) => Promise<void>): Promise<string>;
  /** @throws E_ARTIFACT when it is not here, or no longer what it was */
  open(uri: string): Promise<Artifact>;
  has(uri: string): Promise<boolean>;
}

/** Where stages put files. In memory unless a plugin or the caller says otherwise. */
export const ARTIFACTS = token<Artifacts>('artifacts');

const pattern = /^artifact:([0-9a-f]{64})\/(.+)$/s;

export const uriOf = (hash: string, name: string): string => `artifact:${hash}/${name}`;

/**
 * Takes a URI apart.
 *
 * @throws E_ARTIFACT for anything but `artifact:SHA256/NAME`, ways out of the store included
 */
export function parseUri(uri: string): { readonly hash: string; readonly name: string } {
  const match = pattern.exec(uri);
  const [, hash, name] = match ?? [];
  if (hash !== undefined && name !== undefined && labelTrouble(name) === null) return { hash, name };
  return fail(
    'E_ARTIFACT',
    `artifact: expected a URI artifact:SHA256/NAME as put() gives, received '${String(uri).slice(0, 120)}'. Pass URIs on unchanged.`,
    { uri },
  );
}

/** @throws E_NAME */
export function refuseLabel(name: string): void {
  const trouble = labelTrouble(name);
  if (trouble === null) return;
  fail(
    'E_NAME',
    `artifact: expected a plain file name, received ${JSON.stringify(name)}, which ${trouble}. Rename it.`,
    { name },
  );
}

/** A name is a label and never a way anywhere, on whatever system it is read. */
const labelTrouble = (name: string): string | null =>
  name.length > 200 ? 'is longer than 200 characters' : nameTrouble(name);

/** @throws E_ARTIFACT */
export function abortedArtifact(name: string): never {
  fail(
    'E_ARTIFACT',
    `artifact '${name}': expected it to be written, but its sink was aborted. Nothing was stored; run the stage again.`,
    { name },
  );
}

/** @throws E_ARTIFACT */
export function missingArtifact(uri: string, where: string): never {
  fail(
    'E_ARTIFACT',
    `artifact '${uri}': expected it in ${where}, found nothing. It was removed, or belongs to another store; run the stage that made it again with { fresh: true }.`,
    {
      uri,
      where,
    },
  );
}

/** Every artifact URI inside a JSON value. */
export function artifactsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return pattern.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(artifactsIn);
}

/** Feeds bytes to a sink. */
export async function pour(content: Content, sink: ByteSink): Promise<void> {
  for await (const chunk of content instanceof Uint8Array ? [content] : content) await sink.write(chunk);
}

/** A store that ends with the process. */
export function memoryArtifacts(): Artifacts {
  const held = new Map<string, Uint8Array>();
  const store: Artifacts = {
    put: (name, content) => store.write(name, sink => pour(content, sink)),
    async write(name, use) {
      refuseLabel(name);
      const sink = memorySink(name);
      let aborted = false;
      await use({ ...sink, finish: async () => undefined, abort: async () => void (aborted = true) });
      if (aborted) abortedArtifact(name);
      await sink.finish();
      const bytes = sink.bytes();
      const hash = await hashOf(bytes);
      held.set(hash, bytes);
      return uriOf(hash, name);
    },
    async open(uri) {
      const { hash, name } = parseUri(uri);
      const bytes = held.get(hash) ?? missingArtifact(uri, 'memory');
      const source = { name, size: bytes.length };
      return {
        ...source,
        uri,
        path: null,
        bytes: async () => bytes.slice(), // a copy: what is stored never changes
        async read(start, end) {
          checkRange(source, start, end);
          return bytes.slice(start, end);
        },
        async *stream() {
          yield bytes.slice();
        },
        close: async () => undefined,
      };
    },
    async has(uri) {
      return held.has(parseUri(uri).hash);
    },
  };
  return store;
}

/** The platform's own SHA-256 where the page may use it; it is many times faster on files. */
async function hashOf(bytes: Uint8Array): Promise<string> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) return sha256(bytes);
  const digest = new Uint8Array(await subtle.digest('SHA-256', new Uint8Array(bytes)));
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
}
