/**
 * How fast pairs are graded, on one thread: as texts to find answers in (`$gold$`, `\boxed{pred}`) and as answers.
 *
 *   npm run speed
 *
 * Pairs are those of ../shared/golden/math-grading; each is graded five times, the median of five is its time. Pairs per
 * second are of processor time, which other programs on the machine do not take away; of wall time beside it.
 */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { grade, gradeAnswer } from '../dist/index.js';

const folder = fileURLToPath(new URL('../../../../shared/golden/math-grading/', import.meta.url));
if (!existsSync(folder)) {
  console.log('skipped: ../shared/golden/math-grading is not here');
  process.exit(0);
}
const rows = prefix =>
  readdirSync(folder)
    .filter(name => name.startsWith(prefix))
    .flatMap(name =>
      readFileSync(folder + name, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    );
const pairs = rows('answer-pairs');
const completions = rows('math-completions').flatMap(row =>
  row.completions.map(({ completion }) => [row.gold, completion]),
);
const mixes = {
  'answers in delimiters': [pairs.map(row => [row.goldInput, row.predInput]), grade],
  'answers alone': [pairs.map(row => [row.gold, row.pred]), gradeAnswer],
  'completions of about 1.4 kB': [completions, grade],
};

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
for (const [name, [list, judge]] of Object.entries(mixes)) {
  for (let round = 0; round < 4; round++) for (const [gold, answer] of list) judge(gold, answer);
  const times = list.map(() => []);
  const rates = [];
  const walls = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    const used = process.cpuUsage();
    for (let i = 0; i < list.length; i++) {
      const before = performance.now();
      judge(list[i][0], list[i][1]);
      times[i].push(performance.now() - before);
    }
    const { user, system } = process.cpuUsage(used);
    rates.push((1e6 * list.length) / (user + system));
    walls.push((1000 * list.length) / (performance.now() - start));
  }
  const each = times
    .map(
      one =>
        at(
          one.sort((a, b) => a - b),
          0.5,
        ) * 1000,
    )
    .sort((a, b) => a - b);
  const [rate, wall] = [rates, walls].map(measured =>
    at(
      measured.sort((a, b) => a - b),
      0.5,
    ),
  );
  console.log(
    `${name.padEnd(28)} ${String(list.length).padStart(5)} pairs  median ${at(each, 0.5).toFixed(1)} µs  p99 ${at(each, 0.99).toFixed(0)} µs  most ${at(each, 1).toFixed(0)} µs  ${rate.toFixed(0)} pairs/s (${wall.toFixed(0)} by the clock)`,
  );
}
