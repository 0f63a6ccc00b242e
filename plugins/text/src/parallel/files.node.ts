/** Pairs from files. Under Node only; elsewhere, pass text to `pairsFromTsv` and its like. */

import { fail } from '@heddle/core';
import { readText } from '../corpus.node.js';
import { pairsFromJsonl, pairsFromLines, pairsFromTsv, type Column } from './lines.js';
import { pairsFromM2 } from './m2.js';
import type { PairReading } from './pair.js';

/**
 * One file with both sides (`.tsv`, `.jsonl`, `.m2`), or a file for each.
 *
 * Columns of a TSV are names in its first line, or numbers from 1; fields of JSON lines are names, with dots for what
 * stands deeper. Default: columns 1 and 2; fields `source` and `target`.
 */
export type PairFiles =
  | { readonly file: string; readonly source?: Column; readonly target?: Column }
  | { readonly sourceFile: string; readonly targetFile: string };

/** @throws E_IO, E_UTF8, E_BINARY, E_PAIRS, E_COLUMN; E_EMPTY where no pair is left */
export async function readPairs(files: PairFiles): Promise<PairReading> {
  const reading = await pairsOf(files);
  const name = 'file' in files ? files.file : files.sourceFile;
  if (reading.pairs.length === 0)
    fail(
      'E_EMPTY',
      `${name}: expected pairs with text on both sides, received none in ${reading.seen} lines. Check the columns or fields.`,
      { name, seen: reading.seen },
    );
  return reading;
}

async function pairsOf(files: PairFiles): Promise<PairReading> {
  const named = async (name: string) => ({ name, text: await readText(name) });
  if (!('file' in files)) return pairsFromLines(await named(files.sourceFile), await named(files.targetFile));
  const { file } = files;
  if (file.endsWith('.m2')) return pairsFromM2(await named(file));
  if (file.endsWith('.jsonl')) {
    const { source = 'source', target = 'target' } = files;
    return pairsFromJsonl(await named(file), String(source), String(target));
  }
  return pairsFromTsv(await named(file), files.source ?? 1, files.target ?? 2);
}
