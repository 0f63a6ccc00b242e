/**
 * Tokenisers of Hugging Face's `tokenizer.json`, run by their own JavaScript library.
 *
 * What the library leaves open is settled here: text never becomes a special by accident, an empty list decodes to an
 * empty text, an id outside the vocabulary is an error, and text can be shown while it comes.
 */

import { fail } from '@heddle/core';
import { Tokenizer as Library } from '@huggingface/tokenizers';
import type { Decoder, DecodeOptions, Tokenizer } from './tokenizer.js';

export interface HuggingFaceOptions {
  /** `tokenizer_config.json`, parsed. Only what the library reads of it matters, such as `clean_up_tokenization_spaces`. */
  readonly config?: unknown;
  /** Names the source in messages: a file. */
  readonly where?: string;
}

/**
 * Text is cut as it is, without the `<s>` or `[CLS]` that a template would put around it.
 *
 * @param json `tokenizer.json`, parsed
 * @throws E_TOKENIZER for JSON that is none, and for parts that the library does not know
 */
export function huggingFaceTokenizer(
  json: unknown,
  { config, where = 'tokenizer.json' }: HuggingFaceOptions = {},
): Tokenizer {
  const { model, added_tokens: added = [] } = (isRecord(json) ? json : {}) as {
    readonly model?: unknown;
    readonly added_tokens?: readonly Added[];
  };
  if (!isRecord(json) || !isRecord(model) || !Array.isArray(added))
    return fail(
      'E_TOKENIZER',
      `${where}: expected a tokenizer.json with 'model' and 'added_tokens', received ${isRecord(json) ? `fields ${Object.keys(json).slice(0, 5).join(', ') || 'none'}` : typeof json}. Name the model's tokenizer.json.`,
      { where },
    );
  const odd = patternsIn(json).find(pattern => /(?<!\\)(?:\\\\)*\\G/.test(pattern));
  if (odd !== undefined)
    fail(
      'E_TOKENIZER',
      `${where}: expected patterns that JavaScript can read, received '${odd.slice(0, 60)}' with \\G. The library would leave it out and cut otherwise: use the model's .model file, where it has one.`,
      { where, pattern: odd },
    );
  const settings = { clean_up_tokenization_spaces: false, ...(isRecord(config) ? config : {}) };
  const make = (tokens: readonly Added[]): Library => {
    try {
      return new Library({ ...optionalParts, ...json, added_tokens: tokens }, settings);
    } catch (error) {
      return fail(
        'E_TOKENIZER',
        `${where}: expected parts that @huggingface/tokenizers knows, received ${error instanceof Error ? error.message : String(error)}. Use a tokenizer.json of a published model, or train one here.`,
        { where },
        error,
      );
    }
  };

  const library = make(added);
  const special = added.filter(token => token.special === true);
  // The library always finds specials in text: where that is not asked for, it does not know them.
  let plain: Library | undefined = special.length === 0 ? library : undefined;
  const specials: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const { content, id } of special) specials[content] = id;
  const ids = new Set<number>(library.get_vocab(true).values());
  const vocabularySize = [...ids].reduce((most, id) => Math.max(most, id), -1) + 1;
  const { unk_token: unknownToken, unk_id: unknownId } = model;
  const unknownName = typeof unknownId === 'number' ? library.id_to_token(unknownId) : unknownToken;
  const unknown = typeof unknownName === 'string' ? library.token_to_id(unknownName) : undefined;

  const decode = (tokens: readonly number[], { specials: named = false }: DecodeOptions = {}): string =>
    tokens.length === 0 ? '' : library.decode([...tokens], { skip_special_tokens: !named });
  const check = (id: number): number =>
    ids.has(id)
      ? id
      : fail(
          'E_TOKEN',
          `token ${id}: expected an id of the vocabulary (${ids.size} ids up to ${vocabularySize - 1}). Decode with the tokeniser that the ids come from.`,
          { id, vocabularySize },
        );

  return {
    name: 'hugging-face',
    vocabularySize,
    specials: Object.freeze(specials),
    ...(unknown === undefined ? {} : { unknown }),
    encode(text, options = {}) {
      if (text === '') return new Int32Array(0);
      plain ??= make(added.filter(token => token.special !== true));
      return Int32Array.from((options.specials ? library : plain).encode(text, { add_special_tokens: false }).ids);
    },
    decode: (given, options) => decode(Array.from(given, check), options),

    decoder(options): Decoder {
      // Ids that the last shown text ends with stay as context: how the next ones read may depend on them.
      let context: number[] = [];
      let fresh: number[] = [];
      const rest = (): string => {
        const before = decode(context, options);
        return decode([...context, ...fresh], options).slice(before.length);
      };
      return {
        push(id) {
          fresh.push(check(id));
          const text = rest();
          if (text === '' || text.endsWith('\ufffd')) return ''; // perhaps half of a character
          [context, fresh] = [fresh, []];
          return text;
        },
        end() {
          const text = rest();
          [context, fresh] = [[], []];
          return text;
        },
      };
    },

    toJSON: () => ({
      format: 'heddle-tokenizer',
      version: 1,
      kind: 'hugging-face',
      tokenizer: json,
      ...(config === undefined ? {} : { config }),
    }),
  };
}

interface Added {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

/** Every `{ Regex: … }` in it. The library leaves out a `\G`, and would cut otherwise. */
function patternsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.length > 1000 ? [] : value.flatMap(patternsIn); // longer ones are vocabularies
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    name === 'Regex' && typeof part === 'string' ? [part] : name === 'vocab' ? [] : patternsIn(part),
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The library asks for each of these, though a file may leave them out. */
const optionalParts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
