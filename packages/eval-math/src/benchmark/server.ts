/** Completions of an OpenAI-compatible server. */

import { chat, createServer, type ServerOptions } from '@heddle/openai-client';
import type { Generator } from './generate.js';

export type { ServerOptions };

/** How many are asked for at once is the run's affair. */
const unlimited = Number.MAX_SAFE_INTEGER;

/** @throws E_SERVER with what the server said */
export function fromServer(options: ServerOptions): Generator {
  const server = createServer({ atOnce: unlimited, ...options });
  return {
    name: options.model,
    generate: ({ messages, parameters, sample, signal }) =>
      chat(server, {
        messages,
        fields: {
          temperature: parameters.temperature,
          top_p: parameters.topP,
          max_tokens: parameters.maxTokens,
          seed: parameters.seed + sample,
        },
        signal,
      }),
  };
}
