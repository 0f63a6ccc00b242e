import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { onInterrupt, type Signals } from './interrupt.js';

function set() {
  const process = new EventEmitter();
  const clock = { at: 0 };
  const say = vi.fn<(text: string) => void>();
  const quit = vi.fn<() => void>();
  const interruption = onInterrupt({ process: process as Signals, say, quit, now: () => clock.at });
  const press = (at: number, name = 'SIGINT'): void => {
    clock.at = at;
    process.emit(name);
  };
  return { ...interruption, process, say, quit, press };
}

it('asks to stop at the first Ctrl-C and quits at the second', () => {
  const { signal, say, quit, press } = set();
  press(1000);
  expect([signal.aborted, say.mock.calls.length, quit.mock.calls.length]).toEqual([true, 1, 0]);
  press(2000, 'SIGTERM');
  expect(quit).toHaveBeenCalledOnce();
  expect(say).toHaveBeenCalledOnce();
});

it("takes npm's copy of a Ctrl-C for the same one", () => {
  const { quit, press } = set();
  press(1000);
  press(1004);
  expect(quit).not.toHaveBeenCalled();
});

it('listens no more once released', () => {
  const { release, process } = set();
  release();
  expect(process.eventNames()).toEqual([]);
});
