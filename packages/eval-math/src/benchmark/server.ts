/** An OpenAI-compatible server over fetch: every request has a deadline, and what may pass is tried again. */

import { fail } from '@heddle/core';
import type { Generated, Generator } from './generate.js';

export interface ServerOptions {
  /** `http://localhost:8000/v1`; `/chat/completions` is added. */
  readonly url: string;
  readonly model: string;
  readonly apiKey?: string;
  /** Milliseconds for one request. */
  readonly deadline?: number;
  /** How often a request is sent again after a failure that may pass. */
  readonly retries?: number;
  /** Milliseconds before the second try; doubled each time. */
  readonly pause?: number;
  /** Further fields of the request, such as `top_k`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly fetch?: typeof fetch;
}

/** @throws E_SERVER with what the server said */
export function fromServer({
  url,
  model,
  apiKey,
  deadline = 600_000,
  retries = 4,
  pause = 1_000,
  extra = {},
  fetch: send = fetch,
}: ServerOptions): Generator {
  const address = `${url.replace(/\/+$/, '')}/chat/completions`;
  return {
    name: model,
    generate: async ({ messages, parameters, sample, signal }) => {
      const body = JSON.stringify({
        model,
        messages,
        temperature: parameters.temperature,
        top_p: parameters.topP,
        max_tokens: parameters.maxTokens,
        seed: parameters.seed + sample,
        ...extra,
      });
      let last = '';
      for (let attempt = 0; attempt <= retries; attempt++) {
        if (attempt > 0) await sleep(pause * 2 ** (attempt - 1), signal);
        signal.throwIfAborted();
        try {
          const response = await send(address, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
            },
            body,
            signal: AbortSignal.any([signal, AbortSignal.timeout(deadline)]),
          });
          const text = await response.text();
          if (response.ok) return generatedOf(text, address);
          last = `status ${response.status}: ${text.slice(0, 200)}`;
          if (!passing(response.status)) break;
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          if ((error as { code?: unknown }).code === 'E_SERVER') throw error;
          const { name, message } = error as Error;
          last = name === 'TimeoutError' ? `no answer within ${deadline} ms` : message;
        }
      }
      return fail(
        'E_SERVER',
        `${address}: expected a completion, received ${last}. Check address, model and key; what was generated so far is kept.`,
        { address },
      );
    },
  };
}

/** Busy, overloaded, or broken for a moment. */
const passing = (status: number): boolean =>
  status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;

function generatedOf(text: string, address: string): Generated {
  let answer: {
    choices?: readonly { message?: { content?: unknown; reasoning_content?: unknown }; finish_reason?: unknown }[];
    usage?: { completion_tokens?: unknown };
  };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch (error) {
    return fail(
      'E_SERVER',
      `${address}: expected JSON, received ${JSON.stringify(text.slice(0, 80))}. Is this the address of the API?`,
      { address },
      error,
    );
  }
  const choice = answer.choices?.[0];
  const content = choice?.message?.content;
  if (typeof content !== 'string')
    return fail(
      'E_SERVER',
      `${address}: expected a text at choices[0].message.content, received ${typeof content}. Is the server OpenAI-compatible?`,
      { address },
    );
  const { reasoning_content: reasoning } = choice!.message!;
  const tokens = answer.usage?.completion_tokens;
  return {
    text: typeof reasoning === 'string' && reasoning !== '' ? `<think>${reasoning}</think>${content}` : content,
    finish: typeof choice!.finish_reason === 'string' ? choice!.finish_reason : null,
    tokens: typeof tokens === 'number' ? tokens : null,
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
