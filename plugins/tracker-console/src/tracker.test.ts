import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { HeddleEvent } from '@heddle/core';
import { consoleTracker, openConsole, type ConsoleOptions } from './tracker.js';
import { finished, started, step } from '../fixtures/events.js';

const open = (options: ConsoleOptions & { isTTY?: boolean; columns?: number } = {}) => {
  let written = '';
  let time = 0;
  const stream = {
    isTTY: options.isTTY ?? false,
    columns: options.columns ?? 200,
    write: (text: string) => (written += text),
  };
  const console = openConsole({ stream, environment: {}, now: () => time, ...options });
  return {
    ...console,
    see: (...events: readonly HeddleEvent[]) => events.forEach(console.see),
    wait: (ms: number) => void (time += ms),
    get written() {
      return written;
    },
    take: () => {
      const taken = written;
      written = '';
      return taken;
    },
  };
};
const done = finished(10, 'steps');
const saved: HeddleEvent = { type: 'checkpoint.saved', step: 5, uri: 'here' };

/** What a terminal shows after these writes: enough of one for `\r` and erasing a line. */
function screen(written: string): string[] {
  const lines = [''];
  // oxlint-disable-next-line no-control-regex -- a terminal is made of these
  for (const piece of written.split(/(\r\u001b\[2K|\u001b\[[0-9;?]*[a-zA-Z]|\n)/)) {
    if (piece === '\n') lines.push('');
    else if (piece === '\r\u001b[2K') lines[lines.length - 1] = '';
    else if (!piece.startsWith('\u001b')) lines[lines.length - 1] += piece;
  }
  return lines;
}

describe('on a terminal', () => {
  const live = { isTTY: true };

  it('redraws one line, at most ten times a second, and the last step always', () => {
    const console = open(live);
    console.see(started(1000));
    console.take();
    for (let at = 1; at <= 1000; at++) {
      console.wait(1);
      console.see(step(at, { steps: 1000 }));
    }
    expect(console.written.split('\r').length - 1).toBeLessThanOrEqual(12);
    expect(screen(console.written)).toHaveLength(1);
    expect(screen(console.written)[0]).toContain('1000/1000');
  });

  it('writes events above the line', () => {
    const console = open(live);
    console.see(started(10), step(5), saved);
    expect(screen(console.written)).toEqual([
      expect.stringContaining('demo'),
      'saved step 5 to here',
      expect.stringContaining('5/10'),
    ]);
    console.see(done);
    expect(screen(console.written).slice(1)).toEqual([
      'saved step 5 to here',
      expect.stringContaining('done at step 10/10'),
      '',
    ]);
  });

  it('hides the cursor only while it draws, and gives it back at the end, on an error, when left and at exit', () => {
    const shown = (written: string): boolean =>
      written.lastIndexOf('\u001b[?25h') >= written.lastIndexOf('\u001b[?25l');
    const console = open(live);
    console.see(started(10), step(1));
    expect(shown(console.written)).toBe(false);
    console.see(done);
    expect(shown(console.written)).toBe(true);
    const left = open(live);
    const before = process.listenerCount('exit');
    left.see(started(10), step(1), step(2), saved);
    expect(process.listenerCount('exit')).toBe(before + 1);
    left.close();
    left.close();
    expect(shown(left.written)).toBe(true);
    expect(left.written.endsWith('\n\u001b[?25h')).toBe(true);
    expect(process.listenerCount('exit')).toBe(before);
  });

  it('does not wrap on a narrow terminal', () => {
    const console = open({ ...live, columns: 30, colour: false });
    console.see(started(10));
    console.take();
    console.see(step(5));
    expect(screen(console.written)[0]!.length).toBeLessThan(30);
  });

  it('honours NO_COLOR, CI and TERM=dumb', () => {
    const colours = (environment: Record<string, string>, isTTY = true): boolean => {
      const console = open({ isTTY, environment });
      console.see(started(10));
      return console.written.includes('\u001b[1m');
    };
    expect(colours({})).toBe(true);
    expect(colours({ NO_COLOR: '1' })).toBe(false);
    expect(colours({ NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
    expect(colours({ NO_COLOR: '' })).toBe(true);
    expect(colours({ FORCE_COLOR: '1' }, false)).toBe(true);
    expect(colours({ FORCE_COLOR: '0' })).toBe(false);
    expect(colours({ CI: 'true' })).toBe(false);
    expect(colours({ TERM: 'dumb' })).toBe(false);
    expect(colours({}, false)).toBe(false);
  });
});

describe('in a log', () => {
  const steps = (console: ReturnType<typeof open>, count: number, ms: number): number => {
    console.see(started(count));
    console.take();
    for (let at = 1; at <= count; at++) {
      console.wait(ms);
      console.see(step(at, { steps: count, seconds: ms / 1000 }));
    }
    return console.take().split('\n').length - 1;
  };

  it('writes a line for each tenth of the run', () => expect(steps(open(), 1000, 100)).toBe(10));
  it('but none within a second of another', () => expect(steps(open(), 1000, 3)).toBeLessThanOrEqual(3));
  it('and one each half minute of a slow run', () => expect(steps(open(), 100, 20_000)).toBe(50));
  it('says nothing between start and end of a short run', () => expect(steps(open(), 10, 5)).toBe(0));

  it('uses no codes', () => {
    const console = open();
    console.see(started(10), step(5), saved, done);
    expect(console.written).not.toContain('\u001b');
    expect(console.written).not.toContain('\r');
    expect(console.written.trimEnd().split('\n')).toHaveLength(3);
  });
});

describe('whatever comes', () => {
  it('never throws', () => {
    const broken = openConsole({
      environment: {},
      stream: {
        isTTY: true,
        write: () => {
          throw new Error('EPIPE');
        },
      },
    });
    for (const event of [started(10), step(1), done, saved]) broken.see(event);
    broken.close();
    const console = open();
    for (const event of [
      null,
      {},
      { type: 'evaluation.finished' },
      { type: 'notice' },
      { type: 'unknown.thing' },
      { type: 'step.finished', step: 'x' },
    ])
      console.see(event as unknown as HeddleEvent);
    console.see(saved);
    expect(console.written).toContain('saved step 5');
  });

  it('outlives a pipe whose reader has gone', () => {
    const stream = Object.assign(new EventEmitter(), { write: () => true });
    openConsole({ stream, environment: {} });
    openConsole({ stream, environment: {} });
    expect(stream.emit('error', new Error('EPIPE'))).toBe(true); // throws where nobody listens
    expect(stream.listenerCount('error')).toBe(1);
  });

  it('writes nothing once it is closed', () => {
    const console = open();
    console.close();
    console.see(started(10), done);
    expect(console.written).toBe('');
  });
});

describe('the tracker', () => {
  type Events = Parameters<typeof consoleTracker.track>[0];
  type Observer = { next(event: HeddleEvent): void; error(error: unknown): void; complete(): void };

  it.each(['error', 'complete', 'unsubscribe'] as const)('leaves the terminal in order: %s', how => {
    let written = '';
    let observer: Observer | undefined;
    const teardowns: (() => void)[] = [];
    const events = {
      subscribe(given: Observer) {
        observer = given;
        return {
          add: (teardown: () => void) => teardowns.push(teardown),
          unsubscribe: () => teardowns.forEach(teardown => teardown()),
        };
      },
    } as unknown as Events; // the little of an Observable that a tracker uses
    const stream = { isTTY: true, write: (text: string) => (written += text) };
    const subscription = consoleTracker.track(events, { stream, environment: {} });
    observer!.next(started(10));
    observer!.next(step(1));
    if (how === 'error') observer!.error(new Error('stop'));
    else if (how === 'complete') observer!.complete();
    else subscription.unsubscribe();
    expect(written.endsWith('\n\u001b[?25h')).toBe(true);
  });
});
