import { expect, it } from 'vitest';
import { readGlobals } from './globals.js';

it('takes plugins from wherever they stand', () => {
  const { plugins, rest, json } = readGlobals(['--plugin', './a.js', 'train', '--steps', '3', '--plugin=b', '--json']);
  expect({ plugins, rest, json }).toEqual({
    plugins: ['./a.js', 'b'],
    rest: ['train', '--steps', '3', '--json'],
    json: true,
  });
});

it('leaves what stands after -- alone', () => {
  expect(readGlobals(['x', '--', '--plugin', 'a', '--json'])).toMatchObject({
    plugins: [],
    rest: ['x', '--', '--plugin', 'a', '--json'],
    json: false,
  });
});

it.each([[['--plugin']], [['--plugin=']], [['--plugin', '--json']]])('notices a plugin without a name: %j', argv => {
  expect(readGlobals(argv).unnamed).toBe(true);
});
