/** Runs side by side as one HTML page that needs nothing else. */

import { chart } from './chart.js';
import { heatMap, type ReportHeatMap } from './heat-map.js';
import { curvesOf, type Curve, type RunRecord } from './record.js';
import { escape, figure, time } from './text.js';
import type { Places } from './thin.js';

const style = `
:root { color-scheme: light dark; --ink: #1c1917; --soft: #6b6560; --rule: #e2ded9; --ground: #fcfbfa; --card: #fff;
  --s0: #2563eb; --s1: #d97706; --s2: #059669; --s3: #c026d3; --s4: #dc2626; --s5: #0891b2; --s6: #65a30d; --s7: #7c3aed; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece8e3; --soft: #a8a29a; --rule: #38332f; --ground: #171412; --card: #211d1a;
  --s0: #6ea2ff; --s1: #f2a64a; --s2: #3ecf9a; --s3: #e27df0; --s4: #ff7a7a; --s5: #4cc9e0; --s6: #a3d94f; --s7: #ab8bff; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 2rem 1.2rem 3rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
.table { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .8rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--rule); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; }
th:first-child, td:first-child { text-align: left; font-weight: 600; }
.mark { display: inline-block; width: .75rem; height: .75rem; border-radius: 3px; margin-right: .5rem; vertical-align: -1px; }
h2 { font-size: 1.15rem; margin: 1.6rem 0 .6rem; }
.words th, .words td { text-align: left; white-space: normal; vertical-align: top; }
.heat td { text-align: center; padding: .3rem .5rem; } .heat table { width: auto; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 1rem; margin-top: 1.2rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: .8rem; }
figcaption { font-weight: 600; margin-bottom: .3rem; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--rule); } .tick { fill: var(--soft); font-size: 11px; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .faint { opacity: .25; stroke-width: 1; }
.answer { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: .6rem .9rem; margin: .5rem 0; }
.answer summary { cursor: pointer; } .good { color: var(--s2); } .bad { color: var(--s4); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: .6rem 0; font-size: .85rem; } dt { color: var(--soft); } dd { margin: 0; }
.beside { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(9rem, 1fr); gap: .6rem; overflow-x: auto; border-left: 3px solid var(--s0); padding-left: .6rem; margin: .5rem 0; }
.box { border: 1px solid var(--rule); border-radius: 6px; padding: .4rem .6rem; margin: .3rem 0; } .box h3 { margin: 0; font-size: .8rem; color: var(--soft); font-weight: 500; }
.box pre { margin: 0; white-space: pre-wrap; font: 13px/1.45 ui-monospace, monospace; }
p.hint { color: var(--soft); font-size: .85rem; }
`;

/** Words and figures beside the curves, such as examples of what each run writes. */
export interface ReportTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A text with stretches that stand side by side. */
export type AnswerPart =
  | { readonly title: string | null; readonly text: string }
  | { readonly beside: readonly { readonly title: string; readonly text: string }[] };

/** One answer, opened by a click. */
export interface ReportAnswer {
  readonly head: string;
  readonly good: boolean;
  /** Names and values. */
  readonly facts: readonly (readonly [string, string])[];
  readonly parts: readonly AnswerPart[];
}

export interface ReportAnswers {
  readonly title: string;
  readonly note: string;
  readonly answers: readonly ReportAnswer[];
}

/** Lines over something else than steps. */
export interface ReportChart {
  readonly title: string;
  /** What stands along the axis, such as `languages`. */
  readonly along: string;
  readonly lines: readonly { readonly name: string; readonly places: Places }[];
}

/** What stands beside the curves of runs. */
export interface ReportContents {
  readonly title?: string;
  readonly tables?: readonly ReportTable[];
  readonly heatMaps?: readonly ReportHeatMap[];
  /** Lines without places are left out, and so are charts without lines. */
  readonly charts?: readonly ReportChart[];
  readonly answers?: readonly ReportAnswers[];
}

/** @param runs one at least; curves of the same name share a chart */
export function reportPage(
  runs: readonly RunRecord[],
  { title = titleOf(runs), tables = [], heatMaps = [], charts: given = [], answers = [] }: ReportContents = {},
): string {
  const curves = runs.map(curvesOf);
  const names = [...new Set(curves.flatMap(all => all.map(({ name }) => name)))];
  const charts = names.map(name =>
    chart(
      name,
      curves.flatMap(
        (all, i) =>
        all.filter(curve => curve.name === name).map(({ at, exact }) => ({ name: runs[i]!.name, places: at, exact, colour: i % 8 })), // prettier-ignore
      ),
    ),
  );
  const further = given.flatMap(({ title: name, along, lines }) => {
    const drawn = lines.filter(({ places }) => places.length > 0);
    return drawn.length === 0
      ? []
      : [chart(name, drawn.map((line, i) => ({ ...line, exact: true, colour: i % 8 })), { along, legend: true })]; // prettier-ignore
  });
  const empty = names.length === 0 ? '<p class="hint">No step was finished yet.</p>' : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${tables.map(wordTable).join('\n')}
${heatMaps.map(heatMap).join('\n')}
${further.length > 0 ? `<div class="charts">${further.join('\n')}</div>` : ''}
${tables.length + heatMaps.length + further.length > 0 ? '<h2>Runs</h2>' : ''}${summary(runs, curves)}
${empty}<div class="charts">
${charts.join('\n')}
</div>
${answers.map(answerList).join('\n')}
<p class="hint">Thin lines are single steps, thick ones a moving average. Point at a line for its last value.</p>
</main>
</body>
</html>
`;
}

const cells = (tag: string, row: readonly string[]): string => row.map(cell => `<${tag}>${cell}</${tag}>`).join('');

const wordTable = ({ title, head, rows }: ReportTable): string =>
  `<h2>${escape(title)}</h2><div class="table words"><table><thead><tr>${cells('th', head.map(escape))}</tr></thead><tbody>${rows.map(row => `<tr>${cells('td', row.map(escape))}</tr>`).join('')}</tbody></table></div>`;

const answerList = ({ title, note, answers }: ReportAnswers): string =>
  `<h2>${escape(title)}</h2><p class="hint">${escape(note)}</p>${answers.map((one, i) => answerTree(one, i === 0)).join('')}`;

const answerTree = ({ head, good, facts, parts }: ReportAnswer, open: boolean): string =>
  `<details class="answer"${open ? ' open' : ''}><summary><b class="${good ? 'good' : 'bad'}">${good ? '✓' : '✗'}</b> ${escape(head)}</summary><dl>${facts.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`).join('')}</dl>${parts.map(answerPart).join('')}</details>`;

const answerPart = (part: AnswerPart): string =>
  'beside' in part
    ? `<div class="beside">${part.beside.map(box).join('')}</div>`
    : part.text.trim() === ''
      ? ''
      : box(part);

const box = ({ title, text }: { readonly title: string | null; readonly text: string }): string =>
  `<div class="box">${title === null ? '' : `<h3>${escape(title)}</h3>`}<pre>${escape(text.trim())}</pre></div>`;

const titleOf = (runs: readonly RunRecord[]): string =>
  runs.length === 1 ? runs[0]!.name : `${runs.length} runs side by side`;

function summary(runs: readonly RunRecord[], curves: readonly (readonly Curve[])[]): string {
  const scored = [...new Set(curves.flatMap(all => all.filter(({ exact }) => exact).map(({ name }) => name)))];
  const head = ['run', 'parameters', 'engine', 'steps', 'tokens', 'time', 'tokens/s', 'loss', ...scored, 'state'];
  const rows = runs.map((run, i) => {
    const { points } = run;
    const tokens = points.reduce((sum, point) => sum + point.tokens, 0);
    const seconds = points.reduce((sum, point) => sum + point.seconds, 0);
    const last = (name: string): number | undefined => curves[i]!.find(curve => curve.name === name)?.at.at(-1)?.[1];
    const number = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : figure(value)); // prettier-ignore
    return [
      `<span class="mark" style="background:var(--s${i % 8})"></span>${escape(run.name)}`,
      number(run.parameters),
      escape(run.backend ?? '–'),
      `${number(points.at(-1)?.step)}${run.steps === null ? '' : ` of ${figure(run.steps)}`}`,
      number(tokens || null),
      seconds > 0 ? time(seconds) : '–',
      seconds > 0 ? figure(tokens / seconds) : '–',
      number(lossAtEnd(points)),
      ...scored.map(name => number(last(name))),
      escape(run.end === 'steps' ? 'finished' : (run.end ?? 'running, or killed')),
    ];
  });
  return `<div class="table"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${rows.map(row => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table></div>`;
}

/** The mean of the last steps, for one step says little. */
function lossAtEnd(points: RunRecord['points']): number | null {
  const last = points.slice(-Math.max(1, Math.min(50, Math.floor(points.length / 20))));
  return last.length === 0 ? null : last.reduce((sum, { loss }) => sum + loss, 0) / last.length;
}
