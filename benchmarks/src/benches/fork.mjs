/** What paths cost: several from one prefix beside one. */

import { contestTable, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { decoderShape, tinyDecoder } from '../decoder-shape.mjs';
import { ours } from '../entries.mjs';
import { median } from '../stats.mjs';
import { plural } from '../table.mjs';

export const name = 'fork';
export const title = 'Parallel paths from one prefix';
export const share = 0.06;

export async function run({ threads, quick, seconds }, log) {
  const dims = quick ? tinyDecoder : decoderShape;
  const [prefix, tokens] = quick ? [16, 4] : [512, 16];
  const parts = [];
  for (const count of threads) {
    const ring = await Ring.open(
      [1, 2, 4, 8].map(paths =>
        ours(`paths-${paths}`, plural(paths, 'path'), 'fork-heddle.mjs', {
          threads: count,
          dims,
          paths,
          prefix,
          tokens,
        }),
      ),
      log,
    );
    const limits = quick ? { warmup: 1, least: 2, most: 2 } : { warmup: 1, least: 8, most: 40 };
    const records = await ring.contest({ ...limits, seconds });
    await ring.close();
    parts.push({ threads: count, records });
  }
  return { dims, prefix, tokens, parts };
}

/** Medians of the ratio to one path, of each round. */
const costs = records => {
  const one = records.find(({ key }) => key === 'paths-1');
  return record => median(record.wall.map((ms, i) => ms / one.wall[i]));
};

export function render({ dims, prefix, tokens, parts }) {
  const { V, D, L, H, G, F } = dims;
  return [
    `Llama-like: width ${D}, ${L} layers, ${H}/${G} heads, feed-forward ${F}, vocabulary ${V}; ${tokens} tokens on each path, from a prefix of ${prefix} tokens that is read once. Each number of paths is a process of its own, so that its memory shows.`,
    ...parts.flatMap(({ threads, records }) => [
      `### ${plural(threads, 'thread')}`,
      contestTable(records, {
        unit: 'forks/s',
        work: 1,
        against: [],
        extra: [['time ÷ one path', record => (record.wall.length > 0 ? costs(records)(record).toFixed(2) : '–')]],
      }),
      skippedLines(records).join('\n'),
    ]),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.flatMap(({ threads, records }) =>
      records
        .filter(({ key, wall }) => key !== 'paths-1' && wall.length > 0)
        .map(record => [`fork-${record.key.slice(6)}-t${threads}`, costs(records)(record)]),
    ),
  );
