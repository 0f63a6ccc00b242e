/** Chat and completions against a stand-in over a real socket, with what goes wrong on the way. */

import { isHeddleError } from '@heddle/core';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { chat } from './chat.js';
import { completions, type Completion } from './completions.js';
import type { DialectName } from './dialects.js';
import { createServer, type ServerOptions } from './server.js';
import { standIn, type Fault, type StandIn, type StandInOptions } from './testing.node.js';

const V = 50;
const end = 7;
/** A model that writes what its text so far says: token and log-probability depend on every token before it. */
const after = (ids: readonly number[]) => {
  const id = ids.reduce((sum, own) => (sum * 31 + own + 11) % 1009, 1) % V;
  return { id, logp: -((id % 10) + 1) / 8, text: `<${id}>` };
};
const next: StandInOptions['next'] = async ids => {
  const found = after(ids);
  return found.id === end ? null : found;
};
/** The answer that the model gives, found without any server. */
function expected(prompt: readonly number[], stop: readonly number[], maxTokens: number): readonly number[] {
  const ids: number[] = [];
  while (ids.length < maxTokens && !stop.includes(ids.at(-1) ?? -1)) ids.push(after([...prompt, ...ids]).id);
  return ids;
}

const open: StandIn[] = [];
const serving = async (options: Partial<StandInOptions>): Promise<StandIn> => {
  const stand = await standIn({ dialect: 'vllm', next, ...options });
  open.push(stand);
  return stand;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map(stand => stand.close()));
});
const client = (url: string, more: Partial<ServerOptions> = {}) =>
  createServer({ url, model: 'stand-in', pause: 1, deadline: 2000, ...more });
const ask = (
  stand: StandIn,
  call: {
    ids: readonly number[];
    stop?: readonly number[];
    maxTokens?: number;
    temperature?: number;
    signal?: AbortSignal;
  },
  more: Partial<ServerOptions> = {},
  dialect: DialectName = 'vllm',
): Promise<Completion> =>
  completions(client(stand.url, more), { dialect, end, vocabulary: V })({
    stop: [end],
    maxTokens: 20,
    temperature: 1,
    ...call,
  });
const codeOf = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'none',
    (error: unknown) => (isHeddleError(error) ? `${error.code} ${error.message}` : String(error)),
  );

const faults: Readonly<Record<string, Fault>> = {
  'an overloaded server': { kind: 'status', status: 503 },
  'a limit of requests': { kind: 'status', status: 429, retryAfter: '0' },
  'a connection that breaks': { kind: 'drop', after: 3 },
  'a connection that breaks at once': { kind: 'drop', after: 0 },
  garbage: { kind: 'garbage', after: 2 },
  silence: { kind: 'silence', after: 2 },
};

describe('completions', () => {
  it.each(['vllm', 'sglang', 'llama.cpp'] as const)(
    'of %s are the tokens and log-probabilities that were sampled',
    async dialect => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(V - 1), { minLength: 1, maxLength: 6 }), fc.nat(V - 1), async (ids, tag) => {
          const stand = await standIn({ dialect, next });
          const stop = [tag, end];
          const found = await ask(stand, { ids, stop }, {}, dialect);
          await stand.close();
          const wanted = expected(ids, stop, 20);
          expect(found.ids).toEqual(wanted);
          // Of the token that ends a text by itself, no server says more than that it ended.
          const known = wanted.map((id, i) => (id === end ? null : after([...ids, ...wanted.slice(0, i)]).logp));
          expect(found.logp).toEqual(known);
        }),
        { numRuns: 30 },
      );
    },
  );

  it.each(Object.entries(faults))('outlive %s, and lose no token that came', async (_, fault) => {
    const stand = await serving({ fault: request => (request < 2 ? fault : undefined) });
    const ids = [1, 2];
    const { ids: found, logp } = await ask(stand, { ids }, { deadline: 300 });
    const wanted = expected(ids, [end], 20);
    expect(found).toEqual(wanted);
    expect(logp.filter(own => own !== null).length).toBeGreaterThanOrEqual(wanted.length - 1);
    expect(stand.requests.length).toBe(3);
    // What had come is part of the next prompt, and is not asked for again.
    const brought = 'after' in fault ? fault.after : 0;
    expect(stand.requests.map(body => (body['prompt'] as readonly number[]).length)).toEqual([
      2,
      2 + brought,
      2 + 2 * brought,
    ]);
    expect(stand.requests.map(body => body['max_tokens'])).toEqual([20, 20 - brought, 20 - 2 * brought]);
  });

  it('go on for as long as each try brings something, and end when none does', async () => {
    const patient = await serving({ fault: () => ({ kind: 'drop', after: 1 }) });
    const { ids } = await ask(patient, { ids: [1, 2], maxTokens: 6 }, { retries: 0 });
    expect(ids).toEqual(expected([1, 2], [end], 6));
    const dead = await serving({ fault: () => ({ kind: 'drop', after: 0 }) });
    expect(await codeOf(ask(dead, { ids: [1, 2] }, { retries: 2 }))).toMatch(/^E_SERVER .*3 times in a row/);
    expect(dead.requests.length).toBe(3);
  });

  it('keep answers apart that come in another order, so many at once and no more', async () => {
    const stand = await serving({ fault: request => ({ kind: 'delay', milliseconds: (20 - request) * 3 }) });
    const complete = completions(client(stand.url, { atOnce: 5 }), { dialect: 'vllm', end, vocabulary: V });
    const prompts = Array.from({ length: 20 }, (_, i) => [i, 2 * i]);
    const found = await Promise.all(prompts.map(ids => complete({ ids, stop: [end], maxTokens: 5, temperature: 1 })));
    expect(found.map(({ ids }) => ids)).toEqual(prompts.map(ids => expected(ids, [end], 5)));
    expect(stand.busiest).toBe(5);
  });

  it('sample from the model alone, and know of which distribution log-probabilities are', async () => {
    const stand = await serving({});
    const warm = await ask(stand, { ids: [3], maxTokens: 4, temperature: 0.5 });
    expect(warm.logp).toEqual(warm.ids.map(() => null));
    const processed = completions(client(stand.url), { dialect: 'vllm', end, vocabulary: V, sampledLogprobs: true });
    const { logp } = await processed({ ids: [3], stop: [end], maxTokens: 4, temperature: 0.5 });
    expect(logp.every(own => own !== null)).toBe(true);
    expect(stand.requests[0]).toMatchObject({ top_p: 1, top_k: -1, min_p: 0, temperature: 0.5, stop_token_ids: [end] });
  });

  it('of text alone are encoded where that is said, and refused where not', async () => {
    const stand = await serving({ dialect: 'openai' });
    expect(await codeOf(ask(stand, { ids: [1, 2] }, {}, 'openai'))).toMatch(/^E_SERVER .*ids of tokens/);
    const encode = (text: string) => text.match(/\d+/g)!.map(Number);
    const complete = completions(client(stand.url), { dialect: 'openai', end, vocabulary: V, encode });
    const wanted = expected([1, 2], [end], 20);
    const { ids, logp } = await complete({ ids: [1, 2], stop: [end], maxTokens: 20, temperature: 1 });
    expect([ids, logp]).toEqual([wanted, wanted.map(() => null)]);
  });

  it('refuse a server of another vocabulary, and one that says no, at once', async () => {
    const other = await serving({ next: async () => ({ id: V, logp: -1, text: '' }) });
    expect(await codeOf(ask(other, { ids: [1] }))).toMatch(/^E_SERVER .*another vocabulary/);
    const codes: string[] = [];
    for (const status of [400, 401, 404]) {
      const stand = await serving({ fault: () => ({ kind: 'status', status }) });
      codes.push(await codeOf(ask(stand, { ids: [1] })));
      expect(stand.requests.length).toBe(1);
    }
    expect(codes[0]).toMatch(/status 400.*will not take/);
    expect(codes[1]).toMatch(/Check the key/);
    expect(codes[2]).toMatch(/Check the address/);
    expect(other.requests.length).toBe(1);
  });

  it('end with what they were called off with, waiting or not', async () => {
    const stand = await serving({ fault: () => ({ kind: 'silence', after: 1 }) });
    const off = new AbortController();
    const complete = completions(client(stand.url, { atOnce: 1 }), { dialect: 'vllm', end, vocabulary: V });
    const call = { ids: [1, 2], stop: [end], maxTokens: 5, temperature: 1, signal: off.signal };
    const runs = [codeOf(complete(call)), codeOf(complete(call))];
    setTimeout(() => off.abort(new Error('enough')), 50);
    expect(await Promise.all(runs)).toEqual(['Error: enough', 'Error: enough']);
    expect(stand.requests.length).toBe(1);
  });
});

describe('chat', () => {
  const messages = [{ role: 'user', content: '2+2?' }] as const;

  it.each(Object.entries(faults))('outlives %s', async (_, fault) => {
    const stand = await serving({
      chat: ([one]) => `re: ${one!.content}`,
      fault: request => (request < 2 ? fault : undefined),
    });
    const { text, finish } = await chat(client(stand.url, { deadline: 300, apiKey: 'k' }), {
      messages,
      fields: { seed: 3 },
    });
    expect([text, finish, stand.requests.length]).toEqual(['re: 2+2?', 'stop', 3]);
    expect(stand.requests[0]).toMatchObject({ model: 'stand-in', seed: 3, messages });
  });

  it('names the address when nothing is there', async () => {
    const stand = await standIn({ dialect: 'vllm', chat: () => '' });
    await stand.close();
    const code = await codeOf(chat(client(stand.url, { retries: 1 }), { messages }));
    expect(code).toMatch(/^E_SERVER http:\/\/127.0.0.1.*ECONNREFUSED.*2 times in a row/);
  });
});

it('an address or a number that cannot be is refused', () => {
  for (const wrong of [{ url: 'localhost' }, { url: 'file:///etc' }, { atOnce: 0 }, { deadline: 1.5 }, { retries: -1 }])
    expect(() => client('http://localhost:1/v1', wrong)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
});
