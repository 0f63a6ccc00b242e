/** What a tokeniser of BLEU is: text in, text with its tokens parted by spaces out, as sacreBLEU has them. */

import { words } from '../text/whitespace.js';

export interface Tokenizer {
  /** What the signature says under `tok`. */
  readonly signature: string;
  tokenize(line: string): string;
  /** The tokens themselves, where that is less work than cutting `tokenize(line)` at its spaces. */
  tokens?(line: string): string[];
  /** Tokenises many lines at once, for tokenisers whose every call is dear; `tokenize` then remembers them. */
  prepare?(lines: readonly string[]): void;
}

/** @returns the tokens of a line */
export const tokensOf = ({ tokenize, tokens }: Tokenizer): ((line: string) => string[]) =>
  tokens ?? (line => words(tokenize(line)));
