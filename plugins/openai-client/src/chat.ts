/** One answer to a conversation. */

import { fail } from '@heddle/core';
import { Passing, textOf, type Server } from './server.js';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatCall {
  readonly messages: readonly ChatMessage[];
  /** Further fields: `temperature`, `max_tokens`, `seed`, … */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

export interface ChatAnswer {
  /** What the server calls reasoning comes first, between `<think>` tags. */
  readonly text: string;
  /** Why it ended, as the server says. */
  readonly finish: string | null;
  readonly tokens: number | null;
}

/** No answer is longer, and no memory is given to one that says so. */
const longest = 64 * 2 ** 20;

/** @throws E_SERVER with what the server said */
export const chat = (server: Server, { messages, fields = {}, signal }: ChatCall): Promise<ChatAnswer> =>
  server.send(
    '/chat/completions',
    () => ({ messages, ...fields }),
    async response => answerOf(await textOf(response, longest), `${server.url}/chat/completions`),
    signal,
  );

function answerOf(text: string, address: string): ChatAnswer {
  let answer: {
    readonly choices?: readonly {
      readonly message?: { readonly content?: unknown; readonly reasoning_content?: unknown };
      readonly finish_reason?: unknown;
    }[];
    readonly usage?: { readonly completion_tokens?: unknown };
  } | null;
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw new Passing(`no JSON but ${JSON.stringify(text.slice(0, 80))}`);
  }
  const choice = answer?.choices?.[0];
  const content = choice?.message?.content;
  if (typeof content !== 'string')
    return fail('E_SERVER', `${address}: expected a text at choices[0].message.content, received ${typeof content}. Is the server OpenAI-compatible?`, { address }); // prettier-ignore
  const { reasoning_content: reasoning } = choice!.message!;
  const tokens = answer?.usage?.completion_tokens;
  return {
    text: typeof reasoning === 'string' && reasoning !== '' ? `<think>${reasoning}</think>${content}` : content,
    finish: typeof choice!.finish_reason === 'string' ? choice!.finish_reason : null,
    tokens: typeof tokens === 'number' ? tokens : null,
  };
}
