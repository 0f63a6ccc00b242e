/**
 * What servers of one wire format differ in, for sampling from the model and from nothing else: each filters what it samples
 * from unless it is told not to.
 *
 * Sources: vLLM's OpenAI-compatible server (`return_token_ids`, `return_tokens_as_token_ids`, `include_stop_str_in_output`),
 * SGLang's sampling parameters (`no_stop_trim`), llama.cpp's `tools/server/README.md` (`samplers`, `min_p`, `top_k`).
 */

export interface Dialect {
  /** Fields of each request. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether it can be told at which tokens to stop; if not, its stream is read until one comes, and called off. */
  readonly stopsAtIds: boolean;
  /**
   * Of which distribution its log-probabilities are: of the model at temperature 1 whatever the temperature, or of what was
   * sampled from.
   */
  readonly logprobs: 'raw' | 'sampled';
}

export const dialects = {
  vllm: {
    fields: {
      top_p: 1,
      top_k: -1,
      min_p: 0,
      repetition_penalty: 1,
      logprobs: 0,
      return_token_ids: true,
      return_tokens_as_token_ids: true,
      skip_special_tokens: false,
      include_stop_str_in_output: true,
    },
    stopsAtIds: true,
    // Unless it runs with `--logprobs-mode processed_logprobs`.
    logprobs: 'raw',
  },
  sglang: {
    fields: {
      top_p: 1,
      top_k: -1,
      min_p: 0,
      repetition_penalty: 1,
      logprobs: 1,
      return_token_ids: true,
      skip_special_tokens: false,
      no_stop_trim: true,
    },
    stopsAtIds: true,
    logprobs: 'sampled',
  },
  'llama.cpp': {
    fields: {
      samplers: ['temperature'],
      top_p: 1,
      top_k: 0,
      min_p: 0,
      repeat_penalty: 1,
      logprobs: 1,
      return_tokens: true,
    },
    stopsAtIds: false,
    logprobs: 'raw',
  },
  /** Any other: text alone may come back. */
  openai: { fields: { top_p: 1, logprobs: 1 }, stopsAtIds: false, logprobs: 'raw' },
} as const satisfies Readonly<Record<string, Dialect>>;

export type DialectName = keyof typeof dialects;
