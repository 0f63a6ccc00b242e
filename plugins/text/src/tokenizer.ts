/** What every tokeniser gives: text to numbers and back, all at once or one number at a time. */

export interface Tokenizer {
  /** What sort it is: `byte`, `bpe`, `unigram`. */
  readonly name: string;
  /** Ids are 0 to this, exclusive. */
  readonly vocabularySize: number;
  /** Names such as `<eos>` and their ids. Text never encodes to them unless `specials: true` asks for it. */
  readonly specials: Specials;
  /** What text becomes that no other token can write; absent where every text can be written. */
  readonly unknown?: number;
  /** A lone surrogate has no UTF-8 form: it is read as U+FFFD, as `TextEncoder` does. */
  encode(text: string, options?: EncodeOptions): Int32Array;
  /**
   * Bytes that are no UTF-8 become U+FFFD. Specials are left out unless `specials: true` asks for their names.
   *
   * @throws E_TOKEN for an id outside the vocabulary
   */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** For text that is shown while it is generated. */
  decoder(options?: DecodeOptions): Decoder;
  /** Plain JSON; `tokenizerFrom` reads it back. */
  toJSON(): TokenizerJson;
}

export type Specials = Readonly<Record<string, number>>;

export interface EncodeOptions {
  /** Names of specials in the text become their ids. Only for text that you wrote: users can write names too. */
  readonly specials?: boolean;
}

export interface DecodeOptions {
  /** Writes specials by their names instead of leaving them out. */
  readonly specials?: boolean;
}

/** Decodes ids as they come; never shows half of a character. */
export interface Decoder {
  /** @returns the text that this id completes, often '' in the middle of a character */
  push(id: number): string;
  /** @returns U+FFFD if bytes are still waiting for the rest of their character, else '' */
  end(): string;
}

export interface TokenizerJson {
  readonly format: 'heddle-tokenizer';
  readonly version: 1;
  readonly kind: string;
  readonly [field: string]: unknown;
}
