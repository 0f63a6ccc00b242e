import fc from 'fast-check';
import { expect, it } from 'vitest';
import { heap } from './heap.js';

it('gives items back in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 300 }), values => {
      const open = heap<number>((a, b) => a < b);
      for (const value of values) open.push(value);
      expect(open.size).toBe(values.length);
      expect(values.map(() => open.pop())).toEqual([...values].sort((a, b) => a - b));
      expect(open.pop()).toBeUndefined();
    }),
  );
});
