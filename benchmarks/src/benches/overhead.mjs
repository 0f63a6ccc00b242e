/** Host work of one training step: everything that is not the engine's own run. */

import { Ring } from '../contest.mjs';
import { ours } from '../entries.mjs';
import { shape, tiny } from '../reference-step.mjs';
import { least, median } from '../stats.mjs';
import { digits, plural, table } from '../table.mjs';

export const name = 'overhead';
export const title = 'Host overhead of the reference step';
export const share = 0.028;

export async function run({ threads, quick, seconds }, log) {
  const dims = quick ? tiny : shape;
  const parts = [];
  for (const count of threads) {
    const ring = await Ring.open(
      [ours('heddle', 'Heddle onnx:cpu, C API', 'overhead-heddle.mjs', { threads: count, dims })],
      log,
    );
    const steps = { inside: [], engine: [] };
    const from = performance.now();
    let skipped = null;
    for (
      let round = 0;
      skipped === null && (round < 5 || (round < (quick ? 7 : 200) && performance.now() - from < seconds * 1000));
      round++
    ) {
      const once = { warmup: 0, least: 1, most: 1, seconds: 0 };
      const [whole] = await ring.contest({ which: 'step', ...once });
      const [alone] = await ring.contest({ which: 'engine', ...once });
      skipped = whole.skipped ?? alone.skipped;
      if (skipped !== null || round < 2) continue;
      steps.inside.push(whole.values[0]);
      steps.engine.push({ wall: alone.wall[0], cpu: alone.cpu[0], stepCpu: whole.cpu[0] });
    }
    await ring.close();
    parts.push({ threads: count, ...steps, skipped });
  }
  return { dims, parts };
}

const summary = ({ inside, engine }) => {
  const step = median(inside.map(s => s.wall));
  const host = inside.map(s => s.wall - s.engine);
  return {
    step,
    host: median(host),
    hostLeast: least(host),
    share: (100 * median(host)) / step,
    alone: median(engine.map(e => e.wall)),
    paired: median(inside.map((s, i) => s.wall / engine[i].wall)),
  };
};

export function render({ parts }) {
  const rows = parts
    .filter(p => p.inside.length > 0)
    .map(p => {
      const s = summary(p);
      return [
        `${p.threads}`,
        p.inside.length,
        digits(s.step),
        digits(s.host),
        digits(s.hostLeast),
        `${digits(s.share)} %`,
        digits(s.alone),
        `${s.paired.toFixed(3)}×`,
      ];
    });
  return [
    'Timed inside one process: a step as the trainer makes it (checks, feeds, binding, the new state), the native call within it, and that same native call alone on the same memory, in turns. “Host” is the step without its native call.',
    table(
      ['threads', 'steps', 'step ms', 'host ms', 'host min ms', 'host share', 'engine alone ms', 'step ÷ engine alone'],
      rows,
    ),
    parts
      .filter(p => p.skipped !== null)
      .map(p => `- left out at ${plural(p.threads, 'thread')}: ${p.skipped}`)
      .join('\n'),
  ];
}

export const figures = ({ parts }) => {
  const one = parts.find(p => p.threads === 1 && p.inside.length > 0);
  return { 'overhead-percent': one ? summary(one).share : Number.NaN };
};
