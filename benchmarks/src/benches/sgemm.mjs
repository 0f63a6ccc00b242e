/** C = A B in single precision, square. */

import { contestTable, faster, fastest, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { ours, peer, torches } from '../entries.mjs';
import { plural } from '../table.mjs';

export const name = 'sgemm';
export const title = 'Matrix product, single precision';
export const share = 0.046;

const entriesFor = (threads, sizes, torch) => {
  const options = { threads, sizes };
  const single = threads > 1 ? { skip: 'its threads do not start in Node: see one thread' } : {};
  return [
    ours('heddle', 'Heddle onnx:cpu', 'sgemm-heddle.mjs', options),
    ours('handbuilt', 'onnxruntime-node, directly', 'sgemm-onnxruntime.mjs', options),
    ...torches(torch, 'torch_sgemm.py', options),
    peer('tfjs', 'tfjs-wasm', 'tfjs-sgemm.mjs', '@tensorflow/tfjs-backend-wasm', options, single),
    peer('jax', 'jax-js wasm', 'jax-sgemm.mjs', '@jax-js/jax', options, single),
  ];
};

export async function run({ threads, quick, seconds, torch }, log) {
  const sizes = quick ? [64, 128] : [256, 512, 1024];
  const parts = [];
  for (const count of threads) {
    const ring = await Ring.open(entriesFor(count, sizes, torch), log);
    for (const size of sizes) {
      const limits = quick ? { warmup: 1, least: 3, most: 3 } : { warmup: 3, least: 9, most: 60 };
      const records = await ring.contest({
        which: String(size),
        ...limits,
        seconds: seconds / sizes.length,
      });
      parts.push({ threads: count, size, records });
    }
    await ring.close();
  }
  return { parts };
}

/** Operations in units of a thousand million. */
const work = size => (2 * size ** 3) / 1e9;

export function render({ parts }) {
  return parts.flatMap(({ threads, size, records }) => [
    `### ${size} × ${size}, ${plural(threads, 'thread')}`,
    contestTable(records, {
      unit: 'GFLOP/s',
      work: work(size),
      against: [
        ['torch', '× fastest PyTorch'],
        ['handbuilt', '× onnxruntime-node'],
      ],
    }),
    skippedLines(records).join('\n'),
  ]);
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.flatMap(({ threads, size, records }) => {
      const heddle = fastest(records, 'heddle');
      return [
        [`sgemm-${size}-raw-t${threads}`, faster(heddle, fastest(records, 'handbuilt'))],
        [`sgemm-${size}-torch-t${threads}`, faster(heddle, fastest(records, 'torch'))],
      ];
    }),
  );
