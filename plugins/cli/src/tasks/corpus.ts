/** The pairs of a task: found, cleaned, parted so that no test source is trained on, and kept with the run. */

import { fail, isHeddleError, parseJson } from '@heddle/core';
import { atomicWriteFile } from '@heddle/core/node';
import { corpusFrom, filterPairs, holdOut, readCorpus, readText, type HeldOut, type Pair } from '@heddle/text';
import { counted, grouped } from '../words.js';
import { tasks, type TaskSettings } from './settings.js';

/** Fewer pairs teach nothing that a table could show. */
const enough = 3000;
const longest = { validation: 100, test: 200 };

export interface TaskCorpus {
  /** For people. */
  readonly name: string;
  readonly parts: HeldOut;
}

/**
 * What the run was begun with, or, for a new one, gathered and kept.
 *
 * @throws as `readCorpus`, E_EMPTY
 */
export async function corpusOf(
  settings: TaskSettings,
  path: string,
  goesOn: boolean,
  say: (text: string) => void,
): Promise<TaskCorpus> {
  if (goesOn) return parseJson(await readText(path), { thing: path }) as unknown as TaskCorpus; // written below
  const { name, pairs } = await gather(settings, say);
  const share = (most: number): number => Math.min(0.1, most / pairs.length);
  const parts = holdOut(pairs, {
    validation: share(longest.validation),
    test: share(longest.test),
    seed: settings.seed,
  });
  const bare = (all: readonly Pair[]): readonly Pair[] => all.map(({ source, target }) => ({ source, target }));
  const corpus = {
    name,
    parts: { train: bare(parts.train), validation: bare(parts.validation), test: bare(parts.test) },
  };
  await atomicWriteFile(path, JSON.stringify(corpus));
  return corpus;
}

async function gather(
  settings: TaskSettings,
  say: (text: string) => void,
): Promise<{ readonly name: string; readonly pairs: readonly Pair[] }> {
  const read = async (name: string): Promise<readonly Pair[]> => {
    const { pairs, seen, dropped } = filterPairs(await readCorpus(corpusFrom(name)), {});
    const left = dropped.reduce((sum, { count }) => sum + count, 0);
    say(
      `Pairs: ${grouped(pairs.length)} of ${name}${left === 0 ? '' : `; ${grouped(left)} of ${grouped(seen)} left out`}`,
    );
    for (const { reason, count } of dropped.slice(0, 3)) say(`  ${reason}: ${grouped(count)}`);
    return pairs;
  };
  if (settings.pairs.length > 0) {
    const found: Pair[] = [];
    for (const name of settings.pairs) found.push(...(await read(name)));
    return { name: settings.pairs.join(', '), pairs: found };
  }
  for (const name of tasks[settings.task].pairs) {
    try {
      const pairs = await read(name);
      if (pairs.length >= enough) return { name, pairs };
      say(`  ${counted(pairs.length, 'pair')} are too few; ${grouped(enough)} are needed.`);
    } catch (error) {
      if (!isHeddleError(error) || !['E_LANGUAGE', 'E_EMPTY', 'E_IO', 'E_FILE'].includes(error.code)) throw error;
      say(`Pairs: none of ${name}: this machine has no such catalogs.`);
    }
  }
  return fail('E_EMPTY', `${settings.task}: expected pairs, received none. Name some with --pairs.`, {});
}
