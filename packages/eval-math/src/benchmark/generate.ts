/** What generates: any function from messages to a text. */

import type { Message } from './prompts.js';

export interface SamplingParameters {
  readonly temperature: number;
  readonly topP: number;
  readonly maxTokens: number;
  readonly seed: number;
}

export interface GenerationRequest {
  readonly messages: readonly Message[];
  readonly parameters: SamplingParameters;
  /** Which of the k samples of its problem, from 0; the seed is `parameters.seed + sample`. */
  readonly sample: number;
  readonly signal: AbortSignal;
}

export interface Generated {
  readonly text: string;
  /** `length` where the limit of tokens cut it off. */
  readonly finish: string | null;
  readonly tokens: number | null;
}

export interface Generator {
  /** Goes into the signature and into keys of the cache. */
  readonly name: string;
  generate(request: GenerationRequest): Promise<Generated>;
}

export const defaultParameters: SamplingParameters = { temperature: 0, topP: 1, maxTokens: 2048, seed: 0 };

/** A function as a generator: a model in this process, a mock. */
export const fromFunction = (
  name: string,
  generate: (prompt: string, request: GenerationRequest) => Promise<string> | string,
): Generator => ({
  name,
  generate: async request => ({
    text: await generate(request.messages.map(({ content }) => content).join('\n\n'), request),
    finish: null,
    tokens: null,
  }),
});
