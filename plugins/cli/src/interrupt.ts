/** Ctrl-C, politely: the first asks the command to stop, the second ends the process. SIGTERM counts as Ctrl-C. */

export interface Interruption {
  readonly signal: AbortSignal;
  /** Stops listening. */
  release(): void;
}

export interface Signals {
  on(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

export interface InterruptionOptions {
  readonly process: Signals;
  say(text: string): void;
  quit(): void;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/** npm passes on the Ctrl-C that the terminal has already delivered; a person is slower than this. Milliseconds. */
const echo = 50;

export function onInterrupt({ process, say, quit, now = () => performance.now() }: InterruptionOptions): Interruption {
  const stop = new AbortController();
  let last = Number.NEGATIVE_INFINITY;
  const hear = (): void => {
    const since = now() - last;
    last = now();
    if (since < echo) return;
    if (stop.signal.aborted) return quit();
    say('Stopping after this step… (Ctrl-C again to quit now)');
    stop.abort();
  };
  process.on('SIGINT', hear);
  process.on('SIGTERM', hear);
  return {
    signal: stop.signal,
    release() {
      process.off('SIGINT', hear);
      process.off('SIGTERM', hear);
    },
  };
}
