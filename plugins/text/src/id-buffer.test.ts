import { expect, it } from 'vitest';
import { idBuffer } from './id-buffer.js';

it('an id buffer grows and gives back what went in', () => {
  const ids = idBuffer(0);
  for (let id = 0; id < 100; id++) ids.push(id);
  ids.append(Int32Array.from({ length: 1000 }, (_, id) => 100 + id));
  expect(ids.length).toBe(1100);
  expect([...ids.take()]).toEqual(Array.from({ length: 1100 }, (_, id) => id));
});
