/** Room for timers, signals and drawing beside work that never waits by itself. */

/** Milliseconds of work between two turns of the event loop. */
const between = 20;

/**
 * Counts the time since the last turn, over all runs of a program: many short runs in a row would otherwise keep
 * everybody else waiting until the last one.
 *
 * @returns a turn to wait for, when it is time for one
 */
export function breather(): () => Promise<void> | null {
  let since = performance.now();
  return () => {
    if (performance.now() - since <= between) return null;
    return new Promise(resolve => {
      setTimeout(() => {
        since = performance.now();
        resolve();
      }, 0);
    });
  };
}
