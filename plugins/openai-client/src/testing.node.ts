/** A stand-in for a server: the wire formats of several over a real socket, with the faults that servers have. Node only. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatMessage } from './chat.js';
import type { DialectName } from './dialects.js';

/** What a server does to a request, instead of answering it or while it does. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** The connection ends after so many tokens. */
  | { readonly kind: 'drop'; readonly after: number }
  /** Bytes that are no answer, after so many tokens. */
  | { readonly kind: 'garbage'; readonly after: number }
  /** Nothing more comes after so many tokens, and the connection stays. */
  | { readonly kind: 'silence'; readonly after: number }
  | { readonly kind: 'delay'; readonly milliseconds: number };

export interface StandInOptions {
  readonly dialect: DialectName;
  /** Writes one token after these. @returns null where the model ends by itself without a token */
  readonly next?: (
    ids: readonly number[],
    call: { readonly temperature: number; readonly seed: number | undefined; readonly request: number },
  ) => Promise<{ readonly id: number; readonly logp: number; readonly text: string } | null>;
  readonly chat?: (messages: readonly ChatMessage[], request: number) => string;
  /** Of request number `request`, from 0. */
  readonly fault?: (request: number, body: Readonly<Record<string, unknown>>) => Fault | undefined;
}

export interface StandIn {
  readonly url: string;
  /** Bodies of the requests so far, in the order in which they came. */
  readonly requests: readonly Readonly<Record<string, unknown>>[];
  /** Requests under way at once at most so far. */
  readonly busiest: number;
  close(): Promise<void>;
}

export async function standIn({ dialect, next, chat, fault = () => undefined }: StandInOptions): Promise<StandIn> {
  const requests: Record<string, unknown>[] = [];
  let [under, busiest] = [0, 0];
  const server = createServer((request, response) => {
    busiest = Math.max(busiest, ++under);
    response.on('close', () => under--);
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as Record<string, unknown>;
    const own = requests.push(body) - 1;
    const wrong = fault(own, body);
    if (wrong?.kind === 'delay') await new Promise(resolve => setTimeout(resolve, wrong.milliseconds));
    if (wrong?.kind === 'status') {
      response.writeHead(wrong.status, {
        'content-type': 'application/json',
        ...(wrong.retryAfter === undefined ? {} : { 'retry-after': wrong.retryAfter }),
      });
      response.end(JSON.stringify({ error: { message: `status ${wrong.status} as asked`, type: 'stand-in' } }));
    } else if (request.url?.endsWith('/chat/completions') && chat) {
      if (wrong?.kind === 'drop') return void request.socket.destroy();
      if (wrong?.kind === 'silence') return;
      response.writeHead(200, { 'content-type': 'application/json' });
      const content = chat(body['messages'] as readonly ChatMessage[], own);
      response.end(wrong?.kind === 'garbage' ? '<html>' : JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }], usage: { completion_tokens: content.length } })); // prettier-ignore
    } else if (request.url?.endsWith('/completions') && next) await stream(body, own, wrong, response);
    else {
      response.writeHead(404);
      response.end();
    }
  }

  async function stream(
    body: Record<string, unknown>,
    own: number,
    wrong: Fault | undefined,
    response: ServerResponse,
  ): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const ids = [...(body['prompt'] as readonly number[])];
    const stops = (body['stop_token_ids'] as readonly number[] | undefined) ?? [];
    const say = (choice: Record<string, unknown>): void => {
      response.write(`data: ${JSON.stringify({ object: 'text_completion', choices: [{ index: 0, ...choice }] })}\n\n`);
    };
    // As servers do that are asked for a long prompt.
    response.write(': ping\n\n');
    const at = wrong && 'after' in wrong ? wrong.after : Infinity;
    for (let count = 0; ; count++) {
      if (count >= at) {
        if (wrong!.kind === 'silence') return;
        if (wrong!.kind === 'garbage') response.write('data: {"choices": [{"te\n\n');
        // What was written has to leave before the connection breaks.
        await new Promise(resolve => setTimeout(resolve, 20));
        response.destroy();
        return;
      }
      if (response.destroyed) return;
      const long = count >= (body['max_tokens'] as number);
      const found = long
        ? null
        : await next!(ids, { temperature: body['temperature'] as number, seed: body['seed'] as number | undefined, request: own }); // prettier-ignore
      if (found === null) {
        say({ text: '', logprobs: null, finish_reason: long ? 'length' : 'stop' });
        break;
      }
      ids.push(found.id);
      const stop = stops.includes(found.id);
      say({ ...shapes[dialect](found), finish_reason: stop ? 'stop' : null });
      if (stop) break;
    }
    response.write('data: {"choices": [], "usage": {"completion_tokens": 1}}\n\ndata: [DONE]\n\n');
    response.end();
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    get busiest() {
      return busiest;
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Shape = (token: { readonly id: number; readonly logp: number; readonly text: string }) => Record<string, unknown>;

const shapes: Readonly<Record<DialectName, Shape>> = {
  vllm: ({ id, logp, text }) => ({
    text,
    token_ids: [id],
    logprobs: { tokens: [`token_id:${id}`], token_logprobs: [logp], text_offset: [0], top_logprobs: [{}] },
    stop_reason: null,
  }),
  sglang: ({ id, logp, text }) => ({
    text,
    token_ids: [id],
    logprobs: { tokens: [text], token_logprobs: [logp], text_offset: [-1], top_logprobs: [] },
  }),
  'llama.cpp': ({ id, logp, text }) => ({
    text,
    logprobs: { content: [{ id, token: text, bytes: [], logprob: logp, top_logprobs: [] }] },
  }),
  openai: ({ text }) => ({ text, logprobs: null }),
};
