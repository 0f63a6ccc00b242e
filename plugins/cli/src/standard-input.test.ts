/** Lines that somebody types, one after the other. */

import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { typedLines } from './standard-input.js';

it('gives each line as it comes, asks for the next, and ends with the input', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const found: string[] = [];
  input.write('one\n\n');
  for await (const line of typedLines('> ', new AbortController().signal, { input, output })) {
    found.push(line);
    // The second is typed after the first was answered.
    if (line === 'one') input.end('two\nthree');
  }
  expect(found).toEqual(['one', 'two', 'three']);
  expect(String(output.read()).split('> ').length - 1).toBeGreaterThanOrEqual(4);
});

it('ends when the command is stopped', async () => {
  const stop = new AbortController();
  const input = new PassThrough();
  input.write('one\n');
  const found: string[] = [];
  for await (const line of typedLines('> ', stop.signal, { input, output: new PassThrough() })) {
    found.push(line);
    stop.abort();
  }
  expect(found).toEqual(['one']);
});
