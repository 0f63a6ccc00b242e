/**
 * Tokens continued by a server: ids and log-probabilities as it sampled them. Answers are streams; one that breaks off goes on
 * from the tokens it has brought.
 */

import { fail } from '@heddle/core';
import { createParser } from 'eventsource-parser';
import { dialects, type DialectName } from './dialects.js';
import { chunksOf, Passing, type Server } from './server.js';

export interface CompletionCall {
  readonly ids: readonly number[];
  /** Tokens that end the answer; the one that did is its last. */
  readonly stop: readonly number[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface Completion {
  readonly ids: readonly number[];
  /** One for each token, of what it was sampled from; null where the server does not say. */
  readonly logp: readonly (number | null)[];
}

export interface CompletionsOptions {
  readonly dialect: DialectName;
  /** Token at which the server's model ends by itself. */
  readonly end: number;
  /** Kinds of token: others are refused. */
  readonly vocabulary: number;
  /** Text of a server that gives no ids, as tokens. Without it such a server is refused. */
  readonly encode?: (text: string) => readonly number[];
  /** For a vLLM that runs with `--logprobs-mode processed_logprobs`. */
  readonly sampledLogprobs?: boolean;
}

/** Characters of one event at most. */
const longest = 2 ** 22;

/** @throws E_SERVER with what the server said, or what it should have */
export function completions(
  server: Server,
  { dialect: name, end, vocabulary, encode, sampledLogprobs = false }: CompletionsOptions,
): (call: CompletionCall) => Promise<Completion> {
  const dialect = dialects[name];
  const path = '/completions';
  const address = `${server.url}${path}`;
  const refuse = (what: string): never => fail('E_SERVER', `${address}: expected ${what}`, { address });
  const checked = (id: number): number =>
    Number.isSafeInteger(id) && id >= 0 && id < vocabulary
      ? id
      : refuse(`tokens below ${vocabulary}, received ${id}. The server runs a model of another vocabulary.`);

  return async ({ ids: before, stop, maxTokens, temperature, seed, signal }) => {
    const ids: number[] = [];
    const logp: (number | null)[] = [];
    const tells = sampledLogprobs || dialect.logprobs === 'sampled' || temperature === 1;
    const push = (id: number, own: unknown): void => {
      ids.push(checked(id));
      logp.push(tells && typeof own === 'number' && Number.isFinite(own) ? Math.min(0, own) : null);
    };
    const ended = (): boolean => ids.length >= maxTokens || (ids.length > 0 && stop.includes(ids.at(-1)!));
    const body = () => ({
      prompt: [...before, ...ids],
      max_tokens: maxTokens - ids.length,
      temperature,
      stream: true,
      ...(seed === undefined ? {} : { seed }),
      ...dialect.fields,
      ...(dialect.stopsAtIds ? { stop_token_ids: stop } : {}),
    });

    if (maxTokens <= 0) return { ids, logp };
    await server.send(
      path,
      body,
      async (response, progress) => {
        let text = '';
        let finish: string | null = null;
        for await (const piece of pieces(response)) {
          finish = piece.finish ?? finish;
          text += piece.text;
          for (const [i, id] of piece.ids.entries()) {
            if (ended()) return;
            push(id, piece.logp[i]);
            progress();
          }
          if (ended()) return;
          if (finish !== null) break;
        }
        if (finish === null) throw new Passing('a stream that broke off');
        if (ids.length === 0 && text !== '') {
          if (!encode)
            refuse(
              'ids of tokens, received text alone. Say how text becomes tokens (`encode`), or use another server.',
            );
          for (const id of encode!(text)) if (!ended()) push(id, null);
        }
        // It ended by itself: the token that did is mostly not told.
        if (finish === 'stop') {
          if (!ended()) push(end, null);
        } else if (finish !== 'length') throw new Passing(`an answer that ended with ${JSON.stringify(finish)}`);
      },
      signal,
    );
    return { ids, logp };
  };
}

interface Piece {
  readonly text: string;
  readonly ids: readonly number[];
  readonly logp: readonly unknown[];
  readonly finish: string | null;
}

/** Events of a stream. @throws Passing for what is none */
async function* pieces(response: Response): AsyncGenerator<Piece> {
  const found: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => found.push(data) });
  const decoder = new TextDecoder();
  let waiting = 0;
  let any = false;
  for await (const chunk of chunksOf(response)) {
    const text = decoder.decode(chunk, { stream: true });
    waiting += text.length;
    if (waiting > longest) throw new Passing(`an event of more than ${longest} characters`);
    parser.feed(text);
    for (const data of found.splice(0)) {
      [waiting, any] = [0, true];
      if (data === '[DONE]') return;
      const piece = pieceOf(data);
      if (piece) yield piece;
    }
  }
  if (!any) throw new Passing('no stream of events');
}

interface Chunk {
  readonly error?: unknown;
  readonly choices?: readonly {
    readonly text?: unknown;
    readonly token_ids?: unknown;
    readonly tokens?: unknown;
    readonly finish_reason?: unknown;
    readonly logprobs?: {
      readonly tokens?: unknown;
      readonly token_logprobs?: unknown;
      readonly content?: unknown;
    } | null;
  }[];
}

function pieceOf(data: string): Piece | null {
  let chunk: Chunk | null;
  try {
    chunk = JSON.parse(data) as Chunk | null;
  } catch {
    throw new Passing(`an event that is no JSON: ${JSON.stringify(data.slice(0, 80))}`);
  }
  if (chunk?.error !== undefined)
    throw new Passing(`an error in the stream: ${JSON.stringify(chunk.error).slice(0, 200)}`);
  const choice = chunk?.choices?.[0];
  // Such as one that counts tokens at the end.
  if (!choice) return null;
  const { logprobs } = choice;
  const content = list(logprobs?.content) as readonly ({ readonly id?: unknown; readonly logprob?: unknown } | null)[];
  const named = list(logprobs?.tokens).map(token => Number(/^token_id:(\d+)$/.exec(String(token))?.[1] ?? Number.NaN));
  const candidates = [list(choice.token_ids), list(choice.tokens), content.map(one => one?.id), named];
  const ids = candidates.find(one => one.length > 0 && one.every(id => typeof id === 'number' && !Number.isNaN(id)));
  const text = typeof choice.text === 'string' ? choice.text : '';
  return {
    text,
    ids: (ids ?? []) as readonly number[],
    logp: content.length > 0 ? content.map(one => one?.logprob) : list(logprobs?.token_logprobs),
    finish: typeof choice.finish_reason === 'string' ? choice.finish_reason : null,
  };
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
