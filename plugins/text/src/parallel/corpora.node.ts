/** Parallel corpora by name or description, as command lines and config files have them. */

import { fail } from '@heddle/core';
import { readCatalogs, type CatalogOptions } from '../catalog/catalogs.node.js';
import { readPairs, type PairFiles } from './files.node.js';
import {
  generateCorrections,
  generatePairs,
  generateSummaries,
  type GrammarOptions,
  type GrammarTaskOptions,
} from './grammar/generate.js';
import type { Pair, PairReading } from './pair.js';

/** One of these; `language` is that of the targets, for tokenisers with language tags. */
export type Corpus = { readonly language?: string } & (
  | PairFiles
  | { readonly catalogs: CatalogOptions }
  | { readonly grammar: GrammarOptions }
  | { readonly summaries: GrammarTaskOptions }
  | { readonly corrections: GrammarTaskOptions }
  | { readonly pairs: readonly Pair[] }
);

/** Sentences of `grammar:en-de` without a count. */
const usualCount = 20_000;

/**
 * - `corpus.tsv`, `corpus.jsonl`: columns 1 and 2, fields `source` and `target`
 * - `corpus.tsv:en:de`: columns or fields by name, columns by number too
 * - `corpus.en+corpus.de`: line by line
 * - `catalogs:en-de`: the machine's message catalogs
 * - `corrections.m2`: sentences and their edits
 * - `grammar:en-de`, `grammar:en-de:50000`: generated translations
 * - `summaries:en`, `corrections:de:50000`: generated, too
 *
 * @throws E_OPTION for a name that is none of these
 */
export function corpusFrom(name: string): Corpus {
  const generated = /^(catalogs|grammar):([\w@]+)-([\w@]+)(?::(\d+))?$/.exec(name);
  if (generated) {
    const [, kind, source, target, count] = generated as unknown as readonly [string, string, string, string, string?];
    if (kind === 'grammar') return { grammar: { source, target, count: Number(count ?? usualCount) } };
    if (count === undefined) return { catalogs: { source, target } };
  }
  const task = /^(summaries|corrections):(\w+)(?::(\d+))?$/.exec(name);
  if (task) {
    const [, kind, language, count] = task as unknown as readonly [string, string, string, string?];
    const options = { language, count: Number(count ?? usualCount) };
    return kind === 'summaries' ? { summaries: options } : { corrections: options };
  }
  if (name.endsWith('.m2')) return { file: name };
  const table = /^(.+\.(?:tsv|jsonl))(?::([^:]+):([^:]+))?$/.exec(name);
  if (table) {
    const [, file, source, target] = table as unknown as readonly [string, string, string?, string?];
    const column = (given: string): string | number =>
      /^\d+$/.test(given) && file.endsWith('.tsv') ? Number(given) : given;
    return { file, ...(source && target ? { source: column(source), target: column(target) } : {}) };
  }
  const [sourceFile, targetFile, ...more] = name.split('+');
  if (sourceFile && targetFile && more.length === 0) return { sourceFile, targetFile };
  return fail(
    'E_OPTION',
    `corpus: expected FILE.tsv, FILE.tsv:SOURCE:TARGET, FILE.jsonl, FILE.m2, FILE+FILE, catalogs:en-de, grammar:en-de, summaries:en or corrections:en, received '${name}'. Write it as one of these.`,
    { corpus: name },
  );
}

/** @throws as `readPairs`, `readCatalogs` and `generatePairs` do */
export async function readCorpus(corpus: Corpus): Promise<PairReading> {
  if ('catalogs' in corpus) return readCatalogs(corpus.catalogs);
  if ('grammar' in corpus) return generatePairs(corpus.grammar);
  if ('summaries' in corpus) return generateSummaries(corpus.summaries);
  if ('corrections' in corpus) return generateCorrections(corpus.corrections);
  if ('pairs' in corpus) return { pairs: corpus.pairs, seen: corpus.pairs.length, dropped: [] };
  if ('file' in corpus || 'sourceFile' in corpus) return readPairs(corpus);
  return fail(
    'E_OPTION',
    `corpus: expected file, sourceFile and targetFile, catalogs, grammar, summaries, corrections or pairs, received ${(JSON.stringify(corpus) ?? String(corpus)).slice(0, 60)}. Give one of them.`,
    { corpus },
  );
}
