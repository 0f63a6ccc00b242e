/** From events and logs to the page. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandCall, HeddleEvent } from '@heddle/core';
import { Subject } from 'rxjs';
import { afterAll, expect, it } from 'vitest';
import { commands } from './commands.js';
import { readRun } from './log.node.js';
import { reportPage } from './page.js';
import { reportTracker } from './tracker.node.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const started = { type: 'run.started', run: 'r', parameters: 1234, backend: 'onnx:cpu', steps: 60, resumedFrom: null, compileMs: 3 }; // prettier-ignore
const stepLine = (step: number) => ({ type: 'step.finished', step, steps: 60, loss: 3 / step, metrics: {}, tokens: 64, seconds: 0.01 }); // prettier-ignore
const lines = [started, ...Array.from({ length: 60 }, (_, i) => stepLine(i + 1)), { type: 'evaluation.finished', step: 60, scores: { BLEU: 12.5 } }, { type: 'run.finished', step: 60, reason: 'steps' }].map(event => JSON.stringify(event)); // prettier-ignore
const logged = (name: string, text: string): string => {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'events.jsonl'), text);
  return join(folder, name);
};

it('shows runs side by side, a chart for each curve', async () => {
  const [one, two] = await Promise.all(
    ['baseline', 'emha'].map(name => readRun(logged(name, `${lines.join('\n')}\n`))),
  );
  const page = reportPage([one!, two!]);
  expect([...page.matchAll(/<figcaption>(.*?)<\/figcaption>/g)].map(match => match[1])).toEqual(['loss', 'tokens/s', 'BLEU']); // prettier-ignore
  expect([...page.matchAll(/<tr><td>.*?<\/tr>/g)]).toHaveLength(2);
  expect(page).toContain('1,234');
  expect(page).toContain('>12.5<');
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
  expect(page).not.toMatch(/(src|href)=/); // it needs nothing else
});

it('escapes what a log says, and draws runs of any length', async () => {
  const evil = '<script>alert("x")</script>';
  const record = await readRun(logged('evil', `${lines.join('\n')}\n`), evil);
  for (const points of [record.points, record.points.slice(0, 1), []]) {
    const page = reportPage([{ ...record, points, scores: [], backend: evil, end: evil }]);
    expect(page).not.toContain('<script>');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  }
});

it('shows tables first, and answers as what stands one after the other and side by side', async () => {
  const record = await readRun(logged('answers', `${lines.join('\n')}\n`));
  const evil = '<img src=x>';
  const answers = [1, 2].map(n => ({
    head: `problem ${n} ${evil}`,
    good: n === 1,
    facts: [['why', evil]] as const,
    parts: [{ title: null, text: evil }, { beside: [{ title: 'path 1', text: 'left' }, { title: 'path 2', text: evil }] }, { title: 'summary', text: ' ' }], // prettier-ignore
  }));
  const table = { title: 'scores', head: ['model'], rows: [[evil]] };
  const page = reportPage([record], {
    title: 'title',
    tables: [table],
    answers: [{ title: 'answers', note: evil, answers }],
  });
  expect(page.indexOf('scores')).toBeLessThan(page.indexOf('<figcaption>'));
  expect(page.match(/<details class="answer" open>/g)).toHaveLength(1);
  expect(page.match(/<details/g)).toHaveLength(2);
  expect(page).toMatch(
    /<div class="beside"><div class="box"><h3>path 1<\/h3><pre>left<\/pre><\/div><div class="box"><h3>path 2/,
  );
  expect(page).not.toContain('<h3>summary'); // nothing was said in it
  expect(page).not.toContain('<img');
});

it('shows numbers as colours, by side where they have two, and lines over what is not steps', async () => {
  const record = await readRun(logged('heat', `${lines.join('\n')}\n`));
  const evil = '"><img src=x>';
  const row = (name: string, ...values: readonly (number | null)[]) => ({ name, cells: values.map(value => (value === null ? null : { value, mark: '*', hint: evil })) }); // prettier-ignore
  const map = (...rows: readonly ReturnType<typeof row>[]) => ({ title: evil, note: evil, columns: ['a', evil], rows });
  const page = reportPage([record], {
    heatMaps: [map(row(evil, -2, 4), row('b', null, Number.NaN)), map(row('c', 1, 3))],
    charts: [
      { title: 'over languages', along: 'languages', lines: [{ name: evil, places: [[2, 1], [4, -1]] }, { name: 'none', places: [] }] }, // prettier-ignore
      { title: 'nothing', along: 'x', lines: [] },
    ],
  });
  const shades = [...page.matchAll(/color-mix\(in srgb, var\((--s\d)\) (\d+)%/g)].map(match =>
    match.slice(1).join(' '),
  );
  expect(shades).toEqual(['--s4 35', '--s2 70', '--s0 0', '--s0 70']);
  expect([...page.matchAll(/<td>–<\/td>/g)]).toHaveLength(2);
  expect(page).toContain('-1 at languages 4');
  expect(page).not.toContain('nothing');
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

it('reads a log that a kill cut short, and refuses what is none', async () => {
  const cut = `${lines.slice(0, 20).join('\n')}\n${lines[20]!.slice(0, 30)}`;
  expect((await readRun(logged('cut', cut))).points).toHaveLength(19);
  const broken = `${lines.slice(0, 3).join('\n')}\n{"type":\n${lines[3]}\n`;
  await expect(readRun(logged('broken', broken))).rejects.toMatchObject({
    code: 'E_JSON',
    message: expect.stringContaining('events.jsonl:4: expected an event of a training run'),
  });
  await expect(readRun(logged('text', 'hello'))).rejects.toMatchObject({ code: 'E_JSON' });
  await expect(readRun(logged('nothing', ''))).rejects.toMatchObject({ code: 'E_JSON' });
  await expect(readRun(join(folder, 'absent'))).rejects.toMatchObject({ code: 'E_FILE' });
  // Numbers that JSON lacks are written as text; a number that is neither is left out.
  const odd = `${lines[0]}\n${JSON.stringify({ ...stepLine(1), loss: 'NaN' })}\n${JSON.stringify({ ...stepLine(2), loss: {} })}\n`;
  expect(reportPage([await readRun(logged('odd', odd))])).not.toContain('<figcaption>loss');
});

it('writes the page of a run while it runs, and what was before a resume too', async () => {
  const file = join(folder, 'live.html');
  const log = join(logged('live', `${lines.slice(0, 31).join('\n')}\n`), 'events.jsonl');
  const events = new Subject<HeddleEvent>();
  reportTracker.track(events, { file, log, name: 'live run' });
  let work: Promise<unknown> = Promise.resolve();
  const end = { type: 'run.finished', step: 60, reason: 'steps', snapshot: () => Promise.reject(new Error('none')), waitUntil: (more: Promise<unknown>) => void (work = more) } as const; // prettier-ignore
  const later = [{ ...started, resumedFrom: 30 }, ...Array.from({ length: 30 }, (_, i) => stepLine(31 + i)), end];
  for (const event of later) {
    writeFileSync(log, `${JSON.stringify(event)}\n`, { flag: 'a' });
    events.next(event as HeddleEvent);
  }
  events.complete();
  await work;
  const page = readFileSync(file, 'utf8');
  expect(page).toContain('live run');
  expect(page).toContain('>60 of 60<');
  expect(page).toContain(`>${(60 * 64).toLocaleString('en-US')}<`);
});

it('a page that cannot be written ends no run', async () => {
  const events = new Subject<HeddleEvent>();
  reportTracker.track(events, { file: join(folder, 'absent', 'deep', 'x.html') });
  let work: Promise<unknown> = Promise.reject(new Error('was not asked to wait'));
  work.catch(() => {});
  events.next(started as HeddleEvent);
  events.next({ type: 'run.finished', step: 0, reason: 'stopped', snapshot: () => Promise.reject(new Error('none')), waitUntil: more => void (work = more) }); // prettier-ignore
  await work;
});

it('heddle report writes a page of several runs', async () => {
  const [out, printed] = [join(folder, 'both.html'), [] as string[]];
  const call: CommandCall = { args: [logged('a', `${lines.join('\n')}\n`), logged('b', `${lines.slice(0, 9).join('\n')}\n`)], options: { out, title: 'Two' }, signal: new AbortController().signal, print: text => void printed.push(text), note: () => {} }; // prettier-ignore
  expect(await commands[0]!.run(call, null!)).toBe(0);
  expect(printed).toEqual([`${out}: a (60 steps), b (8 steps)`]);
  expect(readFileSync(out, 'utf8')).toContain('<h1>Two</h1>');
});
