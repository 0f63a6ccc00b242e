/** Files on a web server, read in ranges. */

import { fail } from '../errors.js';
import { checkRange, type ByteSource } from './bytes.js';

/** What is needed of `fetch`; the global one fits. */
export type Fetch = (
  address: string,
  init: { readonly headers: Record<string, string>; readonly signal?: AbortSignal },
) => Promise<FetchResponse>;

export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): BodyReader } | null;
}

interface BodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

export interface HttpOptions {
  readonly fetch?: Fetch;
  /** Sent with each request: authorisation, say. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Opens a file by its address. The server must answer range requests (206 and Content-Range).
 *
 * Nothing that the server says about lengths is believed: each answer is compared with the range asked for, with the
 * size and the ETag of the first answer, and counted as it arrives. The redirects that `fetch` follows are followed.
 *
 * @throws E_HTTP when the server fails, ignores ranges, or contradicts itself
 */
export async function httpSource(address: string, options: HttpOptions = {}): Promise<ByteSource> {
  const first = await ask(address, options, 0, 1);
  const tag = first.headers.get('etag');
  const size = first.status === 416 ? emptySize(address, first) : totalOf(address, first, 0, 1);
  await drop(first);
  const source = { name: address, size };
  return {
    ...source,
    async read(start, end) {
      checkRange(source, start, end);
      if (start === end) return new Uint8Array(0);
      const response = await ask(address, options, start, end);
      try {
        const total = totalOf(address, response, start, end);
        const now = response.headers.get('etag');
        if (total !== size)
          refuse(address, 'changed', `the ${size} bytes of the first answer`, `a file of ${total} bytes`);
        if (tag !== null && now !== null && now !== tag)
          refuse(address, 'changed', `the file with ETag ${tag}`, `ETag ${now}`);
      } catch (error) {
        await drop(response);
        throw error;
      }
      return body(address, response, end - start);
    },
    close: async () => {},
  };
}

async function ask(
  address: string,
  { fetch = globalFetch(), headers = {}, signal }: HttpOptions,
  start: number,
  end: number,
): Promise<FetchResponse> {
  const init = { headers: { ...headers, range: `bytes=${start}-${end - 1}` }, ...(signal && { signal }) };
  try {
    return await fetch(address, init);
  } catch (error) {
    if (signal?.aborted) throw error; // the caller's own doing
    return refuse(
      address,
      'network',
      'an answer',
      `none (${error instanceof Error ? error.message : String(error)})`,
      error,
    );
  }
}

/** The part of the platform's `fetch` that is used; checked here, not believed. */
function globalFetch(): Fetch {
  const { fetch } = globalThis as { fetch?: Fetch };
  return (
    fetch?.bind(globalThis) ??
    fail('E_HTTP', 'httpSource: expected a platform with fetch, received one without. Pass options.fetch.', {
      reason: 'fetch',
    })
  );
}

/** The size of the whole file, from an answer that must be exactly the range asked for. */
function totalOf(address: string, response: FetchResponse, start: number, end: number): number {
  if (response.status !== 206) {
    const why = response.status === 200 ? 'status 200, the whole file' : `status ${response.status}`;
    refuse(address, 'status', 'status 206, a part of the file', why);
  }
  const encoding = response.headers.get('content-encoding');
  if (encoding !== null && encoding !== 'identity')
    refuse(address, 'encoding', 'the plain bytes', `Content-Encoding ${encoding}`);
  const range = response.headers.get('content-range');
  const [, from, to, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(range ?? '') ?? [];
  if (Number(from) !== start || Number(to) !== end - 1 || Number(total) < end) {
    refuse(
      address,
      'content-range',
      `Content-Range 'bytes ${start}-${end - 1}/…'`,
      range === null ? 'none (a page of another origin sees it only if the server exposes it)' : `'${range}'`,
    );
  }
  return Number(total);
}

/** Servers refuse the first byte of an empty file; only then is 416 good news. */
function emptySize(address: string, response: FetchResponse): 0 {
  const range = response.headers.get('content-range');
  return range === 'bytes */0'
    ? 0
    : refuse(address, 'status', 'status 206, a part of the file', `status 416 with Content-Range '${range}'`);
}

async function body(address: string, response: FetchResponse, expected: number): Promise<Uint8Array> {
  const reader = response.body?.getReader() ?? refuse(address, 'short', `${expected} bytes`, 'none');
  const out = room(address, expected);
  let at = 0;
  for (;;) {
    const { done, value } = await reader
      .read()
      .catch((error: unknown) =>
        refuse(address, 'network', `${expected} bytes`, `${at}, then a broken connection`, error),
      );
    if (done || value === undefined) break;
    if (at + value.length > expected) {
      await reader.cancel().catch(() => {});
      refuse(address, 'long', `${expected} bytes`, 'more');
    }
    out.set(value, at);
    at += value.length;
  }
  return at === expected ? out : refuse(address, 'short', `${expected} bytes`, `${at}`);
}

/** A lying size may ask for more memory than there is. */
function room(address: string, size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (error) {
    return refuse(address, 'memory', 'a range that fits in memory', `${size} bytes`, error);
  }
}

const drop = async (response: FetchResponse): Promise<void> =>
  response.body
    ?.getReader()
    .cancel()
    .catch(() => {});

const refuse = (address: string, reason: string, expected: string, received: string, cause?: unknown): never =>
  fail(
    'E_HTTP',
    `${address}: expected ${expected}, received ${received}. Check the address and the server, or download the file first.`,
    { address, reason },
    cause,
  );
