import { expect, it } from 'vitest';
import { fuzz } from '../../scripts/fuzz/hostile.mjs';
import { fail, isHeddleError } from '../errors.js';
import { openSafetensors } from './safetensors.js';
import { openSharded } from './sharded.js';

it(
  'judges 5,000 damaged files and indexes as a slow second opinion does, and never reads past their end',
  { timeout: 60_000 },
  async () => {
    const { mutations, refused, accepted, violations } = await fuzz(
      { openSafetensors, openSharded, isHeddleError, fail },
      5000,
      7,
    );
    expect(violations).toEqual([]);
    expect(refused + accepted).toBe(mutations);
    expect(Math.min(refused, accepted)).toBeGreaterThan(mutations / 20); // both verdicts are put to the test
  },
);
