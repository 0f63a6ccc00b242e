/** Statistics as a page of its own: layers down, parts across, a colour for each number. Needs nothing from anywhere. */

import type { TensorStatistics } from './statistics.node.js';

interface Measure {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** The ends of the colours; null: from the numbers. */
  readonly range: readonly [number, number] | null;
  of(row: TensorStatistics): number | null;
}

const mean = (all: readonly number[]): number | null =>
  all.length === 0 ? null : all.reduce((sum, x) => sum + x / all.length, 0);

const measures: readonly Measure[] = [
  { id: 'cosine', title: 'Cosine', about: 'Mean cosine of the pairs of task vectors: 1 the same way, 0 unrelated, -1 opposite.', range: [-1, 1], of: row => mean(row.cosines.map(({ cosine }) => cosine)) },
  { id: 'conflicts', title: 'Sign conflicts', about: 'Share of the elements that some models raise and others lower.', range: [0, 1], of: row => row.conflicts },
  { id: 'retained', title: 'Retained mass', about: 'What the merge moved the base by, over what its models together would have: trimming and elections take the rest.', range: [0, 1], of: row => row.retained },
  { id: 'change', title: 'Change', about: 'Length of the difference of the result from the base, or from the mean of the models, per element.', range: null, of: row => (row.change === null ? null : row.change / Math.sqrt(row.elements || 1)) },
  { id: 'task', title: 'Task vectors', about: 'Mean length of the task vectors, per element.', range: null, of: row => mean(row.taskNorms.map(({ norm }) => norm / Math.sqrt(row.elements || 1))) },
]; // prettier-ignore

/** One HTML document. */
export function heatMap(title: string, rows: readonly TensorStatistics[]): string {
  const shown = measures.filter(({ of }) => rows.some(row => of(row) !== null));
  const parts = [...new Set(rows.filter(({ layer }) => layer !== null).map(({ part }) => part))];
  const layers = [...new Set(rows.flatMap(({ layer }) => (layer === null ? [] : [layer])))].sort((a, b) => a - b);
  const outside = rows.filter(({ layer }) => layer === null);
  const cells = rows.map(row => ({
    n: row.name,
    l: row.layer,
    p: row.part,
    v: shown.map(({ of }) => of(row)),
    t: row.taskNorms.map(({ model, norm }) => [model, norm]),
    c: row.cosines.map(({ first, second, cosine }) => [first, second, cosine]),
  }));
  const data = {
    parts,
    layers,
    outside: outside.map(({ name }) => name),
    cells,
    measures: shown.map(({ id, title: name, about, range }) => ({ id, name, about, range })),
  };
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>
:root { color-scheme: light dark; --line: #8884; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
p { margin: .25rem 0 1rem; max-width: 60rem; opacity: .8; }
nav button { font: inherit; padding: .3rem .8rem; margin: 0 .35rem .35rem 0; border: 1px solid var(--line); border-radius: 6px; background: none; color: inherit; cursor: pointer; }
nav button[aria-pressed=true] { background: #2563eb; border-color: #2563eb; color: #fff; }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 2px; }
th { font-weight: 400; font-size: 12px; text-align: right; padding: 0 .5rem; white-space: nowrap; }
thead th { vertical-align: bottom; text-align: left; height: 11rem; padding: 0; }
thead th span { display: block; margin: 0 auto .3rem; writing-mode: vertical-rl; transform: rotate(180deg); }
td { min-width: 3.4rem; height: 1.6rem; text-align: center; font-size: 11px; font-variant-numeric: tabular-nums; border-radius: 3px; }
td:not(.none):hover { outline: 2px solid currentColor; }
.none { background: repeating-linear-gradient(45deg, var(--line) 0 1px, transparent 1px 6px); }
.scale { display: flex; align-items: center; gap: .5rem; margin: .75rem 0; font-size: 12px; }
.scale i { width: 14rem; height: .8rem; border-radius: 3px; }
#tip { min-height: 3.2em; margin-top: .75rem; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: 6px; white-space: pre-line; font-size: 13px; }
</style>
<h1>${escape(title)}</h1>
<nav></nav>
<p id="about"></p>
<div class="scale"><span id="low"></span><i></i><span id="high"></span></div>
<div class="scroll"><table></table></div>
<div id="tip">Point at a cell.</div>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>
const data = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);
const show = x => x === null ? '' : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4 || x === 0 ? String(Number(x.toPrecision(3))) : x.toExponential(1);
// Dark blue over light to dark red for what has a middle; light to dark blue for what has none.
const mix = (a, b, t) => a.map((x, i) => Math.round(x + (b[i] - x) * t));
const colour = (t, signed) => signed
  ? t < .5 ? mix([33, 82, 163], [242, 242, 242], t * 2) : mix([242, 242, 242], [178, 24, 43], t * 2 - 1)
  : t < .5 ? mix([239, 246, 255], [96, 165, 250], t * 2) : mix([96, 165, 250], [23, 37, 84], t * 2 - 1);
const css = rgb => 'rgb(' + rgb.join(' ') + ')';
const dark = ([r, g, b]) => r * .3 + g * .59 + b * .11 < 140;
function draw(at) {
  const measure = data.measures[at];
  const values = data.cells.map(c => c.v[at]).filter(x => x !== null);
  const [low, high] = measure.range ?? [0, Math.max(...values, 1e-30)];
  const signed = low < 0;
  document.querySelectorAll('nav button').forEach((b, i) => b.setAttribute('aria-pressed', i === at));
  $('about').textContent = measure.about;
  $('low').textContent = show(low); $('high').textContent = show(high);
  document.querySelector('.scale i').style.background = 'linear-gradient(90deg,' + [0, .25, .5, .75, 1].map(t => css(colour(t, signed))) + ')';
  const byKey = new Map(data.cells.map(c => [c.l + ' ' + c.p, c]));
  const table = document.querySelector('table');
  table.replaceChildren();
  const cell = (row, c) => {
    const td = row.insertCell();
    const value = c?.v[at] ?? null;
    if (value === null) { td.className = 'none'; if (!c) return; }
    else {
      const rgb = colour(Math.min(1, Math.max(0, (value - low) / (high - low || 1))), signed);
      td.style.background = css(rgb); td.style.color = dark(rgb) ? '#fff' : '#111'; td.textContent = show(value);
    }
    td.tabIndex = 0;
    td.onmouseenter = td.onfocus = () => {
      $('tip').textContent = [c.n, data.measures.map((m, i) => m.name + ' ' + (c.v[i] === null ? '-' : show(c.v[i]))).join('   '),
        ...c.t.map(([m, x]) => m + ': length ' + show(x)), ...c.c.map(([a, b, x]) => a + ' and ' + b + ': cosine ' + show(x))].join('\\n');
    };
  };
  const head = table.createTHead().insertRow();
  head.append(document.createElement('th'));
  for (const part of data.parts) { const th = document.createElement('th'); const span = document.createElement('span'); span.textContent = part; th.append(span); head.append(th); }
  const body = table.createTBody();
  for (const layer of data.layers) {
    const row = body.insertRow(); const th = document.createElement('th'); th.textContent = 'layer ' + layer; row.append(th);
    for (const part of data.parts) cell(row, byKey.get(layer + ' ' + part));
  }
  for (const name of data.outside) {
    const row = body.insertRow(); const th = document.createElement('th'); th.textContent = name; row.append(th);
    cell(row, byKey.get('null ' + name));
  }
}
data.measures.forEach((m, i) => { const b = document.createElement('button'); b.textContent = m.name; b.onclick = () => draw(i); document.querySelector('nav').append(b); });
if (data.measures.length) draw(0);
</script>
</html>
`;
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
