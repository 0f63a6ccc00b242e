import { expect, it } from 'vitest';
import { beside } from './columns.js';

it('puts texts side by side, each as wide as its longest line', () => {
  expect(beside(['one\nlonger', 'two', ''])).toBe('│ one    │ two │\n│ longer │     │');
  expect(beside([])).toBe('');
});
