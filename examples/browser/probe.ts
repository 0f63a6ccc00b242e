/** Which engine is fastest in this tab: tried, not guessed, for a GPU may be a program that plays one. */

import { BACKENDS, f32, trace, type Backend, type Host, type HostTensor } from '@heddle/core';

export interface Probe {
  readonly name: string;
  /** Of one run of the trial; null where it cannot run. */
  readonly milliseconds: number | null;
  /** Why not, or what it runs on. */
  readonly words: string;
}

const n = 192;
/** A few products and what stands between them in a model. */
const trial = trace({ x: f32(n, n), w: f32(n, n) }, ({ x, w }) => {
  let y = x;
  for (let i = 0; i < 3; i++) y = y.matmul(w).tanh().add(x);
  return { y: y.square().sum() };
});
const filled = (scale: number): HostTensor => ({
  dtype: 'f32',
  shape: [n, n],
  data: Float32Array.from({ length: n * n }, (_, i) => scale * Math.sin(i)),
});

/** Tries every engine that the host offers, the reference left out: it is the definition, not a contender. */
export async function probe(host: Host, see: (probe: Probe) => void): Promise<readonly Probe[]> {
  const probes: Probe[] = [];
  for (const offer of host.all(BACKENDS)) {
    if (offer.name === 'reference') continue;
    const reason = await offer.unavailable();
    const found =
      reason === null
        ? await timed(offer.name, await offer.open())
        : { name: offer.name, milliseconds: null, words: reason };
    probes.push(found);
    see(found);
  }
  return probes;
}

async function timed(name: string, backend: Backend): Promise<Probe> {
  try {
    const executable = await backend.compile(trial, { name: 'trial' });
    const feeds = { x: filled(1), w: filled(0.05) };
    await executable.run(feeds);
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      const from = performance.now();
      await executable.run(feeds);
      best = Math.min(best, performance.now() - from);
    }
    const about = executable
      .explain()
      .split('\n')[0]!
      .slice(name.length + 2);
    return { name, milliseconds: best, words: about };
  } catch (error) {
    return { name, milliseconds: null, words: error instanceof Error ? error.message : String(error) };
  } finally {
    await backend.close();
  }
}

export const fastest = (probes: readonly Probe[]): Probe | null =>
  probes.reduce<Probe | null>(
    (best, one) => (one.milliseconds !== null && (best === null || one.milliseconds < best.milliseconds!) ? one : best),
    null,
  );
