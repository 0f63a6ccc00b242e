/** The report: one HTML file that carries its data, its style and its program, and asks nothing of the network. */

import type { Score } from '../metric.js';
import type { Interval } from '../significance/resamples.js';
import { reportClient } from './client.js';
import type { ReportData } from './data.js';
import { reportStyle } from './style.js';

export interface ReportInput {
  readonly systems: readonly string[];
  /** Segments, in order. */
  readonly chunks: readonly {
    readonly references: readonly (readonly (string | null)[])[];
    readonly hypotheses: readonly (readonly string[])[];
    readonly sources: readonly string[] | null;
    readonly documents: readonly string[] | null;
  }[];
  readonly results: readonly {
    readonly system: string;
    readonly metric: string;
    readonly score: Score;
    readonly signature: string | null;
    readonly p: number | null;
    readonly interval: Interval | null;
  }[];
  /** By system, then by segment. */
  readonly metrics: readonly {
    readonly name: string;
    readonly higherIsBetter: boolean;
    readonly segments: readonly (readonly number[])[];
  }[];
}

/** A script ends at the first `</script`, whatever stands around it; U+2028 ends a line in old parsers. */
const embedded = (data: ReportData): string =>
  JSON.stringify(data).replace(/[<\u2028\u2029]/g, one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

export function reportPage({ systems, chunks, results, metrics }: ReportInput): string {
  const data: ReportData = {
    systems,
    results: results.map(({ score: { score, verbose }, ...rest }) => ({ ...rest, score, verbose })),
    metrics: metrics.map(({ name, higherIsBetter, segments }) => ({
      name,
      higherIsBetter,
      scores: segments.map(own => own.map(score => Math.round(score * 1e4) / 1e4)),
    })),
    segments: chunks.flatMap(({ references, hypotheses, sources, documents }) =>
      hypotheses[0]!.map((_, i) => ({
        source: sources?.[i] ?? null,
        document: documents?.[i] ?? null,
        references: references.map(stream => stream[i] ?? null).filter(text => text !== null),
        hypotheses: hypotheses.map(own => own[i]!),
      })),
    ),
  };
  const count = data.segments.length;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="@heddle/eval-text">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>Evaluation of ${systems.length} ${systems.length === 1 ? 'system' : 'systems'} on ${count} segments</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<h1>Evaluation of ${systems.length} ${systems.length === 1 ? 'system' : 'systems'}</h1>
<div class="hint">${count} segments</div>
<h2>Scores</h2>
<div class="panel"><table id="summary"></table></div>
<div id="signatures" style="margin-top:8px"></div>
<h2>Segments</h2>
<div class="controls">
<label>Metric<select id="metric"></select></label>
<label class="pair">A<select id="left"></select></label>
<label class="pair">B<select id="right"></select></label>
<label>Sort by<select id="sort"></select></label>
<label>Search<input id="query" type="search" placeholder="text or number"></label>
<label class="check pair"><input id="only" type="checkbox">only where A and B differ</label>
<span id="count" class="hint" style="margin-left:auto;padding-bottom:7px" role="status"></span>
</div>
<div class="panel" style="margin-bottom:14px"><div id="distributions"></div><div id="comparison"></div></div>
<div class="hint" style="margin-bottom:10px"><mark class="extra">marked</mark> in an output: not in the reference; <mark class="missing">marked</mark> in the reference: not in <span class="pair">B</span><span class="lone">the output</span></div>
<div id="segments"></div>
<button id="more" type="button" hidden></button>
</main>
<noscript>This page shows its data with a script of its own.</noscript>
<script id="data" type="application/json">${embedded(data)}</script>
<script>(${reportClient.toString()})();</script>
</body>
</html>
`;
}
