/** Subjects that never lived: time series of regions in networks, with a difference between two groups planted. */

import { fail, uniforms } from '@heddle/core';
import { pearson } from './pearson.js';
import type { Subject } from './subject.js';

export interface GenerateOptions {
  readonly subjects: number;
  /** Default 200, as in the atlas CC200. */
  readonly regions?: number;
  /** Moments of the scan. Default 150. */
  readonly moments?: number;
  /** Groups of regions that go together, at least 3. Default 7. */
  readonly networks?: number;
  /** How much the second network follows the first in subjects of label 1: 0 not at all, 1 wholly. Default 0.3. */
  readonly effect?: number;
  /** Each has a noise of its own, which is no sign of the label. Default 4. */
  readonly sites?: number;
  readonly seed?: number;
}

/** Share of a region's variance that its network explains, on average. */
export const networkShare = 0.4;

/**
 * Half of the subjects of each site are of label 1. In them, and only between regions of the first two networks, the expected
 * correlation is `networkShare * effect` and not 0. Subject i of a seed is the same whatever the count.
 *
 * @throws E_OPTION for sizes and shares outside their range
 */
export function generateSubjects({
  subjects,
  regions = 200,
  moments = 150,
  networks = 7,
  effect = 0.3,
  sites = 4,
  seed = 0,
}: GenerateOptions): readonly Subject[] {
  const least: Readonly<Record<string, readonly [value: number, least: number]>> = {
    subjects: [subjects, 1],
    networks: [networks, 3],
    regions: [regions, networks],
    moments: [moments, 2],
    sites: [sites, 1],
    seed: [seed, 0],
  };
  for (const [name, [value, lowest]] of Object.entries(least))
    if (!Number.isSafeInteger(value) || value < lowest)
      fail(
        'E_OPTION',
        `${name}: expected a whole number of at least ${lowest}, received ${value}. Correct the option.`,
        {
          [name]: value,
        },
      );
  if (!(effect >= 0 && effect <= 1))
    fail('E_OPTION', `effect: expected a number from 0 to 1, received ${effect}. Correct the option.`, { effect });

  return Array.from({ length: subjects }, (_, i): Subject => {
    const draw = normals(uniforms(seed, i));
    const site = Math.floor(i / 2) % sites;
    const label = i % 2 === 1 ? 1 : 0;
    // Sites differ in noise, and so do subjects; both say nothing about the label.
    const share = Math.min(
      0.9,
      Math.max(0.1, networkShare + 0.1 * (sites === 1 ? 0 : site / (sites - 1) - 0.5) + 0.05 * draw()),
    );
    const [signal, noise] = [Math.sqrt(share), Math.sqrt(1 - share)];
    const series = new Float64Array(moments * regions);
    const latent = new Float64Array(networks);
    for (let t = 0; t < moments; t++) {
      for (let n = 0; n < networks; n++) latent[n] = draw();
      if (label === 1) latent[1] = effect * latent[0]! + Math.sqrt(1 - effect ** 2) * latent[1]!;
      for (let r = 0; r < regions; r++)
        series[t * regions + r] = signal * latent[networkOf(r, regions, networks)]! + noise * draw();
    }
    return {
      id: `subject-${i + 1}`,
      label,
      site: `site-${site + 1}`,
      matrix: pearson(series, moments, regions).matrix,
    };
  });
}

/** Networks are blocks of neighbouring regions. */
export const networkOf = (region: number, regions: number, networks: number): number =>
  Math.floor((region * networks) / regions);

/** Normal numbers by Box and Muller (1958). */
function normals(uniform: () => number): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
