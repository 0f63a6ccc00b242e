/**
 * Grades inputs that nobody wrote, and reports what took longest. Exits with 1 where one threw, took more processor time than
 * allowed, or memory kept growing. Processor time, because a busy machine makes anything wait.
 *
 *   npm run fuzz -- [--count 1000000] [--seed 1] [--slowest MS]
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { grade } from '../dist/index.js';
import { makeInput, numbers, someAnswers } from './inputs.mjs';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    slowest: { type: 'string', default: '50' },
  },
});
const count = Number(values.count);
const slowest = Number(values.slowest);
const file = fileURLToPath(new URL('../../../../shared/data/math/math.test.jsonl', import.meta.url));
const real = existsSync(file)
  ? readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map(line => String(JSON.parse(line).answer))
  : someAnswers;
console.log(
  `${count} inputs, seed ${values.seed}, ${real.length} real answers to damage${real === someAnswers ? ' (../shared/data/math is not here)' : ''}`,
);

const draw = numbers(Number(values.seed));
const verdicts = { correct: 0, incorrect: 0, unparsed: 0, undecided: 0 };
const worst = [];
const failures = [];
let gold = '1';
let memory = 0;
const start = performance.now();
for (let i = 0; i < count; i++) {
  const answer = makeInput(draw, real);
  if (i % 3 === 0) gold = makeInput(draw, real);
  // Collecting garbage of others is not its doing: only what is slow each of three times is slow.
  let took = Infinity;
  for (let round = 0; round < 3 && took > slowest; round++) {
    const before = process.cpuUsage();
    try {
      const { verdict } = i % 5 === 0 ? grade(answer, answer) : grade(gold, answer);
      if (round === 0) verdicts[verdict]++;
    } catch (error) {
      failures.push(
        `threw ${error?.stack?.split('\n').slice(0, 3).join(' | ')} on ${JSON.stringify(answer.slice(0, 200))} against ${JSON.stringify(gold.slice(0, 200))}`,
      );
      break;
    }
    const { user, system } = process.cpuUsage(before);
    took = Math.min(took, (user + system) / 1000);
  }
  if (took > slowest && took !== Infinity)
    failures.push(
      `took ${took.toFixed(0)} ms on ${answer.length} characters: ${JSON.stringify(answer.slice(0, 160))} against ${gold.length} characters: ${JSON.stringify(gold.slice(0, 160))}`,
    );
  if (worst.length < 5 || took > worst.at(-1).took) {
    worst.push({ took, length: answer.length, answer: answer.slice(0, 60) });
    worst.sort((a, b) => b.took - a.took);
    worst.length = Math.min(5, worst.length);
  }
  if (i === Math.floor(count / 5)) memory = process.memoryUsage().heapUsed;
  if (failures.length >= 20) break;
}
globalThis.gc?.();
const grown = process.memoryUsage().heapUsed - memory;
console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`, verdicts);
console.log(
  `heap after one fifth ${(memory / 2 ** 20).toFixed(0)} MiB, at the end ${((memory + grown) / 2 ** 20).toFixed(0)} MiB`,
);
for (const { took, length, answer } of worst)
  console.log(`slowest: ${took.toFixed(1)} ms, ${length} characters, ${JSON.stringify(answer)}`);
for (const failure of failures) console.log(`FAILED ${failure}`);
if (memory > 0 && grown > 200 * 2 ** 20) failures.push('memory grew');
console.log(`${failures.length} failures`);
process.exitCode = failures.length > 0 ? 1 : 0;
