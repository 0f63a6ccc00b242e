import { describe, expect, it } from 'vitest';
import { isPlainName, safeJoin } from './paths.js';

const escapes = [
  '..',
  '.',
  '',
  '../x',
  'a/../../x',
  '/etc/passwd',
  'C:\\x',
  'C:x',
  'a\\b',
  '..\\x',
  '\\\\server\\x',
  'a//b',
  'a/',
  'x\u0000y',
  'x\ny',
  'a/./b',
  'name.',
  'name ',
  '... ',
  'NUL',
  'con.txt',
  'file:stream',
];

describe('safeJoin', () => {
  it.each(escapes)('refuses %j', name => {
    expect(() => safeJoin('models', name)).toThrow(expect.objectContaining({ code: 'E_PATH' }));
  });

  it.each([
    ['models', 'a.safetensors', 'models/a.safetensors'],
    ['models/', 'sub/a', 'models/sub/a'],
    ['', 'a', 'a'],
    ['/', 'a..b', '/a..b'],
    ['x', '.hidden', 'x/.hidden'],
    ['x', 'naïve 名.bin', 'x/naïve 名.bin'],
  ])('joins %j and %j', (folder, name, path) => {
    expect(safeJoin(folder, name)).toBe(path);
  });
});

it('a plain name has no parts', () => {
  expect(isPlainName('model-00001-of-00002.safetensors')).toBe(true);
  expect(isPlainName('sub/model.safetensors')).toBe(false);
  expect(escapes.some(isPlainName)).toBe(false);
});
