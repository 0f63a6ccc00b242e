/** Scores of translations and summaries beside the Python tools whose numbers they are. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Ring } from '../contest.mjs';
import { ours } from '../entries.mjs';
import { folder, repository } from '../paths.mjs';
import { candidates } from '../pythons.mjs';
import { median, speedup } from '../stats.mjs';
import { digits, megabytes, ratio, table } from '../table.mjs';

export const name = 'score';
export const title = 'Scores of system outputs';
export const share = 0; // goes by its work, not by the clock

const path = join(repository, '..', 'shared', 'golden', 'mt-metrics', 'systems', 'wmt22.en-de.tsv');

const cases = ['bleu', 'chrf', 'chrf++', 'ter', 'paired bleu', 'paired bleu, chrf'];
const lengths = [32_000, 128_000, 512_000];

const python = (key, label, file, options) =>
  candidates().map((program, i) => ({
    key,
    name: i === 0 ? label : `${label}, ${program}`,
    program,
    args: [folder('peers', file), JSON.stringify(options)],
    env: { PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
  }));

export async function run({ quick }, log) {
  if (!existsSync(path)) {
    log(`  left out: there is no ${path}`);
    return { skipped: 'the WMT outputs of ../shared are not there' };
  }
  const options = { path, samples: quick ? 50 : 1000 };
  const translation = await contest(
    [
      ours('heddle', 'Heddle', 'score-heddle.mjs', options),
      ...python('sacrebleu', 'sacreBLEU', 'sacrebleu_score.py', options),
    ],
    cases,
    quick,
    log,
  );
  const summaries = await contest(
    [
      ours('heddle', 'Heddle', 'score-heddle.mjs', options),
      ...python('rouge', 'rouge_score', 'google_rouge.py', options),
    ],
    ['rouge'],
    quick,
    log,
  );
  const streams = [];
  for (const segments of quick ? lengths.slice(0, 1) : lengths) {
    const ring = await Ring.open(
      [
        ours('heddle', `heddle score, ${segments} segments`, 'score-stream.mjs', {
          path,
          segments,
          metric: 'bleu,chrf',
        }),
      ],
      log,
    );
    const [record] = await ring.contest({ warmup: 0, least: 1, most: 1, seconds: 0 });
    await ring.close();
    streams.push({ segments, skipped: record.skipped, wall: record.wall[0] ?? null, peak: record.peak });
  }
  return { translation, summaries, streams };
}

async function contest(entries, names, quick, log) {
  const ring = await Ring.open(entries, log);
  const found = [];
  for (const which of names) {
    log(`  ${which}`);
    const slow = which.startsWith('paired') || which === 'ter' || which === 'chrf++';
    found.push({
      which,
      records: await ring.contest({
        which,
        warmup: 1,
        least: quick ? 1 : slow ? 3 : 5,
        most: quick ? 1 : slow ? 3 : 5,
        seconds: 0,
      }),
    });
  }
  await ring.close();
  return found;
}

const fastest = records => {
  const [heddle, ...others] = records.filter(({ wall }) => wall.length > 0);
  return { heddle, peer: others.sort((a, b) => median(a.wall) - median(b.wall))[0] };
};

export function render({ skipped, translation, summaries, streams }) {
  if (skipped) return [`- left out: ${skipped}`];
  const rows = [...translation, ...summaries].flatMap(({ which, records }) => {
    const { heddle, peer } = fastest(records);
    if (heddle === undefined) return [];
    return [
      [
        which,
        digits(median(heddle.wall)),
        peer ? digits(median(peer.wall)) : '–',
        peer ? ratio(speedup(heddle.wall, peer.wall)) : '–',
        peer ? `${peer.name} ${peer.info.version ?? ''}` : '–',
        peer ? Math.abs(heddle.values[0] / peer.values[0] - 1).toExponential(1) : '–',
      ],
    ];
  });
  const left = [...translation.slice(0, 1), ...summaries].flatMap(({ records }) =>
    records.filter(r => r.skipped !== null).map(r => `- left out: ${r.name}: ${r.skipped}`),
  );
  return [
    'WMT 2022 en-de, 5 systems, 1,000 segments, from texts to numbers, one thread; paired: bootstrap with 1,000 resamples of the systems against the first. Nothing is remembered from one step to the next (sacreBLEU’s caches of tokenised lines are emptied). TER: of one system only, for sacreBLEU takes long. Median ms of 5 rounds (3 of chrF++, TER and paired); gap: how far the summed results differ.',
    table(['what', 'Heddle ms', 'peer ms', 'faster', 'peer', 'gap'], rows),
    left.join('\n'),
    '`heddle score --metric bleu,chrf` on one file of any length:',
    table(
      ['segments', 'seconds', 'peak MB'],
      streams.map(({ segments, skipped: why, wall, peak }) =>
        why !== null ? [segments, '–', `left out: ${why}`] : [segments, digits(wall / 1000), megabytes(peak)],
      ),
    ),
  ];
}

export const figures = ({ translation = [], streams = [] }) => {
  const of = which => {
    const found = translation.find(one => one.which === which);
    const { heddle, peer } = found ? fastest(found.records) : {};
    return heddle && peer ? speedup(heddle.wall, peer.wall) : Number.NaN;
  };
  return {
    'score-bleu': of('bleu'),
    'score-chrf': of('chrf'),
    'score-paired': of('paired bleu, chrf'),
    'score-stream': streams.length > 1 ? streams.at(-1).peak / streams[0].peak : Number.NaN,
  };
};
