/** Text out of text: sources in, what an encoder-decoder writes from each out. */

import type { Backend, EncoderDecoderModel, HostTensor, KernelSource } from '@heddle/core';
import { endsOf, sourceIds, type Tokenizer } from '@heddle/text';
import { createBeamSearch } from '@heddle/transformer';
import { filter, map, type Observable } from 'rxjs';

export interface WriterOptions {
  readonly model: EncoderDecoderModel;
  readonly parameters: Readonly<Record<string, HostTensor>>;
  readonly tokenizer: Tokenizer;
  readonly backend: Backend;
  readonly kernels: KernelSource;
  /** Texts at once. */
  readonly batch: number;
  readonly beams: number;
}

export interface Writer {
  /**
   * One for each source, as they are done; `row` is the source's.
   *
   * @param language that a model with language tags shall write
   */
  write(
    sources: readonly string[],
    signal: AbortSignal,
    language?: string,
  ): Observable<{ readonly row: number; readonly text: string }>;
  close(): Promise<void>;
}

export function openWriter({ model, parameters, tokenizer, backend, kernels, batch, beams }: WriterOptions): Writer {
  const search = createBeamSearch({ model, params: parameters, backend, kernels, batch, beams });
  const { begin, end } = endsOf(tokenizer);
  const read = (source: string, language?: string): readonly number[] => {
    const ids = [...sourceIds(source, tokenizer, language)];
    return ids.length <= model.sourceLength ? ids : [...ids.slice(0, model.sourceLength - 1), end];
  };
  return {
    write: (sources, signal, language) =>
      search
        .search(
          sources.map(() => [begin]),
          {
            sources: sources.map(source => read(source, language)),
            stop: [end],
            maxTokens: model.length - 1,
            signal,
          },
        )
        .pipe(
          filter(({ hypotheses }) => hypotheses.length > 0),
          map(({ row, hypotheses: [best] }) => ({ row, text: tokenizer.decode(best!.ids) })),
        ),
    close: () => search.close(),
  };
}
