/** `heddle think`: answers with paths, in columns. */

import { fail, type CommandCall, type Host } from '@heddle/core';
import {
  answerRules,
  parallelStrategy,
  parseThinking,
  promptOf,
  sequentialStrategy,
  withoutTags,
  wordsOf,
} from '@heddle/rl-grpo';
import { openPaths } from '../curriculum/paths.js';
import { openEngine } from '../engine.js';
import { expectKind } from '../model.js';
import { loadModel } from '../model-folder.js';
import { numberOption, textOption } from '../numbers.js';
import { linesOf } from '../standard-input.js';
import { beside } from '../columns.js';
import { indented } from '../words.js';

export async function runThink(call: CommandCall, host: Host): Promise<number> {
  const { options, signal } = call;
  const folder = textOption(options, 'model', 'the folder of a curriculum');
  const count = (name: string, otherwise: number, least = 1): number =>
    numberOption(options, name, { least, most: 4096, whole: true, default: otherwise });
  const [samples, paths, seed] = [count('samples', 1), count('paths', 2), count('seed', 0, 0)];
  const temperature = numberOption(options, 'temperature', { least: 1e-3, default: 0.7 });
  const problems = await linesOf(options, 'to solve');
  const { model: loaded, parameters, tokenizer, from } = await loadModel(host, folder);
  const model = expectKind(loaded, 'decoder');
  const words = wordsOf(tokenizer);
  const prompts = problems.map(problem => promptOf(words, problem));
  const longest = Math.max(...prompts.map(({ length }) => length));
  if (longest >= model.length)
    fail('E_LENGTH', `text: expected a problem of fewer than ${model.length} tokens, received one of ${longest}. Shorten it.`, { received: longest }); // prettier-ignore
  const responseLength = Math.min(count('maxTokens', model.length), model.length - longest);
  const engine = await openEngine(host, typeof options['backend'] === 'string' ? options['backend'] : 'auto');
  call.note(`${from} on ${engine.backend.name}`);
  const thinking = { tags: words.tags, endOfText: words.end, newline: words.encode('\n'), responseLength };
  const strategy = paths === 1 ? sequentialStrategy(thinking) : parallelStrategy({ ...thinking, paths });
  const slots = Math.min(32, samples * problems.length);
  const made = { model, params: parameters, backend: engine.backend, kernels: host.kernels };
  const { session, close } = await openPaths(made, slots, model.length);
  try {
    const asked = prompts.flatMap(prompt => Array.from({ length: samples }, () => prompt));
    const answers: string[] = [];
    for (let first = 0; first < asked.length; first += slots) {
      const part = {
        session,
        prompts: asked.slice(first, first + slots),
        first,
        seed,
        temperature,
        version: 0,
        signal,
      };
      for (const { ids, promptLength } of await strategy.rollout(part))
        answers.push(words.decode(ids.slice(promptLength)));
    }
    for (const [i, problem] of problems.entries()) show(call, problem, answers.slice(i * samples, (i + 1) * samples));
  } finally {
    await close();
  }
  return 0;
}

function show({ options, print }: CommandCall, problem: string, answers: readonly string[]): void {
  const found = answers.map(answer => answerRules.minerva.find(withoutTags(answer)));
  const votes = new Map<string, number>();
  for (const one of found) if (one !== null) votes.set(one, (votes.get(one) ?? 0) + 1);
  const [best] = [...votes].toSorted((a, b) => b[1] - a[1]);
  if (options['json'] === true) {
    print(JSON.stringify({ type: 'answer', problem, answer: best?.[0] ?? null, votes: best?.[1] ?? 0, answers }));
    return;
  }
  print(problem);
  for (const answer of answers) print(`${indented(drawn(answer))}\n`);
  if (answers.length > 1)
    print(best ? `  ${best[1]} of ${answers.length} say ${best[0]}` : '  none of them gives an answer');
}

/** A text as it is, but for its blocks: their paths stand side by side. */
const drawn = (answer: string): string =>
  parseThinking(answer)
    .map(part => {
      if (part.kind === 'block') return beside(part.paths.map(({ text }, i) => `path ${i + 1}\n${text.trim()}`));
      return part.kind === 'summary' ? `summary: ${part.text.trim()}` : part.text.trim();
    })
    .filter(text => text !== '')
    .join('\n');
