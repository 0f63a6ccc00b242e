/** Learning rates by step. */

import { constant, cosine, cosineAnnealing, inverseSqrt, linear, noam, type Schedule } from '../optim/schedule.js';
import { caseOf, relativeError } from '../testing/golden.js';
import { numberAt, tolerancesOf, type Family, type Row } from './row.js';

const named: Readonly<Record<string, (row: Row) => Schedule>> = {
  'inverse-sqrt': row =>
    inverseSqrt(numberAt(row, 'lr'), {
      warmUp: numberAt(row, 'warmupUpdates', numberAt(row, 'warmup', 1)),
      start: numberAt(row, 'warmupInitLr', 0),
    }),
  'linear-warmup-decay': row =>
    linear(numberAt(row, 'lr'), { warmUp: numberAt(row, 'warmup', 0), total: numberAt(row, 'total') }),
  constant: row => constant(numberAt(row, 'lr'), { warmUp: numberAt(row, 'warmup', 0) }),
  cosine: row =>
    cosine(numberAt(row, 'lr'), {
      warmUp: numberAt(row, 'warmup', 0),
      total: numberAt(row, 'total'),
      least: numberAt(row, 'minLr', 0),
      cycles: numberAt(row, 'numCycles', 0.5),
    }),
  noam: row => noam(numberAt(row, 'dModel'), { warmUp: numberAt(row, 'warmup'), factor: numberAt(row, 'factor', 1) }),
  'torch-CosineAnnealingLR': row =>
    cosineAnnealing(numberAt(row, 'lr'), { period: numberAt(row, 'tMax'), least: numberAt(row, 'etaMin', 0) }),
};

export const schedules: Family = async row => {
  const name = String(row['name'] ?? row.id);
  const start = Object.keys(named)
    .filter(prefix => name.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
  if (start === undefined) throw new Error(`name: expected one of ${Object.keys(named).join(', ')}, received ${name}`);
  const schedule = named[start]!(row);
  const expected = row['lr'] as readonly number[];
  return caseOf('', [
    {
      name: start,
      error: relativeError(expected, (row['steps'] as readonly number[]).map(schedule)),
      tolerance: tolerancesOf(row).forward,
    },
  ]);
};
