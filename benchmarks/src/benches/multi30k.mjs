/**
 * Multi30k, English to German: four models of equal size, the same data in the same order, for the same processor time.
 *
 * A run of hours, so it is asked for by name; each model goes on where it stopped.
 */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { bleu, pairedTest } from '@heddle/eval-text';
import { data, missing, models, titles } from '../multi30k/setting.mjs';
import { folder as inBenchmarks, repository } from '../paths.mjs';
import { digits, table } from '../table.mjs';

export const name = 'multi30k';
export const title = 'Multi30k, English to German';
export const share = 0; // `--minutes` are of each model

const tokens = 2048;

export async function run({ minutes, seeds, quick }, log) {
  const why = missing();
  if (why !== null) {
    log(`  left out: ${why}`);
    return { skipped: why };
  }
  const root = join(repository, '.heddle', 'bench', quick ? 'multi30k-quick' : 'multi30k');
  const options = quick ? { minutes: 0.02, every: 2, few: 24 } : { minutes, every: 150, few: null };
  const waiting = seeds.flatMap(seed => models.map(key => ({ key, seed })));
  const all = [...waiting];
  const worker = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift())
      await child({ ...one, ...options, tokens, folder: root });
  };
  // One thread each: what a model costs is then its processor time.
  await Promise.all(Array.from({ length: Math.min(2, cpus().length) }, worker));
  const results = all.map(({ key, seed }) => resultIn(join(root, `${key}-${seed}`)));
  return { minutes: options.minutes, seeds, models: judged(results, quick ? options.few : null) };
}

const child = given =>
  new Promise((resolve, reject) => {
    const file = inBenchmarks('src', 'multi30k', 'train.mjs');
    const running = spawn(process.execPath, [file, JSON.stringify(given)], { stdio: ['ignore', 'ignore', 'inherit'] });
    running.on('error', reject);
    running.on('exit', code =>
      code === 0 ? resolve() : reject(new Error(`${given.key} ${given.seed} ended with ${code}`)),
    );
  });

function resultIn(path) {
  const file = join(path, 'result.json');
  if (!existsSync(file)) throw new Error(`${file} is not there`);
  const curve = readFileSync(join(path, 'curve.jsonl'), 'utf8').trim().split('\n').map(JSON.parse);
  return { ...JSON.parse(readFileSync(file, 'utf8')), curve };
}

/** With intervals, and each beside the baseline of its seed. */
function judged(results, few) {
  const references = data()
    .test.slice(0, few ?? undefined)
    .map(({ target }) => target);
  return results.map(({ hypotheses, ...own }) => {
    const base = results.find(({ key, seed }) => key === 'baseline' && seed === own.seed);
    const systems = [
      { name: 'baseline', hypotheses: base.hypotheses },
      { name: own.key, hypotheses },
    ];
    const { interval, p } = pairedTest([bleu()], systems, [references])[0].results[1];
    const isBase = own.key === 'baseline';
    return { ...own, halfWidth: interval.halfWidth, p: isBase ? null : p, examples: hypotheses.slice(0, 3) };
  });
}

/** The last measurement that had seen no more than this. */
const at = (curve, field, most) => curve.findLast(line => line[field] <= most) ?? null;

export function render({ skipped, minutes, models: found }) {
  if (skipped) return [skipped];
  const [fewest, shortest] = ['tokens', 'cpuSeconds'].map(field =>
    Math.min(...found.map(({ curve }) => curve.at(-1)[field])),
  );
  const rows = found.map(({ key, seed, parameters, curve, bleu: test, halfWidth, p, searchSeconds }) => {
    const end = curve.at(-1);
    return [
      titles[key],
      String(seed),
      parameters.toLocaleString('en-US'),
      digits(end.tokens / end.cpuSeconds),
      digits(at(curve, 'tokens', fewest)?.bleu ?? Number.NaN),
      digits(at(curve, 'cpuSeconds', shortest)?.bleu ?? Number.NaN),
      `${test.toFixed(1)} ± ${halfWidth.toFixed(1)}`,
      p === null ? '–' : p.toFixed(3),
      digits(1000 / searchSeconds),
    ];
  });
  return [
    `29,000 pairs, lower-cased, 4,000 byte pairs of both languages, width 128, three layers on each side, dropout 0.1, label smoothing 0.1, up to ${tokens} tokens a batch, AdamW; the hidden widths of the feed-forwards make the sizes equal. ${minutes} minutes of processor time for each model on one thread of onnx:cpu, two models at a time. BLEU is sacreBLEU's (13a): of 1,014 validation sentences decoded greedily, at the same number of target tokens and at the same time; and of test_2016_flickr with four beams, with 95 % intervals and p against the baseline of the same seed.`,
    table(
      [
        'model',
        'seed',
        'parameters',
        'target tokens / s',
        `BLEU at ${(fewest / 1e6).toFixed(2)} M tokens`,
        `BLEU at ${Math.round(shortest / 60)} min`,
        'test BLEU',
        'p',
        'sentences / s, four beams',
      ],
      rows,
    ),
  ];
}

const meanOf = numbers => numbers.reduce((a, b) => a + b, 0) / numbers.length;
export const figures = ({ minutes, models: found = [] }) =>
  Object.fromEntries(
    models.flatMap(key => {
      const own = found.filter(one => one.key === key);
      return own.length === 0 ? [] : [[`multi30k-${key}-${minutes}`, meanOf(own.map(one => one.bleu))]];
    }),
  );
