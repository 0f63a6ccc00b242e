/**
 * Kills a training run at random moments and checks that it always goes on from a whole checkpoint.
 *
 * node tests/kill/run.mjs [--times 200] [--steps 12] [--engine onnx|reference] [--seed 1] [--json]
 *
 * Each round trains in a child process that saves after every step, and kills it with SIGKILL: at a random moment of
 * its life, or a random moment after it was seen to write, so that many kills fall into the middle of a save. After
 * every kill the newest checkpoint must open, hold every tensor, and be no older than the newest step that the child
 * had reported as saved. A run that finishes is compared with an uninterrupted one, bit for bit, then started a few times
 * more: such a run saves its last checkpoint again, over the old one, and is killed while it replaces. Then another begins.
 */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, watch } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { uniforms } from '@heddle/core';
import { checkpointFolder, isPartial } from '@heddle/core/node';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '200' },
    steps: { type: 'string', default: '12' },
    engine: { type: 'string', default: 'onnx' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
  },
});
const [times, steps, seed] = [Number(values.times), Number(values.steps), Number(values.seed)];
const script = fileURLToPath(new URL('train.mjs', import.meta.url));
const draw = uniforms(seed, 17);

/** Starts the child; `kill` decides when it dies. */
function run(folder, kill) {
  return new Promise(resolve => {
    const child = spawn(
      process.execPath,
      [script, '--folder', folder, '--steps', String(steps), '--engine', values.engine],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let [said, complaints] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', text => (said += text));
    child.stderr.setEncoding('utf8').on('data', text => (complaints += text));
    const stop = kill?.(child, () => said);
    child.on('close', (code, signal) => {
      stop?.();
      resolve({ code, signal, said, complaints });
    });
  });
}

/** The last number after a word on a line of its own. */
const last = (said, word) => Number([...said.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);

/** Dies some milliseconds after its start. */
const sometime = life => child => {
  const timer = setTimeout(() => child.kill('SIGKILL'), draw() * life);
  return () => clearTimeout(timer);
};

/** Dies within microseconds to milliseconds after the folder changed for the n-th time: while it writes or renames. */
const whileSaving = (folder, changes) => child => {
  let left = 1 + Math.floor(draw() * changes);
  const delay = draw() < 0.5 ? 0 : draw() * 4;
  const watcher = watch(folder, () => {
    if (--left === 0) setTimeout(() => child.kill('SIGKILL'), delay);
  });
  return () => watcher.close();
};

const started = performance.now();
const base = await mkdtemp(join(tmpdir(), 'heddle-kill-'));
const failures = [];
const counts = {
  kills: 0,
  whileSaving: 0,
  whileReplacing: 0,
  unfinishedFound: 0,
  replacementsFound: 0,
  beforeFirst: 0,
  finished: 0,
  resumed: 0,
};

function expect(held, what) {
  if (!held) {
    failures.push(what);
    console.error(`FAILED: ${what}`);
  }
}

try {
  const wholeFolder = join(base, 'whole');
  const began = performance.now();
  const uninterrupted = await run(wholeFolder);
  const life = performance.now() - began;
  if (uninterrupted.code !== 0) throw new Error(`the uninterrupted run failed: ${uninterrupted.complaints}`);
  const whole = await checkpointFolder(wholeFolder).load(steps);
  const names = Object.keys(whole.tensors).sort();

  for (let lineage = 0; counts.kills < times && failures.length < 5; lineage++) {
    const folder = join(base, `run-${lineage}`);
    await mkdir(folder);
    let floor = 0;
    for (let more = 4; more > 0 && counts.kills < times;) {
      const replacing = floor === steps;
      const aimed = replacing || draw() < 0.7;
      const result = await run(folder, aimed ? whileSaving(folder, replacing ? 6 : 14) : sometime(life));
      const killed = result.signal === 'SIGKILL';
      const about = `kill ${counts.kills + 1} of run ${lineage}`;
      if (/^resumed/m.test(result.said)) {
        counts.resumed++;
        expect(
          last(result.said, 'resumed from step') === floor,
          `${about}: resumed from step ${last(result.said, 'resumed from step')}, the newest was ${floor}`,
        );
      } else {
        expect(floor === 0 || result.said === '', `${about}: began anew although step ${floor} was saved`);
      }
      expect(killed || result.code === 0, `${about}: ended by itself with ${result.code}: ${result.complaints}`);
      const left = readdirSync(folder).filter(isPartial);
      if (left.some(name => name.endsWith('.partial'))) counts.unfinishedFound++;
      if (left.some(name => name.endsWith('.replaced'))) counts.replacementsFound++;
      const newest = await checkpointFolder(folder)
        .latest()
        .catch(error => void expect(false, `${about}: the newest checkpoint does not open: ${error.message}`));
      const step = newest?.step ?? 0;
      expect(
        step >= Math.max(floor, last(result.said, 'step')),
        `${about}: step went back from ${Math.max(floor, last(result.said, 'step'))} to ${step}`,
      );
      expect(
        readdirSync(folder).filter(isPartial).length === 0,
        `${about}: unfinished folders were left after looking for the newest`,
      );
      if (newest) {
        expect(
          isDeepStrictEqual(Object.keys(newest.tensors).sort(), names),
          `${about}: tensors are missing at step ${step}`,
        );
        expect(
          newest.meta.step === step && newest.meta.cursor === step,
          `${about}: the cursor is ${newest.meta.cursor} at step ${step}`,
        );
      } else if (killed) counts.beforeFirst++;
      floor = step;
      if (step === steps) more--;
      if (killed) {
        counts.kills++;
        if (aimed) counts.whileSaving++;
        if (replacing) counts.whileReplacing++;
      } else {
        counts.finished++;
        expect(
          isDeepStrictEqual(newest, whole),
          `run ${lineage}: the final checkpoint differs from that of an uninterrupted run`,
        );
      }
    }
    if (failures.length === 0 && existsSync(folder)) {
      // Every lineage ends whole, the last one too.
      const end = await run(folder);
      expect(end.code === 0, `run ${lineage}: does not finish when left alone: ${end.complaints}`);
      expect(
        isDeepStrictEqual(await checkpointFolder(folder).latest(), whole),
        `run ${lineage}: differs from an uninterrupted run`,
      );
      await rm(folder, { recursive: true });
    }
  }
} finally {
  if (failures.length === 0) await rm(base, { recursive: true, force: true });
  else console.error(`left for inspection: ${base}`);
}

const report = {
  ...counts,
  failures: failures.length,
  seed,
  seconds: Math.round((performance.now() - started) / 1000),
};
if (values.json) console.log(JSON.stringify(report));
else {
  console.log(
    `${counts.kills} kills (${counts.whileSaving} aimed at a save, ${counts.whileReplacing} of them at a replacement), seed ${seed}, ${report.seconds} s`,
  );
  console.log(
    `unfinished folders found ${counts.unfinishedFound} times, interrupted replacements ${counts.replacementsFound}, before any checkpoint ${counts.beforeFirst}`,
  );
  console.log(
    `resumed ${counts.resumed} times; ${counts.finished} runs finished and equal an uninterrupted one bit for bit`,
  );
  console.log(
    failures.length === 0 ? 'every checkpoint found was whole; no step went back' : `${failures.length} FAILED`,
  );
}
process.exitCode = failures.length === 0 ? 0 : 1;
