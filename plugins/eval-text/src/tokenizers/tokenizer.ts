/** What a tokeniser of BLEU is: text in, text with its tokens parted by spaces out, as sacreBLEU has them. */

export interface Tokenizer {
  /** What the signature says under `tok`. */
  readonly signature: string;
  tokenize(line: string): string;
  /** Tokenises many lines at once, for tokenisers whose every call is dear; `tokenize` then remembers them. */
  prepare?(lines: readonly string[]): void;
}
