/**
 * The child's side of a contest. A contestant is a long-lived process: it opens once, says that it is ready, and then
 * runs steps when told, so that contestants take turns without ever measuring the start of a process.
 *
 * One JSON object a line: `{"run": 3, "case": "256"}` in, `@{"wall": […], "cpu": […], "values": […]}` out, in
 * milliseconds. The `@` tells our lines from what libraries print. The end of the input ends the child.
 */

import { createInterface } from 'node:readline';

/**
 * @typedef {object} Contestant
 * @property {Record<string, unknown>} [info] versions and such, for the results
 * @property {(step: number, which: string | undefined) => unknown} [prepare] not timed; its result goes to `step`
 * @property {(prepared: unknown, which: string | undefined) => unknown} step timed; returns a loss or another number
 * @property {(which: string | undefined) => number} [repeats] how many units of work a step does; times are divided by it
 */

const say = message => process.stdout.write(`@${JSON.stringify(message)}\n`);

/** Thrown while opening: the contestant is left out, by name and reason. */
export class Skip extends Error {}

/** @param {(options: any) => Promise<Contestant> | Contestant} open */
export async function serve(open) {
  let contestant;
  const options = JSON.parse(process.argv[2] ?? '{}');
  const from = performance.now();
  try {
    contestant = await open(options);
  } catch (error) {
    say(
      error instanceof Skip || error?.code === 'ERR_MODULE_NOT_FOUND' || error?.code === 'MODULE_NOT_FOUND'
        ? { skip: error.message.split('\n')[0] }
        : { failed: String(error?.stack ?? error) },
    );
    process.exit(0);
  }
  say({ ready: true, openMs: performance.now() - from, info: contestant.info ?? {} });
  const counts = new Map();
  for await (const line of createInterface({ input: process.stdin })) {
    const { run, case: which } = JSON.parse(line);
    try {
      say(await turn(contestant, run, which, counts));
    } catch (error) {
      say({ failed: String(error?.stack ?? error) });
      break;
    }
  }
  process.exit(0);
}

async function turn(contestant, run, which, counts) {
  const wall = [];
  const cpu = [];
  const values = [];
  for (let i = 0; i < run; i++) {
    const step = counts.get(which) ?? 0;
    counts.set(which, step + 1);
    const prepared = await contestant.prepare?.(step, which);
    const repeats = contestant.repeats?.(which) ?? 1;
    const cpuFrom = process.cpuUsage();
    const from = performance.now();
    const value = await contestant.step(prepared, which);
    wall.push((performance.now() - from) / repeats);
    const used = process.cpuUsage(cpuFrom);
    cpu.push((used.user + used.system) / 1000 / repeats);
    values.push(value ?? null);
  }
  // maxRSS is in kilobytes on every system but is bytes to readers of the results.
  return { wall, cpu, values, peak: process.resourceUsage().maxRSS * 1024 };
}
