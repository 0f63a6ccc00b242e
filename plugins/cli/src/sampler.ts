/** Text from a model: tokens in, text out, on the engine that is open. */

import type { Backend, DecoderModel, Host, HostTensor } from '@heddle/core';
import { endOf, type Tokenizer } from '@heddle/text';
import { createGenerator, type Generator } from '@heddle/transformer';
import { filter, lastValueFrom, map, reduce, type Observable } from 'rxjs';

export interface Sampling {
  readonly maxTokens: number;
  readonly temperature: number;
  /** 0 for all. */
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

export interface SamplerOptions {
  readonly host: Host;
  readonly backend: Backend;
  readonly model: DecoderModel;
  readonly tokenizer: Tokenizer;
  readonly parameters: Readonly<Record<string, HostTensor>>;
}

export interface Sampler {
  /** Pieces of text that follow the prompt, whole characters each. Cold: subscribing starts, unsubscribing stops. */
  pieces(prompt: string, sampling: Sampling): Observable<string>;
  /** All of them together. */
  sample(prompt: string, sampling: Sampling): Promise<string>;
  close(): Promise<void>;
}

/** For parameters that stay as they are: an engine may pack them once. */
export function openSampler({ host, backend, model, tokenizer, parameters }: SamplerOptions): Sampler {
  const generator: Generator = createGenerator({ model, params: parameters, backend, kernels: host.kernels });
  const end = endOf(tokenizer);
  const pieces = (
    prompt: string,
    { maxTokens, temperature, topK = 0, topP = 1, seed, signal }: Sampling,
  ): Observable<string> => {
    const ids = tokenizer.encode(prompt);
    // Documents follow each other in training: after the end of one, another begins.
    const begun = ids.length === 0 ? [end] : ids;
    let shown = '';
    return generator
      .generate([begun], {
        maxTokens,
        temperature,
        ...(topK > 0 ? { topK } : {}),
        topP,
        seed,
        stop: [end],
        signal,
        decoder: () => tokenizer.decoder(),
      })
      .pipe(
        map(event => {
          const piece = event.type === 'token' ? (event.text ?? '') : (event.text ?? '').slice(shown.length); // what the decoder held back
          shown += piece;
          return piece;
        }),
        filter(piece => piece !== ''),
      );
  };
  return {
    pieces,
    sample: (prompt, sampling) =>
      lastValueFrom(pieces(prompt, sampling).pipe(reduce((whole, piece) => whole + piece, ''))),
    close: () => generator.close(),
  };
}
