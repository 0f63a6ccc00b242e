/** Paired tests of sacreBLEU, drawn anew from their seed, and one bootstrap replayed from the draws in the file. */

import type { GoldenCase, GoldenFile } from '@heddle/core/testing/golden';
import { statisticsOf, sumOf } from '../corpus.js';
import type { CorpusMetric } from '../metric.js';
import { pairedTest } from '../significance/paired.js';
import { intervalOf, resampledScores } from '../significance/resamples.js';
import type { BuiltinTokenizer } from '../tokenizers/builtin.js';
import { bleu } from '../translation/bleu.js';
import { chrf } from '../translation/chrf.js';
import { ter } from '../translation/ter.js';
import { caseFrom, type Part, type Row } from './compare.js';
import { readSystems, type Systems } from './systems.node.js';

interface Expected {
  readonly score: number;
  readonly pValue: number | null;
  readonly mean: number | null;
  readonly ci: number | null;
}

export async function significance(row: Row, id: string, file: GoldenFile): Promise<GoldenCase> {
  const table = await readSystems(file.path, row['file'] as string);
  const rows = row['rows'] as number | undefined;
  return row['kind'] === 'exact-replay' ? replay(row, id, table, rows) : drawn(row, id, table, rows);
}

/** By the name of its scores: `BLEU`, `chrF2++`, `TER`. */
function metricNamed(name: string, tokenize: BuiltinTokenizer): CorpusMetric {
  const chrfName = /^chrF(\d+)(\+*)$/.exec(name);
  if (chrfName) return chrf({ beta: Number(chrfName[1]), wordOrder: chrfName[2]!.length });
  if (name === 'TER') return ter();
  if (name === 'BLEU') return bleu({ tokenize });
  throw new Error(`no metric '${name}' is implemented`);
}

function drawn(row: Row, id: string, table: Systems, rows: number | undefined): GoldenCase {
  const { System: names, ...expected } = row['results'] as { readonly System: readonly string[] } & Readonly<
    Record<string, readonly Expected[]>
  >;
  const signatures = (row['signatures'] ?? {}) as Readonly<Record<string, string>>;
  const tokenize = (row['tokenize'] as BuiltinTokenizer | undefined) ?? '13a';
  const tables = pairedTest(
    Object.keys(expected).map(name => metricNamed(name, tokenize)),
    names.map(name => ({ name, hypotheses: table.system(name).slice(0, rows) })),
    [table.references.slice(0, rows)],
    {
      test: /bootstrap/.test(row['test'] as string) ? 'bootstrap' : 'randomisation',
      samples: row['nSamples'] as number,
      seed: row['seed'] as number,
    },
  );
  const parts = tables.flatMap(({ metric, signature, results }): readonly Part[] => [
    { name: `${metric} signature`, expected: signatures[metric], found: signature },
    ...results.flatMap(({ system, score, p, interval }, i): readonly Part[] => {
      const one = expected[metric]![i]!;
      return [
        { name: `${metric} score of ${system}`, expected: one.score, found: score.score },
        { name: `${metric} p of ${system}`, expected: one.pValue, found: p },
        { name: `${metric} mean of ${system}`, expected: one.mean, found: interval?.mean ?? null },
        { name: `${metric} interval of ${system}`, expected: one.ci, found: interval?.halfWidth ?? null },
      ];
    }),
  ]);
  return caseFrom(`${id} ${String(row['test'])}`, parts);
}

function replay(row: Row, id: string, table: Systems, rows: number | undefined): GoldenCase {
  const indices = row['indices'] as readonly (readonly number[])[];
  const metric = bleu();
  const statistics = statisticsOf(
    metric,
    (row['systems'] as readonly string[]).map(name => table.system(name).slice(0, rows)),
    [table.references.slice(0, rows)],
  );
  const draws = { draws: Int32Array.from(indices.flat()), samples: indices.length, segments: indices[0]!.length };
  const scores = statistics.map(one => resampledScores(metric, one, draws));
  const real = statistics.map(one => metric.score(sumOf(one)).score);
  const differences = scores[0]!.map((score, i) => Math.abs(scores[1]![i]! - score));
  const mean = differences.reduce((a, b) => a + b) / differences.length;
  const beyond = differences.filter(x => x - mean > Math.abs(real[1]! - real[0]!)).length;
  return caseFrom(`${id} replay`, [
    ...(row['bootstrapScores'] as readonly number[][]).map((expected, i) => ({
      name: `scores of system ${i + 1}`,
      expected,
      found: [...scores[i]!],
    })),
    { name: 'real scores', expected: row['realScores'], found: real },
    { name: 'p', expected: row['pValue'], found: (beyond + 1) / (differences.length + 1) },
    { name: 'interval', expected: row['ci95HalfWidthSystem2'], found: intervalOf(scores[1]!).halfWidth },
  ]);
}
