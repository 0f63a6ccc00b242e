/** What came of strategies, as the report shows it: tables, maps of conflict and synergy, curves over the number of languages. */

import {
  conflictCurve,
  conflictsOf,
  directionOf,
  type ChainResult,
  type GradientsResult,
  type Values,
  type VectorsResult,
} from '@heddle/mmt-merge';
import type { ReportChart, ReportContents, ReportHeatMap, ReportTable } from '@heddle/tracker-report';
import { grouped, percent } from '../words.js';
import type { MultilingualBench } from './bench.js';
import type { MultilingualTexts } from './texts.js';
import {
  directionTable,
  exampleTable,
  rowNames,
  signed,
  strategyTable,
  testTable,
  vectorTable,
  ways,
  type Way,
} from './table.js';

const both = ['into', 'out-of'] as const;

export function multilingualContents(
  result: ChainResult,
  texts: MultilingualTexts,
  bench: Pick<MultilingualBench, 'pairs'>,
): ReportContents {
  const vectors = vectorTable(result);
  return {
    title: 'multilingual translation',
    tables: [
      strategyTable(result),
      testTable(result, Object.keys(texts.sets)),
      ...both.map(way => directionTable(result, way)),
      ...(vectors ? [vectors] : []),
      ...searchTable(result),
      mixtureTable(texts, bench),
      exampleTable(result),
    ],
    heatMaps: [
      ...both.flatMap(way => conflictMap(result, way)),
      ...both.flatMap(way => (result.vectors ? [vectorMap(result.vectors[way], way)] : [])),
      ...both.flatMap(way => (result.gradients ? gradientMaps(result.gradients[way], way) : [])),
      ...layerMap(result),
    ],
    charts: curveOf(result),
  };
}

/** What was tried for each group: the middle of the bounds, which is the usual merge, and the best. */
function searchTable({ rows }: ChainResult): readonly ReportTable[] {
  const searches = Object.entries(rows).flatMap(([row, { searches: of }]) =>
    Object.entries(of).map(([module, found]) => ({ row, module, ...found })),
  );
  const shown = (values: Values): string => Object.entries(values).map(([name, x]) => `${name} ${x.toFixed(2)}`).join(', '); // prettier-ignore
  return searches.length === 0
    ? []
    : [
        {
          title: 'Searches: chrF on texts that are neither learnt from nor tested with',
          head: ['merge', 'adapter', 'trials', 'first', 'its chrF', 'best', 'its chrF'],
          rows: searches.map(({ row, module, best, trials }) => [
            row,
            module,
            grouped(trials.length),
            shown(trials[0]!.values),
            trials[0]!.score.toFixed(1),
            shown(best.values),
            best.score.toFixed(1),
          ]),
        },
      ];
}

/** What the adapters for all languages are shown of each. */
function mixtureTable(texts: MultilingualTexts, bench: Pick<MultilingualBench, 'pairs'>): ReportTable {
  const languages = Object.keys(texts.train);
  const shares = both.map(
    way =>
    bench.pairs(languages.map(language => (way === 'into' ? `${language}-en` : `en-${language}`)), 0).report().corpora, // prettier-ignore
  );
  return {
    title: `Mixture of the adapters for all: ${percent(texts.repeated)} of pairs into English have a target that stands in another language too`,
    head: ['language', 'pairs to learn from', ...both.map(way => `share, ${ways[way]}`)],
    rows: languages.map((language, i) => [
      language,
      grouped(texts.train[language]!.length),
      ...shares.map(of => percent(of[i]!.share)),
    ]),
  };
}

/** Languages by strategy: what each gains or loses against an adapter of its own. */
function conflictMap(result: ChainResult, way: Way): readonly ReportHeatMap[] {
  const { rows } = result;
  if (!Object.hasOwn(rows, 'separate')) return [];
  const names = rowNames(result).filter(name => name !== 'separate' && name !== 'base');
  const found = names.map(name => conflictsOf(result, name).directions);
  const directions = Object.keys(rows['separate']!.directions).filter(name => directionOf(name).way === way);
  return [
    {
      title: `Conflict and synergy, ${ways[way]}`,
      note: 'Sentence chrF against an adapter for the direction alone: red loses, green gains, * beyond chance (paired bootstrap).',
      columns: names,
      rows: directions.map(direction => ({
        name: direction,
        cells: found.map((of, i) => {
          const { delta, low, high, significant } = of[direction]!;
          const chrF = rows[names[i]!]!.directions[direction]!.scores['chrF']!.toFixed(1);
          return { value: delta, mark: significant ? '*' : '', hint: `chrF ${chrF}; ${signed(low)} to ${signed(high)}` }; // prettier-ignore
        }),
      })),
    },
  ];
}

const cosineMap = (
  title: string,
  note: string,
  names: readonly string[],
  cosines: readonly (readonly number[])[],
): ReportHeatMap => ({
  title,
  note,
  columns: names,
  rows: names.map((name, i) => ({ name, cells: names.map((_, j) => (i === j ? null : { value: cosines[i]![j]! })) })),
  range: [-1, 1],
  decimals: 2,
});

const vectorMap = ({ modules, cosines }: VectorsResult, way: Way): ReportHeatMap =>
  cosineMap(
    `Task vectors, ${ways[way]}`,
    'Cosines of the differences that adapters of single directions make.',
    modules,
    cosines,
  );

const gradientMaps = ({ directions, before, after }: GradientsResult, way: Way): readonly ReportHeatMap[] =>
  ([['before it learns', before], ['after', after]] as const).map(([when, cosines]) =>
    cosineMap(
      `Gradients, ${ways[way]}, ${when}`,
      'Cosines of the gradients that directions have in the adapter for all languages: below 0 they pull apart.',
      directions,
      cosines,
    ),
  ); // prettier-ignore

/** Layers by what adapters of single directions are to each other in them, and what merges leave of them. */
function layerMap({ vectors, rows }: ChainResult): readonly ReportHeatMap[] {
  if (!vectors) return [];
  const merges = Object.entries(rows).filter(([, { retained }]) => Object.keys(retained).length > 0);
  const measures = [
    ...both.flatMap(way => [
      { name: `within groups, ${ways[way]}`, of: (layer: string) => vectors[way].layers[layer]!.within },
      { name: `between groups, ${ways[way]}`, of: (layer: string) => vectors[way].layers[layer]!.between },
      { name: `signs apart, ${ways[way]}`, of: (layer: string) => vectors[way].layers[layer]!.signConflict },
    ]),
    ...merges.map(([name, { retained }]) => ({ name: `left by ${name}`, of: (layer: string) => retained[layer] ?? null })), // prettier-ignore
  ];
  return [
    {
      title: 'Layer by layer',
      note: 'Mean cosines of the differences of adapters, the share of weights that some raise and others lower, and the share of their mass that a merge leaves.',
      columns: measures.map(({ name }) => name),
      rows: Object.keys(vectors.into.layers).map(layer => ({
        name: layer,
        cells: measures.map(({ of }) => {
          const value = of(layer);
          return value === null ? null : { value };
        }),
      })),
      range: [-1, 1],
      decimals: 2,
    },
  ];
}

/** Conflict and synergy as languages are added. */
function curveOf(result: ChainResult): readonly ReportChart[] {
  const curve = conflictCurve(result);
  return curve.length < 2
    ? []
    : [
        {
          title: 'One adapter for all against one each, by the number of languages: mean of sentence chrF',
          along: 'languages',
          lines: both.map(way => ({
            name: ways[way],
            places: curve.map(({ languages, ways: of }) => [languages, of[way].mean] as const),
          })),
        },
      ];
}
