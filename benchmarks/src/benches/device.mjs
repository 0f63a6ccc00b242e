/** Products and the training step on a graphics card: our two engines there beside PyTorch on the same card. */

import { contestTable, faster, fastest, lossGap, skippedLines } from '../compare.mjs';
import { Ring } from '../contest.mjs';
import { ours, torches } from '../entries.mjs';
import { shape, tiny } from '../reference-step.mjs';
import { median } from '../stats.mjs';

export const name = 'device';
export const title = 'On a graphics card';
export const share = 0.05;

/** Wide enough that arithmetic, and not the number of kernels, takes the time. */
const wide = { V: 2048, D: 512, L: 4, H: 8, B: 16, T: 256 };
const compared = 5;
const engines = ['gpujs:webgpu', 'onnx:webgpu'];
/** Products in a row before the device is waited for. */
const repeats = { 128: 4, 1024: 32, 2048: 16, 4096: 6 };

const entriesFor = (sgemm, options, torch, variants) => [
  ...engines.map(engine =>
    ours(engine, `Heddle ${engine}`, sgemm ? 'sgemm-heddle.mjs' : 'step-heddle.mjs', { ...options, engine }),
  ),
  ...torches(torch, sgemm ? 'torch_sgemm.py' : 'torch_step.py', { ...options, device: 'cuda' }, variants),
];

export async function run({ quick, seconds, torch }, log) {
  const sizes = quick ? [128] : [1024, 2048, 4096];
  const limits = quick ? { warmup: 1, least: 2, most: 2 } : { warmup: 2, least: 5, most: 15 };
  const share = seconds / (sizes.length + 2);
  const products = [];
  const ring = await Ring.open(entriesFor(true, { threads: 1, sizes, repeats }, torch), log);
  for (const size of sizes)
    products.push({ size, records: await told(ring, { which: String(size), ...limits, seconds: share }, log) });
  await ring.close();
  const steps = [];
  for (const dims of quick ? [tiny] : [shape, wide]) {
    const own = await Ring.open(entriesFor(false, { threads: 1, dims }, torch, ['plain', 'fused']), log);
    const records = await told(own, { warmup: 2, least: compared - 2, most: 40, seconds: share }, log);
    await own.close();
    steps.push({ dims, records });
  }
  return { products, steps };
}

/** A contest, with what came of it said at once: the next may take long. */
async function told(ring, contest, log) {
  const records = await ring.contest(contest);
  for (const { name: who, wall } of records.filter(r => r.wall.length > 0))
    log(`  ${contest.which ?? 'step'}: ${who}: ${median(wall).toFixed(2)} ms`);
  return records;
}

const gapFrom = (record, reference) => {
  const gap = lossGap(record, reference, compared);
  return record === reference || Number.isNaN(gap) ? '–' : gap.toExponential(1);
};

const against = [['torch', '× fastest PyTorch']];

export function render({ products, steps }) {
  return [
    'Single precision, without TF32. A product is timed with operands and result on the device, several in a row.',
    ...products.flatMap(({ size, records }) => [
      `### ${size} × ${size}`,
      contestTable(records, { unit: 'GFLOP/s', work: (2 * size ** 3) / 1e9, against }),
      skippedLines(records).join('\n'),
    ]),
    ...steps.flatMap(({ dims: { V, D, L, H, B, T }, records }) => {
      const reference =
        records.find(r => r.key === 'torch' && r.values.length > 0) ?? records.find(r => r.values.length);
      return [
        `### Training step: width ${D}, ${L} layers, ${H} heads, vocabulary ${V}, batch ${B} × ${T}, Adam`,
        contestTable(records, {
          unit: 'tokens/s',
          work: B * T,
          against,
          extra: [['loss gap', r => gapFrom(r, reference)]],
        }),
        skippedLines(records).join('\n'),
      ];
    }),
  ];
}

export const figures = ({ products, steps }) =>
  Object.fromEntries(
    engines.flatMap(engine => [
      ...products.map(({ size, records }) => [
        `device-sgemm-${size}-${engine.split(':')[0]}`,
        faster(fastest(records, engine), fastest(records, 'torch')),
      ]),
      ...steps.map(({ dims, records }) => [
        `device-step-${dims.D}-${engine.split(':')[0]}`,
        faster(fastest(records, engine), fastest(records, 'torch')),
      ]),
    ]),
  );
