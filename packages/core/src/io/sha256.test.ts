import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sha256 } from './sha256.js';

it('gives the published hashes', () => {
  expect(sha256(new Uint8Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(sha256(new TextEncoder().encode('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

it('agrees with OpenSSL at every length around the blocks', () => {
  for (let length = 0; length <= 260; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
    expect(sha256(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});

it('agrees with OpenSSL on any bytes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 5000 }),
      bytes => sha256(bytes) === createHash('sha256').update(bytes).digest('hex'),
    ),
  );
});
