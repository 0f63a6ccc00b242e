/** Contestants in turns, so that what disturbs one disturbs all. */

const median = numbers => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** @returns medians in milliseconds, and the median of the first's time over each one's */
export async function inTurns(contestants, rounds) {
  const times = contestants.map(() => []);
  for (let round = -2; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const i = (turn + round + 2) % contestants.length;
      const start = performance.now();
      await contestants[i]();
      if (round >= 0) times[i].push(performance.now() - start);
    }
  }
  return times.map(own => ({ ms: median(own), ratio: median(own.map((ms, round) => times[0][round] / ms)) }));
}
