/** A server over fetch: so many requests at once, each with a deadline, sent again after what may pass. */

import { fail, HeddleError, isHeddleError } from '@heddle/core';

export interface ServerOptions {
  /** Address of the API, such as `http://localhost:8000/v1`. */
  readonly url: string;
  readonly model: string;
  readonly apiKey?: string;
  /** Milliseconds for one request, answer included. Default 600,000. */
  readonly deadline?: number;
  /** How often in a row a request that brought nothing is sent again. Default 4. */
  readonly retries?: number;
  /** Milliseconds before the second try; doubled each time, unless the server says how long. Default 1,000. */
  readonly pause?: number;
  /** Requests under way at once. Default 16. */
  readonly atOnce?: number;
  /** Further fields of each request. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly fetch?: typeof fetch;
}

export interface Server {
  readonly model: string;
  readonly url: string;
  /**
   * Sends a request until `read` has read an answer.
   *
   * @param body made anew for each try: what an earlier one brought need not be asked for again
   * @param read throws `Passing` for an answer that another try may better; calls `progress` when it keeps something
   * @throws E_SERVER with what the server said; what `signal` was aborted with
   */
  send<T>(
    path: string,
    body: () => unknown,
    read: (response: Response, progress: () => void, signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T>;
}

/** What another try may better. */
export class Passing extends Error {
  /** Milliseconds to wait for, where the server said. */
  readonly after: number | undefined;

  constructor(message: string, after?: number) {
    super(message);
    this.after = after;
  }
}

/** @throws E_CONFIG for an address or a number that cannot be */
export function createServer({
  url,
  model,
  apiKey,
  deadline = 600_000,
  retries = 4,
  pause = 1_000,
  atOnce = 16,
  extra = {},
  fetch: request = fetch,
}: ServerOptions): Server {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    fail('E_CONFIG', `server: url: expected an address such as http://localhost:8000/v1, received ${JSON.stringify(url)}. Correct it.`, { url }); // prettier-ignore
  for (const [name, value, least] of [['deadline', deadline, 1], ['retries', retries, 0], ['pause', pause, 0], ['atOnce', atOnce, 1]] as const) // prettier-ignore
    if (!(Number.isSafeInteger(value) && value >= least))
      fail('E_CONFIG', `server: ${name}: expected a whole number from ${least} up, received ${String(value)}. Correct it.`, { name, value }); // prettier-ignore
  const base = url.replace(/\/+$/, '');
  const turn = turnstile(atOnce);
  const headers = {
    'content-type': 'application/json',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  return {
    model,
    url: base,
    async send(path, body, read, signal = new AbortController().signal) {
      const address = `${base}${path}`;
      const leave = await turn(signal);
      try {
        for (let tries = 0; ; tries++) {
          signal.throwIfAborted();
          // Aborted by the caller, by time, or when the answer is read: what is still under way then is not wanted.
          const done = new AbortController();
          const limit = AbortSignal.any([signal, done.signal, AbortSignal.timeout(deadline)]);
          let problem: Passing;
          try {
            const response = await request(address, {
              method: 'POST',
              headers,
              body: JSON.stringify({ model, ...(body() as object), ...extra }),
              signal: limit,
            });
            if (!response.ok) throw await refusalOf(address, response);
            return await read(response, () => (tries = -1), limit);
          } catch (error) {
            if (signal.aborted) throw signal.reason;
            if (isHeddleError(error)) throw error;
            problem = error instanceof Passing ? error : new Passing(reasonOf(error, limit, deadline));
          } finally {
            done.abort();
          }
          if (tries >= retries)
            fail('E_SERVER', `${address}: expected an answer, received ${problem.message}${tries > 0 ? `, ${tries + 1} times in a row` : ''}. Check that the server runs and is not overloaded.`, { address, tries: tries + 1 }, problem); // prettier-ignore
          // Not all at the same moment: a server that was busy would be so again.
          const wait = problem.after ?? pause * 2 ** Math.max(0, tries) * (0.75 + Math.random() / 2);
          await sleep(Math.min(wait, deadline), signal);
        }
      } finally {
        leave();
      }
    },
  };
}

const reasonOf = (error: unknown, limit: AbortSignal, deadline: number): string => {
  if (limit.aborted) return `no complete answer within ${deadline} ms`;
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? `${message} (${cause.message})` : message;
};

/** Busy, overloaded, or broken for a moment. */
const passing = (status: number): boolean =>
  status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;

async function refusalOf(address: string, response: Response): Promise<Error> {
  const { status } = response;
  const text = await textOf(response, 4096).catch(() => '');
  const said = `status ${status}${text && `: ${text.slice(0, 300)}`}`;
  if (passing(status)) return new Passing(said, afterOf(response.headers.get('retry-after')));
  const advice =
    status === 401 || status === 403
      ? 'Check the key.'
      : status === 404
        ? 'Check the address, which mostly ends in /v1, and the name of the model.'
        : 'The server says what it will not take.';
  return new HeddleError('E_SERVER', `${address}: expected an answer, received ${said}. ${advice}`, {
    address,
    status,
  });
}

/** Seconds, or a date. */
function afterOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

/** The body as it comes. Not by `for await` over the body itself, which not every browser has. */
export async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** The body as text. @throws Passing for more bytes than `most`, whatever its headers say */
export async function textOf(response: Response, most: number): Promise<string> {
  const decoder = new TextDecoder();
  let [text, size] = ['', 0];
  for await (const chunk of chunksOf(response)) {
    size += chunk.byteLength;
    if (size > most) throw new Passing(`more than ${most} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Lets `count` through at once, in the order of asking; what it gives lets the next one in. */
function turnstile(count: number): (signal: AbortSignal) => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let free = count;
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async signal => {
    signal.throwIfAborted();
    if (free > 0) free--;
    else
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener('abort', stop);
          resolve();
        };
        const stop = (): void => {
          waiting.splice(waiting.indexOf(go), 1);
          reject(signal.reason as Error);
        };
        waiting.push(go);
        signal.addEventListener('abort', stop, { once: true });
      });
    return leave;
  };
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      signal.removeEventListener('abort', stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal.reason as Error);
    }
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
