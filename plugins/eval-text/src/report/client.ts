/**
 * What runs in the report's page. It is put there as its own text, so it names nothing outside itself; texts of users
 * reach the page through `textContent` only.
 */

import type { ReportData, ReportMetric } from './data.js';

/* eslint-disable no-inner-declarations -- everything must stand inside the one function that is written out */
export function reportClient(): void {
  const data = JSON.parse(document.getElementById('data')!.textContent!) as ReportData;
  const { systems, results, metrics, segments } = data;
  const pageSize = 50;
  const state = {
    metric: 0,
    left: 0,
    right: Math.min(1, systems.length - 1),
    sort: 'gain',
    query: '',
    only: false,
    shown: pageSize,
  };
  if (systems.length === 1) state.sort = 'worst';

  type Child = Node | string | null;
  function element(
    tag: string,
    attributes: Readonly<Record<string, string>>,
    ...children: readonly Child[]
  ): HTMLElement {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children.filter(child => child !== null));
    return made;
  }
  function drawn(tag: string, attributes: Readonly<Record<string, string | number>>, text = ''): SVGElement {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
    if (text !== '') made.textContent = text;
    return made;
  }
  const shown = (value: number): string => value.toFixed(Math.abs(value) >= 1000 ? 0 : 2);
  const signed = (value: number): string =>
    `${value > 0 ? '+' : value < 0 ? '\u2212' : '±'}${Math.abs(value).toFixed(2)}`;
  const colour = (system: number): string => `var(--s${system % 8})`;
  const at = (id: string): HTMLElement => document.getElementById(id)!;

  // The table of systems.

  function summary(): void {
    const names = [...new Set(results.map(({ metric }) => metric))];
    const head = element(
      'tr',
      {},
      element('th', { scope: 'col' }, 'System'),
      ...names.map(name =>
        element(
          'th',
          { scope: 'col', class: 'number' },
          name,
          lower(name) ? element('span', { class: 'hint' }, ' lower is better') : null,
        ),
      ),
    );
    const rows = systems.map((system, s) => {
      const cells = names.map(name => {
        const own = results.filter(({ metric }) => metric === name);
        const result = own.find(one => one.system === system);
        if (result === undefined) return element('td', {});
        const best = own.every(one => (lower(name) ? one.score >= result.score : one.score <= result.score));
        const base = own.find(one => one.system === systems[0])!;
        const top = Math.max(...own.map(({ score }) => Math.abs(score)), 1e-9);
        const bar = element('div', { class: 'bar' });
        bar.style.setProperty('--share', `${(100 * Math.abs(result.score)) / top}%`);
        bar.style.setProperty('--own', colour(s));
        const interval =
          result.interval === null
            ? null
            : element('span', { class: 'hint' }, ` ± ${shown(result.interval.halfWidth)}`);
        const mark = result.p === null ? null : verdict(result.p, result.score - base.score, lower(name));
        return element(
          'td',
          { class: 'number', title: result.verbose },
          element(best && systems.length > 1 ? 'strong' : 'span', {}, shown(result.score)),
          interval,
          mark === null ? null : element('br', {}),
          mark,
          bar,
        );
      });
      return element(
        'tr',
        {},
        element(
          'th',
          { scope: 'row' },
          swatch(s),
          system,
          s === 0 && results.some(({ p }) => p !== null) ? element('span', { class: 'hint' }, ' baseline') : null,
        ),
        ...cells,
      );
    });
    at('summary').replaceChildren(element('thead', {}, head), element('tbody', {}, ...rows));
    const signatures = [
      ...new Set(
        results.filter(({ signature }) => signature !== null).map(({ metric, signature }) => `${metric}|${signature!}`),
      ),
    ];
    at('signatures').replaceChildren(...signatures.map(text => element('code', {}, text)));
  }
  const lower = (name: string): boolean => metrics.some(metric => metric.name === name && !metric.higherIsBetter);
  function verdict(p: number, difference: number, lowerIsBetter: boolean): HTMLElement {
    const better = lowerIsBetter ? difference < 0 : difference > 0;
    const [kind, sign, words] =
      p > 0.05 || difference === 0
        ? ['same', '\u2248', 'no significant difference']
        : better
          ? ['better', '\u25b2', 'significantly better']
          : ['worse', '\u25bc', 'significantly worse'];
    return element(
      'span',
      { class: `mark ${kind!}`, title: `${words!} than ${systems[0]!}, p = ${p.toFixed(4)}` },
      `${sign!} p = ${p < 0.001 ? '< 0.001' : p.toFixed(3)}`.replace('= <', '<'),
    );
  }
  const swatch = (system: number): HTMLElement => {
    const made = element('span', { class: 'swatch' });
    made.style.background = colour(system);
    return made;
  };

  // Distributions.

  /** Odd, so that differences of nothing have a bin of their own. */
  const bins = 41;
  function histogram(values: readonly number[], low: number, high: number): readonly number[] {
    const counts = new Array<number>(bins).fill(0);
    for (const value of values) {
      const bin = Math.floor(((value - low) / (high - low || 1)) * bins);
      counts[Math.max(0, Math.min(bins - 1, bin))]! += 1;
    }
    return counts;
  }
  function chart(
    values: readonly number[],
    low: number,
    high: number,
    top: number,
    fill: (middle: number) => string,
    label: string,
  ): HTMLElement {
    const [width, height] = [640, 64];
    const svg = drawn('svg', { viewBox: `0 0 ${width} ${height + 16}`, role: 'img', 'aria-label': label });
    const step = width / bins;
    for (const [bin, count] of histogram(values, low, high).entries()) {
      const tall = (height * count) / (top || 1);
      const from = low + (bin * (high - low)) / bins;
      const rect = drawn('rect', {
        x: bin * step + 0.5,
        y: height - tall,
        width: step - 1,
        height: tall,
        fill: fill(from + (high - low) / bins / 2),
        rx: 1,
      });
      rect.append(drawn('title', {}, `${shown(from)} to ${shown(from + (high - low) / bins)}: ${count} segments`));
      svg.append(rect);
    }
    svg.append(drawn('line', { x1: 0, x2: width, y1: height + 0.5, y2: height + 0.5, class: 'axis' }));
    for (const [x, anchor] of [
      [0, 'start'],
      [0.5, 'middle'],
      [1, 'end'],
    ] as const)
      svg.append(
        drawn(
          'text',
          { x: x * width, y: height + 13, 'text-anchor': anchor },
          shown(low + x * (high - low)).replace(/\.00$/, ''),
        ),
      );
    const made = element('div', { class: 'chart' });
    made.append(svg);
    return made;
  }
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
  const median = (values: readonly number[]): number => {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length === 0
      ? 0
      : sorted.length % 2 === 1
        ? sorted[middle]!
        : (sorted[middle - 1]! + sorted[middle]!) / 2;
  };
  function distributions(): void {
    const metric = metrics[state.metric];
    if (metric === undefined) return;
    const [low, high] = [
      Math.min(0, ...metric.scores.map(own => own.reduce((a, b) => Math.min(a, b), 0))),
      Math.max(100, Math.min(200, ...metric.scores.map(own => own.reduce((a, b) => Math.max(a, b), 0)))),
    ];
    const top = Math.max(...metric.scores.map(own => Math.max(...histogram(own, low, high))));
    const rows = systems.map((system, s) => {
      const own = metric.scores[s]!;
      return element(
        'div',
        { class: 'row' },
        element(
          'div',
          { class: 'name' },
          swatch(s),
          system,
          element('div', { class: 'hint' }, `mean ${shown(mean(own))}, median ${shown(median(own))}`),
        ),
        chart(own, low, high, top, () => colour(s), `${metric.name} of ${system} by segment`),
      );
    });
    at('distributions').replaceChildren(...rows);
    comparison(metric);
  }
  function differences(metric: ReportMetric): readonly number[] {
    const [a, b] = [metric.scores[state.left]!, metric.scores[state.right]!];
    return a.map((score, i) => b[i]! - score);
  }
  function comparison(metric: ReportMetric): void {
    const place = at('comparison');
    if (systems.length < 2 || state.left === state.right) return place.replaceChildren();
    const found = differences(metric);
    const [up, down] = [found.filter(x => x > 0).length, found.filter(x => x < 0).length];
    const [better, worse] = metric.higherIsBetter ? [up, down] : [down, up];
    const far = Math.max(1, ...found.map(Math.abs));
    const limit = Math.min(far, 100);
    const good = (x: number): boolean => (metric.higherIsBetter ? x > 0 : x < 0);
    place.replaceChildren(
      element(
        'div',
        { class: 'row' },
        element(
          'div',
          { class: 'name' },
          `${systems[state.right]!} \u2212 ${systems[state.left]!}`,
          element(
            'div',
            { class: 'hint' },
            `better in ${better}, worse in ${worse}, the same in ${found.length - better - worse}`,
          ),
        ),
        chart(
          found,
          -limit,
          limit,
          Math.max(...histogram(found, -limit, limit)),
          x => (Math.abs(x) < limit / bins / 2 ? 'var(--muted)' : good(x) ? 'var(--good)' : 'var(--bad)'),
          `Differences of ${metric.name} by segment`,
        ),
      ),
    );
  }

  // Segments.

  /** Texts without spaces are compared by characters. */
  const tokens = (text: string): readonly string[] =>
    /[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1780-\u17ff]/.test(text)
      ? [...text]
      : (text.match(/\s+|[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu) ?? []);
  /** A text with the tokens marked that the other lacks, in order. */
  function marked(text: string, other: string, kind: string): HTMLElement {
    const [a, b] = [tokens(text), tokens(other)];
    const made = element('span', {});
    if (a.length * b.length > 400_000) {
      made.textContent = text;
      return made;
    }
    const width = b.length + 1;
    const table = new Uint32Array((a.length + 1) * width);
    for (let i = a.length - 1; i >= 0; i--)
      for (let j = b.length - 1; j >= 0; j--)
        table[i * width + j] =
          a[i] === b[j]
            ? table[(i + 1) * width + j + 1]! + 1
            : Math.max(table[(i + 1) * width + j]!, table[i * width + j + 1]!);
    let [i, j, run, off] = [0, 0, '', false];
    const flush = (): void => {
      if (run !== '') made.append(off ? element('mark', { class: kind }, run) : run);
      run = '';
    };
    while (i < a.length) {
      const same = j < b.length && a[i] === b[j];
      if (!same && j < b.length && table[i * width + j + 1]! > table[(i + 1) * width + j]!) {
        j++;
        continue;
      }
      const different = !same && a[i]!.trim() !== '';
      if (different !== off) {
        flush();
        off = different;
      }
      run += a[i]!;
      if (same) j++;
      i++;
    }
    flush();
    return made;
  }
  function card(i: number): HTMLElement {
    const { source, document: name, references, hypotheses } = segments[i]!;
    const metric = metrics[state.metric];
    const difference =
      metric === undefined || state.left === state.right
        ? null
        : metric.scores[state.right]![i]! - metric.scores[state.left]![i]!;
    const good = difference !== null && difference !== 0 && difference > 0 === metric!.higherIsBetter;
    const line = (label: Child, body: HTMLElement, score: string): HTMLElement =>
      element(
        'div',
        { class: 'line' },
        element('div', { class: 'label' }, label),
        element('div', { class: 'text', dir: 'auto' }, body),
        element('div', { class: 'number' }, score),
      );
    const order = [...new Set([state.left, state.right, ...systems.keys()])];
    return element(
      'article',
      {},
      element(
        'header',
        {},
        element('strong', {}, `Segment ${i + 1}`),
        name === null ? null : element('span', { class: 'hint' }, ` ${name}`),
        difference === null
          ? null
          : element(
              'span',
              { class: difference === 0 ? 'delta' : good ? 'delta good' : 'delta bad' },
              `${metric!.name} ${signed(difference)}`,
            ),
      ),
      source === null || source === '' ? null : line('Source', element('span', {}, source), ''),
      ...references.map((text, r) =>
        line(
          references.length > 1 ? `Reference ${r + 1}` : 'Reference',
          r === 0 ? marked(text, hypotheses[state.right]!, 'missing') : element('span', {}, text),
          '',
        ),
      ),
      ...order.map(s =>
        line(
          element('span', {}, swatch(s), systems[s]!),
          marked(hypotheses[s]!, references[0]!, 'extra'),
          metric === undefined ? '' : shown(metric.scores[s]![i]!),
        ),
      ),
    );
  }
  function chosen(): readonly number[] {
    const query = state.query.trim().toLowerCase();
    const metric = metrics[state.metric];
    const found: number[] = [];
    for (const [i, { source, document: name, references, hypotheses }] of segments.entries()) {
      if (state.only && hypotheses[state.left] === hypotheses[state.right]) continue;
      if (
        query === '' ||
        query === String(i + 1) ||
        [source ?? '', name ?? '', ...references, ...hypotheses].some(text => text.toLowerCase().includes(query))
      )
        found.push(i);
    }
    if (metric === undefined) return found;
    const sign = metric.higherIsBetter ? 1 : -1;
    const gain = (i: number): number => sign * (metric.scores[state.right]![i]! - metric.scores[state.left]![i]!);
    const keys: Readonly<Record<string, (i: number) => number>> = {
      gain: i => -gain(i),
      loss: gain,
      apart: i => -Math.abs(gain(i)),
      worst: i => sign * metric.scores[state.right]![i]!,
      best: i => -sign * metric.scores[state.right]![i]!,
      length: i => -segments[i]!.references[0]!.length,
      order: i => i,
    };
    const key = keys[state.sort] ?? keys['order']!;
    return found.sort((a, b) => key(a) - key(b) || a - b);
  }
  function list(): void {
    const found = chosen();
    at('count').textContent = `${found.length} of ${segments.length} segments`;
    at('segments').replaceChildren(...found.slice(0, state.shown).map(card));
    const more = at('more');
    more.hidden = found.length <= state.shown;
    more.textContent = `Show ${Math.min(pageSize, found.length - state.shown)} more`;
  }

  // Controls.

  function select(
    id: string,
    options: readonly (readonly [value: string, label: string])[],
    value: string,
    change: (value: string) => void,
  ): void {
    const made = at(id) as HTMLSelectElement;
    made.replaceChildren(...options.map(([own, label]) => element('option', { value: own }, label)));
    made.value = value;
    made.addEventListener('change', () => {
      change(made.value);
      state.shown = pageSize;
      distributions();
      list();
    });
  }
  const byIndex = systems.map((name, s) => [String(s), name] as const);
  select(
    'metric',
    metrics.map(({ name }, m) => [String(m), name] as const),
    '0',
    value => (state.metric = Number(value)),
  );
  select('left', byIndex, String(state.left), value => (state.left = Number(value)));
  select('right', byIndex, String(state.right), value => (state.right = Number(value)));
  const alone = systems.length === 1;
  const pairs = [
    ['gain', 'gains of B over A'],
    ['loss', 'losses of B to A'],
    ['apart', 'largest difference'],
  ] as const;
  const orders = [
    ['worst', alone ? 'worst first' : 'worst of B first'],
    ['best', alone ? 'best first' : 'best of B first'],
    ['length', 'longest reference'],
    ['order', 'order of the file'],
  ] as const;
  select('sort', [...(alone ? [] : pairs), ...orders], state.sort, value => (state.sort = value));
  let timer = 0;
  at('query').addEventListener('input', event => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      state.query = (event.target as HTMLInputElement).value;
      state.shown = pageSize;
      list();
    }, 120);
  });
  at('only').addEventListener('change', event => {
    state.only = (event.target as HTMLInputElement).checked;
    list();
  });
  at('more').addEventListener('click', () => {
    state.shown += pageSize;
    list();
  });
  document.body.classList.toggle('single', alone);
  summary();
  distributions();
  list();
}
