/** The parts that this package brings, and finding parts by name. */

import { ATTENTION, FFN, NORM, POSITIONS, fail, type Host, type PartFactory, type PartSource } from '@heddle/core';
import { standardAttention } from './attention.js';
import { relativeAttention } from './relative.js';
import { geluFeedForward, reluFeedForward, swiglu } from './feed-forward.js';
import { layer, rms } from './norm.js';
import { learned, noPositions, rotary, sinusoidal } from './positions.js';

type Point = Parameters<PartSource['part']>[0];

/** Each factory reads what this package passes to the parts of its point; the configuration types say what. */
export const builtInParts: { readonly [P in Point]: readonly PartFactory[] } = {
  attention: [
    { name: 'standard', create: config => standardAttention(config as never) },
    { name: 'relative', create: config => relativeAttention(config as never) },
  ],
  ffn: [
    { name: 'swiglu', create: config => swiglu(config as never) },
    { name: 'gelu', create: config => geluFeedForward(config as never) },
    { name: 'relu', create: config => reluFeedForward(config as never) },
  ],
  norm: [
    { name: 'rms', create: config => rms(config as never) },
    { name: 'layer', create: config => layer(config as never) },
  ],
  positions: [
    { name: 'rotary', create: config => rotary(config as never) },
    { name: 'learned', create: config => learned(config as never) },
    { name: 'sinusoidal', create: config => sinusoidal(config as never) },
    { name: 'none', create: noPositions },
  ],
};

/** Only what this package brings. */
export const builtInSource: PartSource = {
  part(point, name, config) {
    const factory = builtInParts[point].find(one => one.name === name);
    if (!factory) {
      const known = builtInParts[point].map(one => one.name).join(', ');
      fail(
        'E_UNKNOWN',
        `${point} '${name}': expected one of ${known}. Pass the parts of a host in which a plugin contributes it.`,
        { point, name },
      );
    }
    return factory.create(config);
  },
};

const points = { attention: ATTENTION, ffn: FFN, norm: NORM, positions: POSITIONS } as const;

/** The parts that the plugins of a host contribute. @throws E_UNKNOWN with the closest names */
export const partsOf = (host: Pick<Host, 'find'>): PartSource => ({
  part: (point, name, config) => host.find(points[point], name).create(config),
});
