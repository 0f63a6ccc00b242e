import { expect, it } from 'vitest';
import { counted, grouped, indented, mebi, selfName, timeTaken } from './words.js';

it('says numbers as people do', () => {
  expect([0, 900, 2048, 12.4 * 2 ** 20, 3.44 * 2 ** 30].map(mebi)).toEqual([
    '0 bytes',
    '900 bytes',
    '2.0 KiB',
    '12 MiB',
    '3.4 GiB',
  ]);
  expect([grouped(1048576), counted(1, 'file'), counted(1200, 'file')]).toEqual(['1,048,576', '1 file', '1,200 files']);
  expect([3.4, 89.4, 125].map(timeTaken)).toEqual(['3 s', '89 s', '2 min 5 s']);
  expect(indented('a\nb\n\n')).toBe('  a\n  b');
});

it('is called as it was started', () => {
  expect(selfName({ npm_lifecycle_event: 'start' })).toEqual({ start: 'npm start', heddle: 'npm run -s heddle --' });
  expect(selfName({}).heddle).toBe('heddle');
});
