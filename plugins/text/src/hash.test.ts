import { describe, expect, it } from 'vitest';
import { fingerprint, hashNumbers } from './hash.js';

describe('hashes', () => {
  it('stay what they are: saved cursors hold them', () => {
    expect(hashNumbers(1, 2)).toBe(hashNumbers(1, 2));
    expect([hashNumbers(0, 0), hashNumbers(1, 2), hashNumbers(2 ** 40)]).toMatchInlineSnapshot(`
      [
        937260802,
        3096128923,
        3590994775,
      ]
    `);
    expect([fingerprint(''), fingerprint('heddle'), fingerprint(Int32Array.of(1, 2, 3))]).toMatchInlineSnapshot(`
      [
        "c2d7c390ba82737b",
        "776090f04fb941aa",
        "4ea5adfe71191b1f",
      ]
    `);
  });

  it('tell neighbours apart', () => {
    const seen = new Set(Array.from({ length: 10_000 }, (_, at) => hashNumbers(at, 0)));
    expect(seen.size).toBeGreaterThan(9_995);
    expect(new Set(Array.from({ length: 10_000 }, (_, at) => fingerprint(`document ${at}`))).size).toBe(10_000);
    expect(fingerprint([0])).not.toBe(fingerprint([0, 0]));
    expect(fingerprint('a', 1)).not.toBe(fingerprint('a', 2));
    expect(hashNumbers(1, 2)).not.toBe(hashNumbers(2, 1));
    expect(hashNumbers(-1)).not.toBe(hashNumbers(1));
  });
});
