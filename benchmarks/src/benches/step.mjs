/** The reference training step: tokens a second, and the same losses everywhere. */

import { contestTable, faster, fastest, lossGap, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { ours, peer, torches } from '../entries.mjs';
import { shape, tiny } from '../reference-step.mjs';
import { plural } from '../table.mjs';

export const name = 'step';
export const title = 'Reference training step';
export const share = 0.118;

const compared = 12;

function entriesFor(threads, { dims, slow, torch }) {
  const options = { threads, dims };
  const other = (key, label, file, library, turns) =>
    peer(key, label, file, library, options, {
      slow: turns,
      ...(threads > 1 ? { skip: 'its threads do not start in Node: see one thread' } : {}),
      ...(slow ? {} : { skip: 'slow contestants were left out' }),
    });
  return [
    ours('heddle', 'Heddle onnx:cpu, C API', 'step-heddle.mjs', { ...options, binding: 'c-api' }),
    ours('heddle-worker', 'Heddle onnx:cpu, worker', 'step-heddle.mjs', { ...options, binding: 'worker' }),
    ours('handbuilt', 'hand-built graph, onnxruntime-node', 'step-onnxruntime.mjs', options),
    ...torches(torch, 'torch_step.py', options, ['plain', 'fused']),
    {
      ...ours('gpujs', 'Heddle gpujs:webasm', 'step-heddle.mjs', { ...options, engine: 'gpujs:webasm' }),
      slow: { warmup: 1, steps: 3 },
      ...(threads > 1 ? { skip: 'has one thread: see there' } : {}),
      ...(slow ? {} : { skip: 'slow contestants were left out' }),
    },
    other('tfjs', 'tfjs-wasm', 'tfjs-step.mjs', '@tensorflow/tfjs-backend-wasm', { warmup: 0, steps: 1 }),
    other('jax', 'jax-js wasm', 'jax-step.mjs', '@jax-js/jax', { warmup: 1, steps: 3 }),
  ];
}

export async function run({ threads, quick, slow, seconds, torch }, log) {
  const dims = quick ? tiny : shape;
  const parts = [];
  for (const count of threads) {
    const ring = await Ring.open(entriesFor(count, { dims, slow, torch }), log);
    // Twelve steps at least, so that the losses can be compared; the first two are never timed.
    const limits = quick
      ? { warmup: 2, least: compared - 2, most: compared - 2 }
      : { warmup: 2, least: compared - 2, most: 60 };
    const records = await ring.contest({ ...limits, seconds });
    await ring.close();
    parts.push({ threads: count, records });
  }
  return { dims, parts };
}

/** The oldest formulas are the reference: PyTorch's plain form where there is one. */
const referenceOf = records =>
  records.find(r => r.key === 'torch' && r.values.length > 0) ?? records.find(r => r.key === 'handbuilt');

export function render({ dims, parts }) {
  const { V, D, L, H, B, T } = dims;
  return [
    `A GPT of width ${D}, ${L} layers, ${H} heads, vocabulary ${V}, batch ${B} × ${T}, Adam. “Loss gap” is the largest relative difference from PyTorch's loss over the first ${compared} steps (or as many as were made).`,
    ...parts.flatMap(({ threads, records }) => {
      const reference = referenceOf(records);
      const gap = r => {
        const x = lossGap(r, reference, compared);
        return r === reference ? 'reference' : Number.isNaN(x) ? '–' : x.toExponential(1);
      };
      const rounds = Math.max(...records.map(r => (r.slow ? 0 : r.wall.length)));
      return [
        `### ${plural(threads, 'thread')}, ${rounds} rounds`,
        contestTable(records, {
          unit: 'tokens/s',
          work: B * T,
          against: [
            ['torch', '× fastest PyTorch'],
            ['handbuilt', '× hand-built'],
          ],
          extra: [['loss gap', gap]],
        }),
        [reference, records.find(r => r.key === 'heddle')]
          .filter(r => r?.values.length > 0)
          .map(
            r =>
              `Losses of ${r.name}: ${r.values
                .slice(0, compared)
                .map(x => x.toFixed(5))
                .join(' ')}`,
          )
          .join('\n\n'),
        skippedLines(records).join('\n'),
      ];
    }),
  ];
}

export const figures = ({ parts }) =>
  Object.fromEntries(
    parts.flatMap(({ threads, records }) => {
      const heddle = fastest(records, 'heddle');
      const torch = fastest(records, 'torch');
      return [
        [`step-torch-t${threads}`, faster(heddle, torch)],
        [`step-handbuilt-t${threads}`, faster(heddle, fastest(records, 'handbuilt'))],
        [`step-worker-t${threads}`, faster(fastest(records, 'heddle-worker'), heddle)],
        ...(threads === 1
          ? [
              ['step-loss-digits', lossGap(heddle, torch, compared)],
              ['step-tfjs', faster(heddle, fastest(records, 'tfjs'))],
            ]
          : []),
        ...(threads === 1 && heddle && torch ? [['memory-peak-ratio', heddle.peak / torch.peak]] : []),
      ];
    }),
  );
