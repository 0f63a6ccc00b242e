/** What texts begin with, whichever way they go on. */

import { fail } from '@heddle/core';
import { expectSource } from './sources.js';
import type { DecodeProgram } from './program.js';
import { expectVariant } from './variants.js';
import type { Path } from './places.js';
import type { DecodeSession, Feed, Outlook } from './session.js';

export interface Prompts {
  readonly prompts: readonly (readonly number[])[];
  /** What each text is written from; null for models that read no source. */
  readonly sources: readonly (readonly number[])[] | null;
  /** Which of the program's variants each text is written with; null: the first. */
  readonly variants: readonly number[] | null;
  /** Tokens of the longest text. */
  readonly room: number;
  /** Rows in the order in which they are taken up: those with sources of like length together, the longest first. */
  readonly order: readonly number[];
}

/** @throws E_PROMPT, E_LENGTH */
export function readPrompts(
  { model, sourceTokens, variants: count }: Pick<DecodeProgram, 'model' | 'sourceTokens' | 'variants'>,
  room: number,
  prompts: readonly ArrayLike<number>[],
  sources?: readonly ArrayLike<number>[],
  variants?: readonly number[],
): Prompts {
  const V = model.vocabulary;
  if ((sources !== undefined) !== (model.kind === 'encoder-decoder'))
    fail(
      'E_PROMPT',
      sources
        ? 'sources: expected none for a decoder, received some. Put their tokens into the prompts.'
        : 'sources: expected one for each prompt of an encoder-decoder, received none.',
      {},
    );
  if (sources && sources.length !== prompts.length)
    fail('E_PROMPT', `sources: expected one for each of ${prompts.length} prompts, received ${sources.length}.`, {
      prompts: prompts.length,
      sources: sources.length,
    });
  if (variants && variants.length !== prompts.length)
    fail('E_PROMPT', `variants: expected one for each of ${prompts.length} prompts, received ${variants.length}.`, { prompts: prompts.length, variants: variants.length }); // prettier-ignore
  const lengths = sources?.map(ids => ids.length) ?? [];
  return {
    order: prompts.map((_, row) => row).toSorted((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0)),
    prompts: prompts.map((prompt, row) => expectPrompt(Array.from(prompt), row, room, V)),
    sources: sources?.map((ids, row) => expectSource(`source ${row}`, ids, V, sourceTokens)) ?? null,
    variants: variants?.map((variant, row) => expectVariant(`prompt ${row}`, variant, count)) ?? null,
    room,
  };
}

function expectPrompt(prompt: readonly number[], row: number, room: number, V: number): readonly number[] {
  if (prompt.length === 0)
    fail(
      'E_PROMPT',
      `prompt ${row}: expected at least one token, received none. Begin it with a token such as <bos>.`,
      { row },
    );
  if (prompt.length > room)
    fail(
      'E_LENGTH',
      `prompt ${row}: expected at most ${room} tokens, received ${prompt.length}. Cut it, or raise the capacity or the model's length.`,
      { row, room, tokens: prompt.length },
    );
  const bad = prompt.findIndex(id => !Number.isInteger(id) || id < 0 || id >= V);
  if (bad >= 0)
    fail(
      'E_PROMPT',
      `prompt ${row}, token ${bad}: expected an id from 0 to ${V - 1}, received ${prompt[bad]}. Use the tokeniser that the model was trained with.`,
      { row, token: bad, id: prompt[bad] },
    );
  return prompt;
}

/**
 * Slots that take up the next prompts now. Reading sources costs as much for one row as for half of them, so with sources they wait
 * until half of them are free.
 */
export function slotsToFill(
  { prompts, sources }: Prompts,
  next: number,
  active: ReadonlyMap<number, unknown>,
  slots: number,
): readonly number[] {
  if (sources !== null && 2 * active.size > slots) return [];
  const free = Array.from({ length: slots }, (_, slot) => slot).filter(slot => !active.has(slot));
  return free.slice(0, prompts.length - next);
}

/** What is expected after each feed, or null when it was called off on the way. */
export async function feedUnless(
  halt: AbortSignal,
  session: DecodeSession,
  feeds: readonly Feed[],
): Promise<readonly Outlook[] | null> {
  try {
    const outlooks = await session.feed(feeds, halt);
    return halt.aborted ? null : outlooks;
  } catch (error) {
    if (halt.aborted && error === halt.reason) return null;
    throw error;
  }
}

/** @throws E_LOGITS */
export function expectFinite(row: number, path: Path, { peak, total }: Pick<Outlook, 'peak' | 'total'>): void {
  if (!Number.isFinite(peak) || !Number.isFinite(total)) {
    fail(
      'E_LOGITS',
      `row ${row}, position ${path.position}: expected finite logits, received ${Number.isFinite(peak) ? 'some that are not' : peak}. The parameters hold NaN or Infinity, or grew too large; take an earlier checkpoint.`,
      { row, position: path.position },
    );
  }
}
