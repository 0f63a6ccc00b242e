import { expect, it } from 'vitest';
import { didYouMean } from './nearest.js';

it.each([
  ['tset', "Did you mean 'test'?"],
  ['warmup', "Did you mean 'warmUp'?"],
  ['stepz', "Did you mean 'steps'?"],
  ['learning', 'There are: steps, test, warmUp.'],
])('%s', (wanted, answer) => expect(didYouMean(wanted, ['warmUp', 'steps', 'test'])).toBe(answer));
