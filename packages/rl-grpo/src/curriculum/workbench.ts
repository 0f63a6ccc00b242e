/** What the stages of a curriculum work with and is no data: a model, its words, an engine, problems, teachers. */

import {
  fail,
  type Backend,
  type CheckpointStore,
  type DecoderModel,
  type HostTensor,
  type KernelSource,
} from '@heddle/core';
import { tagIds } from '../grammar/ids.js';
import type { TagIds } from '../grammar/tags.js';
import type { Judge } from '../reward/rewards.js';
import type { PathSession } from '../rollout/session.js';
import type { ProblemPool } from './pool.js';
import type { Journal, Teacher } from './gather.js';

export type Weights = Readonly<Record<string, HostTensor>>;

export interface Workbench {
  readonly model: DecoderModel;
  readonly words: Words;
  readonly backend: Backend;
  readonly kernels?: KernelSource;
  /** A session with these weights, for so many answers at once of so many tokens each; closed when they are there. */
  open(
    weights: Weights,
    slots: number,
    tokens: number,
  ): Promise<{ readonly session: PathSession; close(): Promise<void> }>;
  /** @throws for a name that it does not know */
  problems(name: string): ProblemPool | Promise<ProblemPool>;
  /** Whoever solves problems for a stage that gathers; `ways` needs none. @throws for a name that it does not know */
  teacher?(name: string): Teacher;
  /** Whoever decides whether an answer is right, for rewards with the option `judge`. @throws for a name that it does not know */
  judge?(name: string): Judge;
  /** Solutions that a teacher is asked for at once. Default 8. */
  readonly teacherAtOnce?: number;
  /** Where solutions of a teacher are kept until a stage that gathers has all, by the key of its result. None: nowhere. */
  journal?(key: string): Journal;
  /** Where a stage that is stopped goes on from, by the key of its result. None: it begins anew. */
  checkpoints?(key: string): { readonly store: CheckpointStore; readonly every: number };
  /** Answers at once. Default 64. */
  readonly slots?: number;
}

/** A vocabulary as stages see it. */
export interface Words {
  /** Text of others: names of specials in it are text. */
  encode(text: string): readonly number[];
  /** Text of ours, in which tags are tokens. */
  encodeTagged(text: string): readonly number[];
  /** With tags, without other specials. */
  decode(ids: readonly number[]): string;
  readonly begin: number;
  readonly end: number;
  readonly tags: TagIds;
}

/** What a model reads of a problem where a curriculum says nothing else. */
export const usualPrompt = '{problem}\n';

/** A problem as the model reads it: the template's own names of specials are tokens, those of the problem are text. */
export function promptOf(words: Words, problem: string, template = usualPrompt): readonly number[] {
  const [before = '', ...after] = template.split('{problem}');
  return [words.begin, ...words.encodeTagged(before), ...words.encode(problem), ...words.encodeTagged(after.join('{problem}'))]; // prettier-ignore
}

/** What `wordsOf` asks of a tokeniser; those of `@heddle/text` are such. */
export interface TokenizerLike {
  readonly specials: Readonly<Record<string, number>>;
  encode(text: string, options?: { readonly specials?: boolean }): ArrayLike<number>;
  decode(ids: ArrayLike<number>, options?: { readonly specials?: boolean }): string;
}

/**
 * @param ends names of the tokens that begin a prompt and end an answer
 * @throws E_TAGS for a vocabulary without the six tags or without the ends
 */
export function wordsOf(tokenizer: TokenizerLike, ends: readonly [string, string] = ['<bos>', '<eos>']): Words {
  const { specials } = tokenizer;
  const tags = tagIds(name => specials[name]);
  const [begin, end] = ends.map(
    name =>
      specials[name] ??
      fail('E_TAGS', `wordsOf: expected a token ${name} that begins or ends texts, the vocabulary lacks it. Say which tokens do, as \`ends\`.`, { name }), // prettier-ignore
  ) as [number, number];
  const shown = new Set(Object.values(tags));
  const others = new Set(Object.values(specials).filter(id => !shown.has(id)));
  return {
    encode: text => Array.from(tokenizer.encode(text)),
    encodeTagged: text => Array.from(tokenizer.encode(text, { specials: true })),
    decode: ids =>
      tokenizer.decode(
        ids.filter(id => !others.has(id)),
        { specials: true },
      ),
    begin,
    end,
    tags,
  };
}
