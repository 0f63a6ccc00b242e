/** Perplexity, from sums that add up. */

import { fail } from '@heddle/core';

export interface Likelihood {
  /** Negative log-likelihood, in nats, added over tokens. */
  readonly nats: number;
  readonly tokens: number;
  /** Of the text in UTF-8, for bits per byte. */
  readonly bytes?: number;
}

export const addLikelihoods = (left: Likelihood, right: Likelihood): Likelihood => ({
  nats: left.nats + right.nats,
  tokens: left.tokens + right.tokens,
  ...(left.bytes === undefined || right.bytes === undefined ? {} : { bytes: left.bytes + right.bytes }),
});

/** @param logProbabilities of the tokens that came, natural logarithms */
export const likelihoodOf = (logProbabilities: Iterable<number>): Likelihood => {
  let [nats, tokens] = [0, 0];
  for (const one of logProbabilities) {
    nats -= one;
    tokens++;
  }
  return { nats, tokens };
};

/** e to the mean of nats for a token. @throws E_EMPTY without tokens */
export function perplexity({ nats, tokens }: Likelihood): number {
  if (!(tokens > 0))
    fail('E_EMPTY', `perplexity: expected tokens, received ${tokens}. Score at least one.`, { tokens });
  return Math.exp(nats / tokens);
}

/** Comparable between tokenisers, as perplexity is not. @throws E_EMPTY without bytes */
export function bitsPerByte({ nats, bytes }: Likelihood): number {
  if (bytes === undefined || !(bytes > 0))
    return fail('E_EMPTY', `bitsPerByte: expected bytes, received ${bytes ?? 'none'}. Say how long the text is.`, {
      bytes,
    });
  return nats / Math.LN2 / bytes;
}
