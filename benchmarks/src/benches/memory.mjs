/** Whether a long training run grows: memory after each stretch of steps, and a line through it. */

import { Ring } from '../contest.mjs';
import { ours } from '../entries.mjs';
import { tiny } from '../reference-step.mjs';
import { slope } from '../stats.mjs';
import { digits, megabytes, table } from '../table.mjs';

export const name = 'memory';
export const title = 'Memory over a training run';
export const share = 0; // goes by its work, not by the clock

const points = 50;
/** The first steps fill caches, are compiled by V8, and let the engine's arena find its size. */
const settled = 0.5;

const kinds = [
  ['rss', 'resident set (RSS)'],
  ['heapUsed', 'JavaScript heap'],
  ['arrayBuffers', 'array buffers'],
];

export async function run({ quick, steps }, log) {
  const every = Math.max(1, Math.floor(steps / points));
  const options = { threads: 1, dims: quick ? { ...tiny, B: 2, T: 16 } : tiny, steps, every };
  const entry = ours('heddle', 'Heddle training loop', 'memory-heddle.mjs', options);
  const ring = await Ring.open([{ ...entry, args: ['--expose-gc', ...entry.args] }], log);
  const [record] = await ring.contest({ warmup: 0, least: 1, most: 1, seconds: 0 });
  await ring.close();
  return {
    dims: options.dims,
    steps,
    every,
    skipped: record.skipped,
    peak: record.peak,
    wall: record.wall[0] ?? null,
    samples: record.values[0] ?? [],
  };
}

const lineOf = ({ samples, steps }, kind) => {
  const late = samples.filter(s => s.step > settled * steps);
  return slope(
    late.map(s => s.step),
    late.map(s => s[kind]),
  );
};

const verdict = ({ low, high }) => (low > 0 ? 'grows' : high < 0 ? 'shrinks' : 'zero is inside the interval');

export function render(result) {
  const { samples, steps, every, dims, skipped, peak } = result;
  if (skipped !== null) return [`- left out: ${skipped}`];
  const late = samples.filter(s => s.step > settled * steps);
  const rows = kinds.map(([kind, label]) => {
    const line = lineOf(result, kind);
    return [
      label,
      megabytes(late[0][kind]),
      megabytes(late.at(-1)[kind]),
      digits(line.value),
      `${digits(line.low)} … ${digits(line.high)}`,
      `${digits((line.value * steps) / 1e6)} MB`,
      verdict(line),
    ];
  });
  const live = new Set(samples.map(s => s.live));
  return [
    `${steps} steps of the training loop with a small model (${Object.entries(dims)
      .map(([k, v]) => `${k} ${v}`)
      .join(
        ', ',
      )}), one thread; memory after a full collection every ${every} steps; lines through the ${late.length} points after the first ${settled * 100} % of the steps. Intervals hold the slope with 95 % confidence, allowing for neighbouring points being alike. Peak: ${megabytes(peak)} MB. Open device tensors at each point: ${[...live].join(', ')}.`,
    table(['memory', 'from MB', 'to MB', 'bytes/step', '95 % interval', `in ${steps} steps`, 'reading'], rows),
  ];
}

export const figures = result => ({
  'memory-slope': result.samples.length > 4 ? lineOf(result, 'rss').value : Number.NaN,
});
