/** Kind `gec`: GLEU, the M2 scorer, ERRANT's comparison. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GoldenCase, GoldenFile, GoldenKind } from '@heddle/core/testing/golden';
import { errantCompare, type ErrantOptions } from '../correction/errant.js';
import type { EditScore } from '../correction/f-score.js';
import { gleu } from '../correction/gleu.js';
import { parseM2, type M2Sentence } from '../correction/m2.js';
import { maxMatch } from '../correction/max-match.js';
import { fixed } from '../text/decimal.js';
import { caseFrom, rowsOf, startsWith, type Part, type Row } from './compare.js';

/** Named from the folder above (`gec/x.m2`) or beside the golden file. */
const beside = (file: GoldenFile, name: string): string => {
  const folder = dirname(file.path);
  return (
    [join(dirname(folder), name), join(folder, name.split('/').at(-1)!)].find(path => existsSync(path)) ??
    join(folder, name)
  );
};

const m2At = async (path: string): Promise<readonly M2Sentence[]> => parseM2(await readFile(path, 'utf8'), path);

interface Jfleg {
  readonly source: string;
  readonly references: readonly string[];
  readonly spellchecked: string;
}

const jflegAt = async (path: string): Promise<readonly Jfleg[]> =>
  rowsOf(await readFile(path, 'utf8'), path) as unknown as readonly Jfleg[];

/** `source`, `spellchecked`, or a reference: `ref1`. */
const systemOf = (rows: readonly Jfleg[], name: string): readonly string[] => {
  const reference = /^ref(\d+)$/.exec(name);
  return rows.map(row =>
    reference ? row.references[Number(reference[1])]! : name === 'spellchecked' ? row.spellchecked : row.source,
  );
};

async function m2scorer(row: Row, file: GoldenFile): Promise<EditScore> {
  const options = { beta: row['beta'] as number, maxUnchanged: row['maxUnchangedWords'] as number | undefined };
  if (typeof row['sourceGold'] === 'string')
    return maxMatch((row['system'] as string).replace(/\n$/, '').split('\n'), parseM2(row['sourceGold']), options);
  const path = beside(file, row['file'] as string);
  const rows = row['rows'] as number | undefined;
  const system = systemOf(await jflegAt(path.replace(/\.m2$/, '.jsonl')), row['systemName'] as string);
  return maxMatch(system.slice(0, rows), (await m2At(path)).slice(0, rows), options);
}

function errantOptions(args: readonly string[]): ErrantOptions {
  const after = (flag: string): string | undefined => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined);
  const beta = after('-b') ?? after('--beta');
  const filtered = args.indexOf('-filt');
  return {
    agree: args.includes('-dt')
      ? 'tokens'
      : args.includes('-ds')
        ? 'spans'
        : args.includes('-cse')
          ? 'types'
          : 'correction',
    beta: beta === undefined ? undefined : Number(beta),
    size: args.includes('-single') ? 'single' : args.includes('-multi') ? 'multi' : undefined,
    without: filtered < 0 ? undefined : args.slice(filtered + 1).filter(one => !one.startsWith('-')),
  };
}

async function scorer(row: Row, at: number, file: GoldenFile): Promise<GoldenCase> {
  const kind = row['kind'] as string;
  const found =
    kind === 'm2scorer'
      ? await m2scorer(row, file)
      : errantCompare(
          await m2At(beside(file, row['hypM2'] as string)),
          await m2At(beside(file, row['refM2'] as string)),
          errantOptions((row['args'] ?? []) as readonly string[]),
        );
  const own: Readonly<Record<string, number>> = {
    tp: found.truePositives,
    fp: found.falsePositives,
    fn: found.falseNegatives,
    precision: Number(fixed(found.precision, 4)),
    recall: Number(fixed(found.recall, 4)),
    f: Number(fixed(found.f, 4)),
  };
  const expected = row['expected'] as Readonly<Record<string, number>>;
  return caseFrom(
    [at, kind, row['systemName'], row['beta'], ...((row['args'] ?? []) as string[])]
      .filter(one => one !== undefined)
      .join(' '),
    Object.entries(expected).map(([name, value]) => ({ name, expected: value, found: own[name] })),
  );
}

async function gleuCase(row: Row, file: GoldenFile): Promise<GoldenCase> {
  const rows = await jflegAt(beside(file, `jfleg.${String(row['split'])}.jsonl`));
  const name = row['hypothesis'] as string;
  const versus = /^(ref\d+)-vs-(\d+)$/.exec(name);
  const used = versus ? [...versus[2]!].map(Number) : Array.from({ length: row['numRefs'] as number }, (_, i) => i);
  const found = gleu(
    systemOf(rows, versus ? versus[1]! : name),
    rows.map(({ source }) => source),
    used.map(r => rows.map(({ references }) => references[r]!)),
    { iterations: row['iterations'] as number },
  );
  const sentences = row['sentenceGleuFirst60'] as readonly number[];
  const parts: Part[] = [
    { name: 'mean', expected: row['corpusMean'], found: found.score, digits: 6 },
    { name: 'deviation', expected: row['corpusStd'], found: found.deviation, digits: 6 },
    { name: 'interval', expected: row['ci95'], found: `(${found.interval.map(x => fixed(x, 3)).join(',')})` },
    { name: 'sentences', expected: sentences, found: found.sentences.slice(0, sentences.length), digits: 6 },
  ];
  return caseFrom(`${String(row['split'])} ${name}`, parts);
}

const families: Readonly<Record<string, (row: Row, at: number, file: GoldenFile) => Promise<GoldenCase>>> = {
  'gec-scorer-golden': scorer,
  'gleu-golden': (row, _, file) => gleuCase(row, file),
};

const familyOf = (name: string) => Object.entries(families).find(([stem]) => startsWith(name, stem))?.[1];

export const gec: GoldenKind = {
  name: 'gec',
  recognises: name => name.endsWith('.json') && familyOf(name) !== undefined,
  ignores: name => name.endsWith('.m2') || startsWith(name, 'jfleg') || startsWith(name, 'm2scorer-example'),
  async *check(file) {
    const family = familyOf(file.name)!;
    for (const [at, row] of rowsOf(await file.text(), file.name).entries()) {
      try {
        yield await family(row, at, file);
      } catch (error) {
        yield {
          id: String(at),
          passed: false,
          detail: `throws: ${error instanceof Error ? error.message : String(error)}`,
          error: Infinity,
        };
      }
    }
  },
};
