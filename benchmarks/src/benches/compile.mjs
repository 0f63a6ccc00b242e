/** What it takes to get to the first step, phase by phase, in fresh processes. */

import { Ring } from '../contest.mjs';
import { ours } from '../entries.mjs';
import { shape, tiny } from '../reference-step.mjs';
import { least, median } from '../stats.mjs';
import { digits, table } from '../table.mjs';

export const name = 'compile';
export const title = 'Trace, passes and compilation of the reference step';
export const share = 0; // goes by its work, not by the clock

export async function run({ quick }, log) {
  const dims = quick ? tiny : shape;
  const options = { threads: 1, dims };
  const samples = { heddle: [], handbuilt: [] };
  for (let i = 0; i < (quick ? 2 : 5); i++) {
    for (const [key, file] of [
      ['heddle', 'compile-heddle.mjs'],
      ['handbuilt', 'step-onnxruntime.mjs'],
    ]) {
      const ring = await Ring.open([ours(key, `${key}, process ${i + 1}`, file, options)], log);
      const [record] = await ring.contest({ warmup: 0, least: 0, most: 0, seconds: 0 });
      await ring.close();
      if (record.skipped === null) samples[key].push({ ...record.info, processMs: record.openMs });
      else log(`  ${record.skipped}`);
    }
  }
  return { dims, samples };
}

const phases = [
  ['importMs', 'import of core and backend'],
  ['openMs', 'backend opened'],
  ['traceMs', 'trace: forward, gradients, optimizer'],
  ['lowerMs', 'passes and ONNX writing'],
  ['loadMs', 'session of ONNX Runtime'],
  ['totalMs', '**trace + passes + session**'],
  ['warmTotalMs', 'the same a second time in the process'],
  ['firstMs', 'first step'],
];

const withTotal = s => ({ ...s, totalMs: s.traceMs + s.compileMs });

export function render({ samples }) {
  const heddle = samples.heddle.map(withTotal);
  const rows = phases.map(([key, label]) => [
    label,
    ...[median, least].map(f => digits(f(heddle.map(s => s[key]).filter(x => typeof x === 'number')))),
  ]);
  const base = samples.handbuilt.map(s => s.buildMs + s.sessionMs);
  return [
    `Cold: medians of ${heddle.length} fresh processes, one thread.`,
    table(
      ['phase', 'median ms', 'min ms'],
      [...rows, ['for comparison: hand-built graph, building + session', digits(median(base)), digits(least(base))]],
    ),
  ];
}

export const figures = ({ samples }) => ({ 'compile-total': median(samples.heddle.map(s => withTotal(s).totalMs)) });
