/** What a curriculum works with on this machine: a model and its words, problems, and a folder for all that comes of it. */

import { join } from 'node:path';
import { MODELS, fail, type Backend, type DecoderModel, type Host } from '@heddle/core';
import { sha256 } from '@heddle/core/files';
import {
  generateProblem,
  generatedPool,
  levelsOf,
  sequentialTrace,
  tagTexts,
  wordsOf,
  type Judge,
  type ProblemPool,
  type Weights,
  type Workbench,
} from '@heddle/rl-grpo';
import { readTokenizer, saveTokenizer, trainBpe, type Tokenizer } from '@heddle/text';
import { partsOf } from '@heddle/transformer';
import { expectKind } from '../model.js';
import { loadModel } from '../model-folder.js';
import { exists } from '../run-folder.js';
import { forgetUnfinished, unfinishedPlace, unfinishedStage } from '../unfinished.js';
import { journalIn } from './journal.js';
import { mathJudge } from './judge.js';
import { openPaths } from './paths.js';
import { fileOfProblems } from './problem-file.js';
import type { CurriculumSettings } from './settings.js';
import { teacherOver } from './teacher.js';

/** Steps between two checkpoints: half a minute of reinforcement learning with a small model. */
const saveEvery = 10;

interface Opened {
  readonly model: DecoderModel;
  readonly tokenizer: Tokenizer;
  /** Weights to begin with; absent: drawn. */
  readonly from?: { readonly weights: Weights; readonly id: string };
}

export interface Bench extends Opened {
  readonly workbench: Workbench;
  /** Drops what an unfinished stage left, once it is finished. */
  forget(key: string): Promise<void>;
}

/** @throws E_TAGS for a vocabulary without the tags; E_MODEL, E_FILE, E_PROBLEMS */
export async function openBench(
  host: Host,
  backend: Backend,
  settings: CurriculumSettings,
  folder: string,
): Promise<Bench> {
  const longest = Math.max(...settings.curricula.map(({ promptLength, responseLength }) => promptLength + responseLength)); // prettier-ignore
  const { model, tokenizer, from } =
    settings.model === null
      ? await ownModel(host, settings, longest, join(folder, 'tokenizer.json'))
      : await givenModel(host, settings.model, longest);
  const { kernels } = host;
  const pools = new Map<string, Promise<ProblemPool>>();
  let judge: Judge | null = null;
  const workbench: Workbench = {
    model,
    words: wordsOf(tokenizer),
    backend,
    kernels,
    open: (params, slots, tokens) => openPaths({ model, params, backend, kernels }, slots, tokens),
    problems(name) {
      const known = pools.get(name) ?? poolOf(name, settings.files);
      pools.set(name, known);
      return known;
    },
    ...(settings.teacher
      ? { teacher: teacherOver(settings.teacher), teacherAtOnce: settings.teacher.atOnce ?? 8 }
      : {}),
    judge: name =>
      name === 'math'
        ? (judge ??= mathJudge(host))
        : fail('E_CONFIG', `judge: expected math, received ${JSON.stringify(name)}.`, { name }),
    journal: key => journalIn(unfinishedPlace(folder, key)),
    checkpoints: key => ({ store: unfinishedStage(folder, key), every: saveEvery }),
  };
  return {
    model,
    tokenizer,
    workbench,
    ...(from ? { from } : {}),
    forget: key => forgetUnfinished(folder, key),
  };
}

async function poolOf(name: string, files: Readonly<Record<string, string>>): Promise<ProblemPool> {
  const levels = levelsOf(name);
  if (levels) return generatedPool(...levels);
  const file = files[name];
  if (file === undefined)
    return fail('E_OPTION', `problems: expected level:N, level:N-M or a name with a file, received '${name}'. Give --problems ${name}=FILE, JSON lines or parquet.`, { name }); // prettier-ignore
  return fileOfProblems(name, file);
}

/** Numbers and words of generated problems, as byte pairs, and the tags. */
async function ownModel(
  host: Host,
  { width, depth }: CurriculumSettings,
  length: number,
  path: string,
): Promise<Opened> {
  if (!(await exists(path))) await saveTokenizer(path, ownTokenizer());
  const tokenizer = await readTokenizer(path);
  const config = {
    vocabulary: tokenizer.vocabularySize,
    width,
    depth,
    heads: 4,
    length,
    // PartialFormer's part learns these problems faster than plain attention of the same size does.
    attention: 'partial',
    ffn: 'none',
    options: { attention: { expandHeads: 8 } },
  };
  const model = expectKind(host.find(MODELS, 'decoder').create(config, partsOf(host)), 'decoder');
  return { model, tokenizer };
}

function ownTokenizer(): Tokenizer {
  const problems = [1, 2, 3].flatMap(level => Array.from({ length: 600 }, (_, i) => generateProblem(0, i, level)));
  return trainBpe(
    problems.flatMap(one => [`${one.problem}\n`, sequentialTrace(one)]),
    { vocabularySize: 400, specials: ['<bos>', '<eos>', '<pad>', ...Object.values(tagTexts)] },
  );
}

async function givenModel(host: Host, path: string, length: number): Promise<Opened> {
  const { model, parameters, tokenizer, from } = await loadModel(host, path);
  const decoder = expectKind(model, 'decoder');
  if (decoder.length < length)
    fail('E_LENGTH', `${path}: expected a model of texts of ${length} tokens, prompts and answers together, received one of ${decoder.length}. Take smaller promptLength and responseLength.`, { length, received: decoder.length }); // prettier-ignore
  const bytes = Object.keys(parameters).toSorted().map(name => parameters[name]!.data); // prettier-ignore
  const hashes = bytes.map(data => sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  return { model: decoder, tokenizer, from: { weights: parameters, id: `${from}/${sha256(new TextEncoder().encode(hashes.join()))}` } }; // prettier-ignore
}
