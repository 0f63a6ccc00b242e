/** Optimizers and clipping, in the graph, step by step. */

import { adafactor } from '../optim/adafactor.js';
import { adam, adamW } from '../optim/adam.js';
import { clipByNorm } from '../optim/clip.js';
import { sgd } from '../optim/sgd.js';
import { f32, type HostTensor, type Types } from '../ir/types.js';
import { host } from '../tensor/evaluate.js';
import { caseOf, goldenNumber, relativeError } from '../testing/golden.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  compareRow,
  distance,
  hostOf,
  numberAt,
  runOnce,
  tolerancesOf,
  type Family,
  type Row,
  type StoredArray,
} from './row.js';

interface OptimizerRow extends Row {
  readonly optimizer: string;
  readonly clipGradNorm: number | null;
  readonly init: readonly StoredArray[];
  readonly gradsPerStep: readonly (readonly StoredArray[])[];
  readonly lrPerStep: readonly (number | null)[];
  readonly totalNormBeforeClip: readonly unknown[] | null;
  readonly paramsAfterStep: readonly (readonly StoredArray[])[];
}

const pair = (row: Row, name: string, fallback: readonly [number, number]): readonly [number, number] =>
  (row.params?.[name] as readonly [number, number] | undefined) ?? fallback;

function optimizerOf(row: OptimizerRow): Optimizer {
  const name = row.optimizer.toLowerCase();
  const weightDecay = numberAt(row, 'weightDecay', 0);
  // The set decays every parameter, vectors too.
  const adamOptions = () =>
    ({
      betas: pair(row, 'betas', [0.9, 0.999]),
      epsilon: numberAt(row, 'eps', 1e-8),
      weightDecay,
      decays: () => true,
    }) as const;
  if (name.startsWith('adamw')) return adamW(adamOptions());
  if (name.startsWith('adafactor')) {
    const flag = (key: string): boolean => row.params?.[key] === true;
    return adafactor({
      epsilons: pair(row, 'eps', [1e-30, 1e-3]),
      clip: numberAt(row, 'clipThreshold', 1),
      decayRate: numberAt(row, 'decayRate', -0.8),
      weightDecay,
      momentum: (row.params?.['beta1'] as number | null | undefined) ?? null,
      scaleParameter: flag('scaleParameter'),
      relativeStep: flag('relativeStep'),
      warmUp: flag('warmupInit'),
    });
  }
  if (name.startsWith('adam')) return adam(adamOptions());
  if (name.startsWith('sgd')) {
    if (numberAt(row, 'dampening', 0) !== 0)
      throw new Error('params.dampening: expected 0, the only one that the kernel has');
    const nesterov = row.params?.['nesterov'] === undefined ? /nesterov/.test(name) : row.params['nesterov'] === true;
    return sgd({ momentum: numberAt(row, 'momentum', 0), nesterov, weightDecay });
  }
  throw new Error(`optimizer: expected adam, adamw, adafactor or sgd, received ${row.optimizer}`);
}

/** One step as a graph, run as often as the row says. */
export const optimizers: Family = async given => {
  const row = given as OptimizerRow;
  const optimizer = optimizerOf(row);
  const slots = row.init.map(({ shape }) => Object.entries(optimizer.state(shape)));
  const types: Types = {
    ...Object.fromEntries(
      row.init.flatMap(({ shape }, i) => [
        [`p${i}`, f32(...shape)],
        [`g${i}`, f32(...shape)],
      ]),
    ),
    ...Object.fromEntries(slots.flatMap((own, i) => own.map(([slot, { shape }]) => [`s${i}.${slot}`, f32(...shape)]))),
    ...Object.fromEntries(Object.keys(optimizer.scalars(1, 0)).map(name => [`scalars.${name}`, f32()])),
  };
  const body = (x: Readonly<Record<string, Tensor>>): Record<string, Tensor> => {
    const raw = row.init.map((_, i) => x[`g${i}`]!);
    const clipped =
      row.clipGradNorm === null || row.clipGradNorm === undefined ? null : clipByNorm(raw, row.clipGradNorm);
    const scalars = Object.fromEntries(
      Object.entries(x).flatMap(([name, t]) => (name.startsWith('scalars.') ? [[name.slice(8), t]] : [])),
    );
    const out: Record<string, Tensor> = clipped ? { norm: clipped.norm } : {};
    row.init.forEach((_, i) => {
      const state = Object.fromEntries(slots[i]!.map(([slot]) => [slot, x[`s${i}.${slot}`]!]));
      const next = optimizer.update({
        name: `p${i}`,
        parameter: x[`p${i}`]!,
        gradient: (clipped?.gradients ?? raw)[i]!,
        state,
        scalars,
      });
      out[`p${i}`] = next.parameter;
      for (const [slot] of slots[i]!) out[`s${i}.${slot}`] = next.state[slot]!;
    });
    return out;
  };
  let state: Record<string, HostTensor> = {
    ...Object.fromEntries(row.init.map((p, i) => [`p${i}`, hostOf(p)])),
    ...Object.fromEntries(
      slots.flatMap((own, i) =>
        own.map(([slot, { shape, fill }]) => [
          `s${i}.${slot}`,
          host(
            shape,
            Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => fill),
          ),
        ]),
      ),
    ),
  };
  const { forward } = tolerancesOf(row);
  let [worst, worstNorm] = [0, 0];
  for (const [step, gradients] of row.gradsPerStep.entries()) {
    const rate = row.lrPerStep?.[step] ?? numberAt(row, 'lr', 0);
    const scalars = Object.fromEntries(
      Object.entries(optimizer.scalars(step + 1, rate)).map(([name, x]) => [`scalars.${name}`, host([], [x])]),
    );
    const { norm, ...next } = await runOnce(types, body, {
      ...state,
      ...scalars,
      ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, hostOf(g)])),
    });
    state = next;
    row.paramsAfterStep[step]!.forEach((p, i) => {
      worst = Math.max(worst, distance(p, state[`p${i}`]!));
    });
    const expected = row.totalNormBeforeClip?.[step];
    if (norm && expected !== undefined && expected !== null)
      worstNorm = Math.max(worstNorm, relativeError([goldenNumber(expected)], norm.data));
  }
  return caseOf('', [
    { name: 'parameters', error: worst, tolerance: forward },
    ...(row.totalNormBeforeClip ? [{ name: 'norm', error: worstNorm, tolerance: forward }] : []),
  ]);
};

export const clipping: Family = row =>
  compareRow(row, x => {
    const names = Object.keys(x).filter(name => /^g\d+$/.test(name));
    const { gradients, norm } = clipByNorm(
      names.map(name => x[name]!),
      numberAt(row, 'maxNorm'),
    );
    return { totalNorm: norm, ...Object.fromEntries(names.map((name, i) => [`c${name.slice(1)}`, gradients[i]!])) };
  });
