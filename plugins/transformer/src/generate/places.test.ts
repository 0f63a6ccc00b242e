import { describe, expect, it } from 'vitest';
import { createPlaces } from './places.js';

describe('places', () => {
  it('gives each token its own, and takes them back when nobody sees them', () => {
    const table = createPlaces(2, 3);
    const path = table.open(1);
    expect([table.append(path), table.append(path)]).toEqual([
      { place: 0, position: 0 },
      { place: 1, position: 1 },
    ]);
    const other = table.fork(path);
    table.append(other);
    expect([table.free(1), table.free(0)]).toEqual([0, 3]);
    expect(() => table.append(path)).toThrow(expect.objectContaining({ code: 'E_CAPACITY' }));
    table.release(path);
    expect(table.free(1)).toBe(0); // the fork still sees the first two
    table.release(other);
    table.release(other);
    expect(table.free(1)).toBe(3);
    expect(table.spare(1)).toEqual([0, 1, 2, 3]);
  });

  it('joins what paths see, after the furthest of them', () => {
    const table = createPlaces(1, 9);
    const trunk = table.open(0);
    table.append(trunk);
    const [left, right] = [table.fork(trunk), table.fork(trunk)];
    table.append(left);
    table.append(right);
    table.append(right);
    const joined = table.join([left, right]);
    expect(joined.places).toEqual([0, 1, 2, 3]);
    expect(joined.position).toBe(3);
    expect(table.free(0)).toBe(5);
  });

  it('refuses slots that are not, released paths, and paths of different slots', () => {
    const table = createPlaces(2, 3);
    const refused = expect.objectContaining({ code: 'E_PATH' });
    expect(() => table.open(2)).toThrow(refused);
    expect(() => table.join([])).toThrow(refused);
    expect(() => table.join([table.open(0), table.open(1)])).toThrow(refused);
    const gone = table.open(0);
    table.release(gone);
    expect(() => table.fork(gone)).toThrow(refused);
    expect(() => table.append(createPlaces(1, 1).open(0))).toThrow(refused);
  });
});
