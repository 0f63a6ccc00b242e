import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { CommandCall, Host } from '@heddle/core';
import { patternOf } from '../checkpoint/names.js';
import { planOfAdapters } from '../run/adapters.node.js';
import { prepare, type Prepared, type Step } from '../run/prepare.node.js';
import { peakMemory } from '../run/memory.node.js';
import type { MergePlan } from '../plan/plan.js';
import { bytesOfSource } from '../plan/source.js';
import { bytesText, figure, listOption, numberOption, sizeOption, table } from './options.js';
import { methodsOf } from './methods-of.js';

export const threadsOf = (options: Readonly<Record<string, unknown>>): number =>
  numberOption(options, 'threads', 0, Math.min(4, availableParallelism()));

export async function runPlan(call: CommandCall, host: Host): Promise<number> {
  const { options } = call;
  const prepared = await prepare(call.args[0]!, { models: listOption(options, 'models'), methods: methodsOf(host) });
  try {
    const out = typeof options['out'] === 'string' ? options['out'] : null;
    const settings = { threads: threadsOf(options), memory: sizeOption(options, 'memory') ?? 256_000_000 };
    for (const step of prepared.steps) {
      const plan = step.plan ?? planOfAdapters(step, prepared.checkpoints, prepared.methods);
      const report = await reportOf(step, plan, prepared, settings, out);
      if (options['json'] === true) call.print(JSON.stringify(report));
      else for (const line of lines(report)) call.print(line);
    }
    return 0;
  } finally {
    await prepared.close();
  }
}

interface Report {
  readonly type: 'plan';
  readonly result: string;
  readonly method: string;
  readonly base: string | null;
  readonly accumulate: string;
  readonly tensors: number;
  readonly copied: number;
  readonly groups: readonly Group[];
  readonly inputs: readonly { readonly title: string; readonly path: string; readonly readBytes: number }[];
  readonly notices: MergePlan['notices'];
  readonly bytes: MergePlan['bytes'];
  readonly peakMemory: number;
  readonly disk: { readonly path: string; readonly free: number; readonly enough: boolean } | null;
}

/** Tensors of one pattern and of the same values. */
interface Group {
  readonly pattern: string;
  readonly count: number;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly method: string;
  readonly values: string;
}

async function reportOf(
  step: Step,
  plan: MergePlan,
  prepared: Prepared,
  settings: { readonly threads: number; readonly memory: number },
  out: string | null,
): Promise<Report> {
  const place = out === null ? null : await freeAt(resolve(out));
  return {
    type: 'plan',
    result: [step.document, step.group].filter(part => part !== null).join('/') || 'result',
    method: plan.method,
    base: plan.base,
    accumulate: plan.accumulate,
    tensors: plan.tensors.length,
    copied: plan.tensors.filter(({ copy }) => copy).length,
    groups: groupsOf(plan),
    inputs: plan.sources.flatMap((title, model) => {
      const checkpoint = prepared.checkpoints.get(title);
      return [{ title, path: checkpoint?.path ?? 'made by an earlier document', readBytes: readFrom(plan, model) }];
    }),
    notices: plan.notices,
    bytes: plan.bytes,
    peakMemory: peakMemory(plan, prepared.methods, settings),
    disk: place && { ...place, enough: place.free > plan.bytes.written },
  };
}

async function freeAt(path: string): Promise<{ readonly path: string; readonly free: number } | null> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await statfs(folder).catch(() => null);
    if (found !== null) return { path: folder, free: found.bavail * found.bsize };
    if (dirname(folder) === folder) return null;
  }
}

function readFrom(plan: MergePlan, model: number): number {
  const only = { ...plan, tensors: plan.tensors.map(tensor => ({ ...tensor, models: tensor.models.filter(one => one.model === model), base: tensor.base?.model === model ? tensor.base : null })) }; // prettier-ignore
  return only.tensors.reduce(
    (n, { models, base }) =>
      n + [...models, ...(base ? [base] : [])].reduce((m, { source }) => m + bytesOfSource(source), 0),
    0,
  );
}

function groupsOf(plan: MergePlan): readonly Group[] {
  const groups = new Map<string, Group & { values: string }>();
  const varying = new Map<string, Set<string>>();
  for (const tensor of plan.tensors) {
    const pattern = patternOf(tensor.name);
    const method = tensor.copy ? `copy of ${plan.sources[tensor.models[0]!.model]!}` : tensor.method;
    const key = JSON.stringify([pattern, tensor.shape, tensor.dtype, method]);
    const known = groups.get(key);
    groups.set(key, {
      pattern,
      count: (known?.count ?? 0) + 1,
      shape: tensor.shape,
      dtype: tensor.dtype,
      method,
      values: '',
    });
    if (!tensor.copy) varying.set(key, (varying.get(key) ?? new Set()).add(valuesText(tensor.each, tensor.options)));
  }
  return [...groups].map(([key, group]) => {
    const all = [...(varying.get(key) ?? [])];
    return { ...group, values: all.length > 1 ? `${all[0]} … ${all.at(-1)}` : (all[0] ?? '') };
  });
}

/** What differs between models in brackets, one for each; what holds for all once. */
function valuesText(
  each: MergePlan['tensors'][number]['each'],
  options: MergePlan['tensors'][number]['options'],
): string {
  const names = [...new Set(each.flatMap(values => Object.keys(values)))];
  const perModel = names.map(name => {
    const all = each.map(values => figure(values[name] ?? null));
    return new Set(all).size === 1 ? `${name} ${all[0]}` : `${name} [${all.join(' ')}]`;
  });
  return [...perModel, ...Object.entries(options).map(([name, value]) => `${name} ${figure(value)}`)].join(', ');
}

function lines(report: Report): readonly string[] {
  const { result, method, base, accumulate, tensors, copied, groups, inputs, notices, bytes, disk } = report;
  const head = `${result}: ${method}${base === null ? '' : ` on ${base}`}, ${tensors} tensors${copied > 0 ? ` (${copied} copied)` : ''}, computed in ${accumulate}`;
  const shown = groups.map(({ pattern, count, shape, dtype, method: own, values }) => [pattern, String(count), `[${shape.join(', ')}]`, dtype, own === method ? '' : own, values]); // prettier-ignore
  const widths = [0, 1, 2, 3, 4].map(column => Math.max(0, ...shown.map(row => row[column]!.length)));
  return [
    head,
    '',
    ...shown.map(row => `  ${row.map((cell, column) => (column === 1 ? cell.padStart(widths[column]!) : column === 5 ? cell : cell.padEnd(widths[column]!))).join('  ')}`.trimEnd()), // prettier-ignore
    '',
    'Read from',
    ...table(
      inputs.map(({ title, path, readBytes }) => [
        `  ${title}`,
        bytesText(readBytes),
        path === title ? '' : `  ${path}`,
      ]),
    ),
    ...(notices.length === 0 ? [] : ['', 'Note', ...noticeLines(notices)]),
    '',
    `${bytesText(bytes.read)} to read, ${bytesText(bytes.written)} to write, about ${bytesText(report.peakMemory)} of memory${disk === null ? '' : `; ${bytesText(disk.free)} free at ${disk.path}${disk.enough ? '' : ': not enough'}`}`,
  ];
}

/** Notices of one kind and text together. */
export function noticeLines(notices: MergePlan['notices']): readonly string[] {
  const byText = new Map<string, string[]>();
  for (const { subject, message } of notices) byText.set(message, [...(byText.get(message) ?? []), subject]);
  return [...byText].map(([message, subjects]) => {
    const patterns = [...new Set(subjects.map(patternOf))];
    return `  ${patterns.slice(0, 3).join(', ')}${patterns.length > 3 ? ` and ${patterns.length - 3} more` : ''}${subjects.length > 1 ? ` (${subjects.length} tensors)` : ''}: ${message}`;
  });
}
