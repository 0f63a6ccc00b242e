/** Learning rates by step: plain functions on the host, fed to the graph as scalars. Steps count from 0. */

import { fail } from '../errors.js';

/** @param step from 0; @returns the rate of that step */
export type Schedule = (step: number) => number;

const whole = (name: string, value: number): void => {
  if (!(Number.isFinite(value) && value >= 0))
    fail('E_CONFIG', `schedule: ${name}: expected a number from 0 up, received ${value}.`, { name, value });
};

/** Grows from 0 to `rate` over `warmUp` steps, then stays. */
export const constant = (rate: number, { warmUp = 0 } = {}): Schedule => {
  whole('warmUp', warmUp);
  return step => (step < warmUp ? (rate * step) / warmUp : rate);
};

/** Warm-up, then a straight line to 0 at `total`. */
export const linear = (
  rate: number,
  { warmUp = 0, total }: { readonly warmUp?: number; readonly total: number },
): Schedule => {
  whole('total', total);
  return step =>
    step < warmUp ? (rate * step) / warmUp : (rate * Math.max(0, total - step)) / Math.max(1, total - warmUp);
};

/** Warm-up, then `cycles` of a cosine from `rate` down to `least` at `total`. */
export const cosine = (
  rate: number,
  {
    warmUp = 0,
    total,
    least = 0,
    cycles = 0.5,
  }: { readonly warmUp?: number; readonly total: number; readonly least?: number; readonly cycles?: number },
): Schedule => {
  whole('total', total);
  return step => {
    if (step < warmUp) return (rate * step) / warmUp;
    const share = Math.min(1, (step - warmUp) / Math.max(1, total - warmUp));
    return least + (rate - least) * Math.max(0, 0.5 * (1 + Math.cos(2 * Math.PI * cycles * share)));
  };
};

/** The Transformer's schedule as fairseq writes it: linear from `start` to `rate`, then rate * sqrt(warmUp / step). */
export const inverseSqrt = (
  rate: number,
  { warmUp, start = 0 }: { readonly warmUp: number; readonly start?: number },
): Schedule => {
  if (!(warmUp >= 1)) fail('E_CONFIG', `schedule: warmUp: expected at least 1 step, received ${warmUp}.`, { warmUp });
  return step => (step < warmUp ? start + (step * (rate - start)) / warmUp : rate * Math.sqrt(warmUp / step));
};

/** The Transformer's schedule as Vaswani et al. (2017) write it. Step 0 counts as 1. */
export const noam =
  (width: number, { warmUp, factor = 1 }: { readonly warmUp: number; readonly factor?: number }): Schedule =>
  step => {
    const t = Math.max(1, step);
    return factor * width ** -0.5 * Math.min(t ** -0.5, t * warmUp ** -1.5);
  };

/** Cosine annealing without warm-up that swings back after `period` steps, as PyTorch's CosineAnnealingLR. */
export const cosineAnnealing =
  (rate: number, { period, least = 0 }: { readonly period: number; readonly least?: number }): Schedule =>
  step =>
    least + ((rate - least) * (1 + Math.cos((Math.PI * step) / period))) / 2;
